"""Large results of tools: each a file of its own in a folder beside the store.

The folder has the store's name and `.results` after it, so that two stores in one place keep apart.
A file is named by its tool call and by a hash of what is in it, and never changes. It is on disk
under its name before the row that names it is committed, and goes after the row has gone; what a
crash leaves between the two is swept away when the store is next opened.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shutil
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from sqlite3 import Connection

from chatglass.store.records import ToolResult
from chatglass.store.sqlite.errors import unusable
from chatglass.values.text import storable

INLINE_CHARS = 65_536
"""A longer result goes into a file; as much of its start stays in the database, for the search."""

ORPHAN_SECONDS = 3600.0
"""A file that no row names may be one that another process just wrote; after this it is none."""

_PART = ".part"


@dataclass(frozen=True, slots=True)
class KeptResult:
    """The row of a result: `produced` is its start only where the rest is in `file`."""

    produced: str
    seen: str | None
    file: str | None = None
    file_bytes: int | None = None


def folder_of(store: Path) -> Path:
    return store.with_name(f"{store.name}.results")


def keep(folder: Path | None, tool_call_id: str, result: ToolResult) -> KeptResult:
    """Write what is too long for the database, where there is a folder for it. Doing it again
    changes nothing. Raises StoreError."""
    produced, seen = storable(result.produced), storable(result.seen)
    other = None if seen == produced else seen
    if folder is None or len(produced) <= INLINE_CHARS:
        return KeptResult(produced, other)
    data = produced.encode()
    name = file_name(tool_call_id, data)
    _write(folder, name, data)
    return KeptResult(produced[:INLINE_CHARS], other, name, len(data))


def file_name(tool_call_id: str, data: bytes) -> str:
    # The id of an imported call is what another program made it.
    plain = re.sub(r"[^A-Za-z0-9_-]", "_", tool_call_id)[:64]
    digest = hashlib.sha256(tool_call_id.encode() + b"\0")
    digest.update(data)
    return f"{plain}-{digest.hexdigest()[:16]}"


def _write(folder: Path, name: str, data: bytes) -> None:
    target, part = folder / name, folder / f"{name}.{os.getpid()}{_PART}"
    try:
        if not folder.exists():
            folder.mkdir(mode=0o700, exist_ok=True)
            _sync(folder.parent)
        if target.exists():
            # An orphan, perhaps: its time tells the sweep that it is wanted.
            os.utime(target)
            return
        part.unlink(missing_ok=True)
        try:
            with open(part, "xb", opener=_private) as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            part.rename(target)
        finally:
            with contextlib.suppress(OSError):
                part.unlink(missing_ok=True)
        _sync(folder)
    except OSError as error:
        raise unusable(target, error) from error


def copy(source: Path, target: Path) -> None:
    """Copy one file, into a folder that is made where it is missing. Raises OSError."""
    with source.open("rb") as file:
        if not target.parent.exists():
            target.parent.mkdir(mode=0o700)
        with open(target, "wb", opener=_private) as made:
            shutil.copyfileobj(file, made)
            made.flush()
            os.fsync(made.fileno())


def _private(name: str, flags: int) -> int:
    return os.open(name, flags, 0o600)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read(folder: Path | None, kept: KeptResult) -> str:
    """What the tool produced. Where the file is gone or cut, what is left of it and a line that
    says so: the rest of the session can still be read."""
    if kept.file is None or folder is None:
        return kept.produced
    path = folder / kept.file
    try:
        data = path.read_bytes()
    except OSError as error:
        return f"{kept.produced}\n[… the rest is missing: {path}: {error.strerror or error}]"
    text = data.decode("utf-8", "replace")
    if len(data) != kept.file_bytes:
        return (
            f"{text}\n[… {path} is damaged: it has {len(data):,} bytes of {kept.file_bytes or 0:,}]"
        )
    return text


def fault(folder: Path, tool_call_id: str, name: str, size: int) -> str | None:
    """What is wrong with a file that a row names; reads it."""
    path = folder / name
    try:
        data = path.read_bytes()
    except OSError as error:
        return f"{path} can't be read ({error.strerror or error})"
    if len(data) != size:
        return f"{path} has {len(data):,} bytes and had {size:,}"
    if file_name(tool_call_id, data) != name:
        return f"{path} has been changed"
    return None


def remove(folder: Path | None, names: Iterable[str]) -> None:
    """What can't be removed now is removed by the next sweep."""
    if folder is None:
        return
    for name in names:
        with contextlib.suppress(OSError):
            (folder / name).unlink(missing_ok=True)


def of_session(db: Connection, session_id: str) -> list[str]:
    """The names of a session's files."""
    found = db.execute(
        "SELECT r.file FROM tool_results r JOIN tool_calls t ON t.id = r.tool_call_id "
        "WHERE t.session_id = ? AND r.file IS NOT NULL",
        (session_id,),
    )
    return [name for (name,) in found]


def orphans(db: Connection, folder: Path, *, age: float = ORPHAN_SECONDS) -> list[str]:
    """Files in the folder that no row names, and that are older than `age` seconds."""
    try:
        entries = list(os.scandir(folder))
    except OSError:
        return []
    found: list[str] = []
    before = time.time() - age
    for entry in entries:
        with contextlib.suppress(OSError):
            if not entry.is_file(follow_symlinks=False) or entry.stat().st_mtime > before:
                continue
            named = db.execute("SELECT 1 FROM tool_results WHERE file = ?", (entry.name,))
            if named.fetchone() is None:
                found.append(entry.name)
    return found


def sweep(db: Connection, folder: Path) -> None:
    remove(folder, orphans(db, folder))
