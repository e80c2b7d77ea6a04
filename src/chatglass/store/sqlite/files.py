"""The store's files before SQLite sees them: made private, and refused where they aren't ours."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import stat
from pathlib import Path

from chatglass.store.protocol import StoreError
from chatglass.store.sqlite.errors import damaged, explain, unusable
from chatglass.store.sqlite.schema import APPLICATION_ID

_MAGIC = b"SQLite format 3\x00"
_HEADER = 100
# Offsets in the header, https://www.sqlite.org/fileformat2.html#the_database_header
_USER_VERSION, _APPLICATION_ID = slice(60, 64), slice(68, 72)


def make_private(path: Path) -> None:
    """Make the file and its folders where they are missing, for their owner alone.

    Raises StoreError.
    """
    try:
        # Not `parents=True`, which gives the mode to the last one only.
        for folder in reversed(path.parents):
            if not folder.exists():
                folder.mkdir(mode=0o700, exist_ok=True)
        if path.exists():
            return
        wal = _wal(path)
        if wal.exists() and wal.stat().st_size:
            raise damaged(path, f"it is gone, but {wal.name}, which belongs to it, is there")
        with contextlib.suppress(FileExistsError):  # another process was quicker
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    except OSError as error:
        raise unusable(path, error) from error


def keep_private(path: Path) -> None:
    """Take from others what rights they have to an existing store. -wal and -shm follow it."""
    try:
        for each in (path, _wal(path), path.with_name(path.name + "-shm")):
            if each.exists() and (mode := each.stat().st_mode) & 0o077:
                each.chmod(stat.S_IMODE(mode) & 0o700)
    except OSError as error:
        raise unusable(path, error) from error


def refuse_foreign(path: Path, newest: int) -> None:
    """Raise StoreError if the file is no store, or one of a newer version; it is only read."""
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            header = file.read(_HEADER)
        wal = _wal(path)
        wal_size = wal.stat().st_size if wal.exists() else 0
    except OSError as error:
        raise unusable(path, error) from error
    if not size:
        if wal_size:
            # SQLite would delete the -wal, and with it the last writes.
            raise damaged(path, f"it is empty, but {wal.name} holds {wal_size:,} bytes of it")
        return
    if len(header) < _HEADER or not header.startswith(_MAGIC):
        raise damaged(path, "it does not begin as an SQLite database does")
    application = int.from_bytes(header[_APPLICATION_ID], "big")
    version = int.from_bytes(header[_USER_VERSION], "big")
    if wal_size:
        # What the -wal holds is newer than the header.
        application, version = _ask(path)
    if application not in (0, APPLICATION_ID):
        raise StoreError(
            f"{path}: is a database of another program (application id {application:#x}). "
            "It was left as it is. Choose another folder with --data-dir."
        )
    if version > newest:
        raise newer(path, version, newest)


def newer(path: Path, version: int, newest: int) -> StoreError:
    return StoreError(
        f"{path}: was written by a newer chatglass (version {version} of the store; "
        f"this one knows up to {newest}). It was left as it is. "
        "Update chatglass, or choose another folder with --data-dir."
    )


def uri(path: Path, mode: str) -> str:
    return f"{path.absolute().as_uri()}?mode={mode}"


def _ask(path: Path) -> tuple[int, int]:
    """Application id and version of the schema, by a connection that can't write."""
    try:
        with contextlib.closing(sqlite3.connect(uri(path, "ro"), uri=True)) as connection:
            return (
                connection.execute("PRAGMA application_id").fetchone()[0],
                connection.execute("PRAGMA user_version").fetchone()[0],
            )
    except sqlite3.Error as error:
        raise explain(error, path) from error


def _wal(path: Path) -> Path:
    return path.with_name(path.name + "-wal")
