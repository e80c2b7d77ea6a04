"""A whole copy of a store's file, of one moment, while others write to it."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from pathlib import Path

from chatglass.store.protocol import StoreError
from chatglass.store.sqlite.errors import explain, unusable
from chatglass.store.sqlite.files import refuse_foreign, uri
from chatglass.store.sqlite.schema import MIGRATIONS


def back_up(path: Path, target: Path) -> None:
    """Copy the store `path` to the new file `target`, for its owner alone. Raises StoreError."""
    if not path.exists():
        raise StoreError(f"{path}: there is no store yet, and so nothing to back up.")
    refuse_foreign(path, MIGRATIONS[-1].version)
    if target.exists():
        raise StoreError(f"{target}: is there already and was left as it is. Name another file.")
    try:
        copy_to(path, target)
    except sqlite3.Error as error:
        raise explain(error, path) from error


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
