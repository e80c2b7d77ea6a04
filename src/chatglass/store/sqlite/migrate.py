"""Bringing a store's schema up to date, one transaction for each step, with a backup before."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path

from chatglass.store.protocol import StoreError
from chatglass.store.sqlite.copying import copy_to
from chatglass.store.sqlite.errors import describe
from chatglass.store.sqlite.files import newer
from chatglass.store.sqlite.schema import APPLICATION_ID, Migration


def migrate(
    connection: sqlite3.Connection, path: Path | None, migrations: Sequence[Migration]
) -> None:
    """Run what is missing of `migrations`.

    Two processes may do this at once: each step is taken by the one that gets the lock. Also
    shows that the file can be written, since it takes that lock in any case. Raises StoreError
    and sqlite3.Error; the steps done before stay, the one that failed leaves nothing.
    """
    backup: Path | None = None
    connection.execute("PRAGMA foreign_keys = OFF")  # has no effect within a transaction
    try:
        while True:
            connection.execute("BEGIN IMMEDIATE")
            try:
                version = _version(connection, path, migrations[-1].version)
                if version == migrations[-1].version:
                    break
                if path and backup is None and version and _holds_something(connection):
                    backup = _back_up(path, version)
                _step(connection, migrations[version], path, backup)
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
    finally:
        connection.execute("PRAGMA foreign_keys = ON")


def _version(connection: sqlite3.Connection, path: Path | None, newest: int) -> int:
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    application: int = connection.execute("PRAGMA application_id").fetchone()[0]
    tables: int = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    if application != APPLICATION_ID and tables:
        raise StoreError(
            f"{describe(path)}: is a database of another program. It was left as it is. "
            "Choose another folder with --data-dir."
        )
    if version > newest and path:
        raise newer(path, version, newest)
    return version


def _holds_something(connection: sqlite3.Connection) -> bool:
    """A store that is being made, by this process or another, needs no backup."""
    return bool(connection.execute("SELECT EXISTS (SELECT 1 FROM sessions)").fetchone()[0])


def _step(
    connection: sqlite3.Connection, migration: Migration, path: Path | None, backup: Path | None
) -> None:
    try:
        for statement in migration.statements():
            connection.execute(statement)
        if broken := connection.execute("PRAGMA foreign_key_check").fetchone():
            raise sqlite3.IntegrityError(f"a row of {broken[0]} refers to one that is missing")
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {migration.version}")
        connection.execute("COMMIT")
    except sqlite3.Error as error:
        if backup is None:
            raise
        raise StoreError(
            f"{describe(path)}: could not be upgraded to version {migration.version} "
            f"of the store, {migration.name} ({error}). The store is as it was before this step, "
            f"and a copy from before the upgrade is {backup.name}. "
            "Go on with the chatglass you had, and report this."
        ) from error


def _back_up(path: Path, version: int) -> Path:
    """A whole copy beside the file, on disk when this returns. Never replaces an earlier one."""
    name = f"{path.name}.bak-v{version}"
    target, number = path.with_name(name), 2
    while target.exists():
        target, number = path.with_name(f"{name}-{number}"), number + 1
    try:
        # The caller's lock keeps writers out; reading goes on beside it.
        copy_to(path, target)
    except sqlite3.Error as error:
        raise StoreError(
            f"{path}: was not upgraded, since it could not be backed up to {target.name} "
            f"first ({error}). Free some space there, or move the store where there is more."
        ) from error
    return target
