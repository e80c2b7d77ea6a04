"""Opening the store that a subcommand works on."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager

from chatglass.config.first_look import has_table
from chatglass.config.paths import Paths, find_paths
from chatglass.store.open_store import make_store
from chatglass.store.protocol import SessionStore, StoreError
from chatglass.store.records import SessionRow


def paths_of(data_dir: str | None) -> Paths:
    return find_paths(data_dir)


def _store_of(paths: Paths) -> tuple[str | None, str | None]:
    """The store's address in the settings and the variable of its password. Raises ConfigError."""
    if not has_table(paths.config_file, "store"):
        return None, None
    from chatglass.config.settings import load_settings

    wanted = load_settings(paths.config_file).store
    return wanted.url, wanted.password_env


@asynccontextmanager
async def opened(data_dir: str | None, *, make: bool = False) -> AsyncGenerator[SessionStore]:
    """The store of the settings, open. Raises StoreError where there is none yet, unless `make`
    says to make it, and ConfigError."""
    paths = paths_of(data_dir)
    url, password_env = _store_of(paths)
    if make or url is not None:
        paths.make()
    elif not paths.store.exists():
        raise StoreError(
            f"{paths.store}: there is no store yet. Run chatglass, or name the folder of another "
            "store with --data-dir."
        )
    store = make_store(url, paths.data, password_env=password_env)
    async with held_open(store):
        yield store


@asynccontextmanager
async def held_open(store: SessionStore) -> AsyncGenerator[None]:
    """Open it, and close it at the end. Raises StoreError."""
    await store.open()
    try:
        yield
    finally:
        await store.close()


async def named(store: SessionStore, ids: Sequence[str]) -> list[SessionRow]:
    """The sessions of these ids or parts of ids, each once. Raises SessionGone before anything is
    done with any."""
    rows = [await store.find_session(each) for each in ids]
    return list({row.id: row for row in rows}.values())
