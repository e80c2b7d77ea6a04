"""SQLite's errors as sentences: which file, what happened, what to do."""

from __future__ import annotations

import errno
import sqlite3
from pathlib import Path

from chatglass.store.protocol import StoreError

BUSY_SECONDS = 10.0
"""How long a write waits for another process's."""

# Primary result codes, https://www.sqlite.org/rescode.html
_PERM, _BUSY, _LOCKED, _NOMEM, _READONLY = 3, 5, 6, 7, 8
_IOERR, _CORRUPT, _FULL, _CANTOPEN, _TOOBIG, _CONSTRAINT, _NOTADB = 10, 11, 13, 14, 18, 19, 26
_IOERR_SHMSIZE = 4874
"""There is no room for the 32 kB that a reader, too, needs beside the log of a store."""


def describe(path: Path | None) -> str:
    return "the store in memory" if path is None else str(path)


def explain(error: sqlite3.Error, path: Path | None) -> StoreError:
    """`error` in words. The caller raises it `from error`."""
    # Raised by the sqlite3 module itself, it carries no code.
    code = getattr(error, "sqlite_errorcode", 0)
    name = getattr(error, "sqlite_errorname", "")
    cause = f"{error}, {name}" if name else str(error)
    return StoreError(f"{describe(path)}: {_sentence(code, cause, path)}")


def damaged(path: Path, cause: str) -> StoreError:
    return StoreError(f"{path}: {_damage(cause, path)}")


def unusable(path: Path, error: OSError) -> StoreError:
    """For what the operating system refused before SQLite was asked."""
    where = error.filename or path
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return StoreError(
            f"{where}: the disk is full ({error.strerror}). This write was not kept. "
            "Free some space and try again."
        )
    return StoreError(f"{where}: can't be used ({error.strerror or error}). {_CHOOSE}")


_CHOOSE = (
    "Check that you own the file and its folder and may write to both, "
    "or choose another folder with --data-dir."
)


def _damage(cause: str, path: Path | None) -> str:
    backups = sorted(path.parent.glob(f"{path.name}.bak-v*")) if path else []
    backup = f", put the backup {backups[-1].name} in its place" if backups else ""
    return (
        f"the file is damaged or not a store of chatglass ({cause}). It was left as it is. "
        f"Move it away to begin with an empty store{backup}, or save what is readable with "
        f"`sqlite3 {path} .recover`."
    )


def _sentence(extended: int, cause: str, path: Path | None) -> str:
    code = extended & 0xFF
    if code == _FULL:
        return (
            f"the disk is full ({cause}). This write was not kept. Free some space and try again."
        )
    if code in (_CORRUPT, _NOTADB):
        return _damage(cause, path)
    if code in (_READONLY, _CANTOPEN, _PERM):
        return f"can't be opened for writing ({cause}). {_CHOOSE}"
    if code in (_BUSY, _LOCKED):
        return (
            f"another process has kept it locked for {BUSY_SECONDS:.0f} s ({cause}). "
            "Close the other program that has it open, or try again."
        )
    if extended == _IOERR_SHMSIZE:
        return (
            f"the disk is full, so that nothing can be read either ({cause}). "
            "Free some space and try again."
        )
    if code == _IOERR:
        return (
            f"the disk could not be read or written ({cause}). This call had no effect. "
            "Check the disk and its mount, and try again."
        )
    if code == _TOOBIG:
        return f"a text is over SQLite's limit of a gigabyte ({cause}). It was not kept."
    if code == _NOMEM:
        return f"out of memory ({cause}). This call had no effect. Close something and try again."
    if code == _CONSTRAINT:
        return (
            f"refused a row that contradicts what is there ({cause}). Nothing was changed. "
            "This is a fault in chatglass; please report it."
        )
    return f"SQLite refused ({cause}). This call had no effect. Please report it."
