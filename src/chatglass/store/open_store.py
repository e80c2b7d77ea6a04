"""Which engine keeps the sessions: SQLite in a file or in memory, or Redis by its URL."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from chatglass.store.protocol import SessionStore, StoreError

FILE_NAME = "sessions.sqlite3"
_REDIS = ("redis://", "rediss://")


def make_store(
    url: str | None,
    data: Path,
    *,
    password_env: str | None = None,
    env: Mapping[str, str] = os.environ,
) -> SessionStore:
    """The store of the settings, not yet open; without a `url` the file in the data folder.

    Raises StoreError where the URL is none of a store, or what it needs is not installed.
    """
    if url is None:
        return in_file(data / FILE_NAME)
    if not url.startswith(_REDIS):
        # Without the URL itself, which may hold a password.
        raise StoreError(
            "store.url can't be used: it must begin with redis:// or rediss://. Correct it in the "
            "settings, or remove it to keep sessions in a file."
        )
    from chatglass.store.redis import RedisStore

    return RedisStore(url, data, password=_password(password_env, env))


def store_at(where: str, data: Path, *, password: str | None = None) -> SessionStore:
    """The store at a URL of Redis, in a file, or in a folder (as `--data-dir` names one).

    What a Redis does not get waits in the folder `data`. Raises StoreError.
    """
    if where.startswith(_REDIS):
        from chatglass.store.redis import RedisStore

        return RedisStore(where, data, password=password)
    if "://" in where:
        raise StoreError(
            "A store is a file, a folder that holds one, or a URL that begins with redis:// or "
            "rediss://."
        )
    path = Path(where).expanduser().absolute()
    return in_file(path / FILE_NAME if path.is_dir() else path)


def in_file(path: Path | None) -> SessionStore:
    """None: in memory."""
    from chatglass.store.sqlite import SqliteStore

    return SqliteStore(path)


def _password(name: str | None, env: Mapping[str, str]) -> str | None:
    if name is None:
        return None
    password = env.get(name)
    if not password:
        raise StoreError(
            f"store.password_env names {name}, which is not set. Set it to the password of the "
            "Redis server, or remove the setting."
        )
    return password
