"""A whole copy of a store, of one moment, while others write to it."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from pathlib import Path

from chatglass.store.protocol import StoreError
from chatglass.store.sqlite import result_files
from chatglass.store.sqlite.errors import explain, unusable
from chatglass.store.sqlite.files import refuse_foreign, uri
from chatglass.store.sqlite.schema import MIGRATIONS

_WITH_FILES = 4
"""The first version of the store that has results in files."""


def back_up(path: Path, target: Path) -> None:
    """Copy the store `path` to the new file `target`, and its large results to the folder beside
    that, for their owner alone. Raises StoreError."""
    if not path.exists():
        raise StoreError(f"{path}: there is no store yet, and so nothing to back up.")
    refuse_foreign(path, MIGRATIONS[-1].version)
    for each in (target, result_files.folder_of(target)):
        if each.exists():
            raise StoreError(f"{each}: is there already and was left as it is. Name another file.")
    part = target.with_name(target.name + ".new")
    try:
        for _ in range(_TRIES):
            copy_to(path, part)
            if _copy_results(path, part, target):
                part.rename(target)
                return
        raise StoreError(
            f"{path}: sessions were deleted while it was copied, again and again. Try it later."
        )
    except OSError as error:
        raise unusable(target, error) from error
    except sqlite3.Error as error:
        raise explain(error, path) from error


_TRIES = 5


def _copy_results(path: Path, copy: Path, target: Path) -> bool:
    """Copy the large results that the rows of `copy` name. False where one of them has gone since
    with its session, so that the copy of the rows is too old."""
    source, folder = result_files.folder_of(path), result_files.folder_of(target)
    with contextlib.closing(sqlite3.connect(uri(copy, "ro"), uri=True)) as db:
        if db.execute("PRAGMA user_version").fetchone()[0] < _WITH_FILES:
            return True
        found = db.execute("SELECT file FROM tool_results WHERE file IS NOT NULL")
        names = [name for (name,) in found]
    for name in names:
        try:
            result_files.copy(source / name, folder / name)
        except FileNotFoundError:
            if not _is_named(path, name):
                return False
            # It was lost before, and the copy says of it what the store does.
    return True


def _is_named(path: Path, name: str) -> bool:
    with contextlib.closing(sqlite3.connect(uri(path, "ro"), uri=True)) as db:
        found = db.execute("SELECT 1 FROM tool_results WHERE file = ?", (name,))
        return found.fetchone() is not None


def copy_to(path: Path, target: Path) -> None:
    """Copy the database, on disk when this returns; `target` is whole or not there.

    Raises StoreError where the system refuses, and sqlite3.Error.
    """
    part = target.with_name(target.name + ".part")
    try:
        part.unlink(missing_ok=True)
        os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        with (
            contextlib.closing(sqlite3.connect(uri(path, "ro"), uri=True)) as source,
            contextlib.closing(sqlite3.connect(part)) as copy,
        ):
            # All pages in one step, and so of one moment: a writer's -wal grows meanwhile.
            source.backup(copy)
            copy.execute("PRAGMA journal_mode = DELETE")
        part.rename(target)
        folder = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        raise unusable(part, error) from error
    finally:
        # What is left of a failed copy is in nobody's way: the next one begins by removing it.
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
