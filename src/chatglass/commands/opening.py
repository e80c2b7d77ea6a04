"""Opening the store that a subcommand works on."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager

from chatglass.config.paths import Paths, find_paths
from chatglass.store.protocol import SessionStore, StoreError
from chatglass.store.records import SessionRow
from chatglass.store.sqlite import SqliteStore


def paths_of(data_dir: str | None) -> Paths:
    return find_paths(data_dir)


@asynccontextmanager
async def opened(data_dir: str | None, *, make: bool = False) -> AsyncGenerator[SessionStore]:
    """The store, open. Raises StoreError where there is none yet, unless `make` says to make it."""
    paths = paths_of(data_dir)
    if make:
        paths.make()
    elif not paths.store.exists():
        raise StoreError(
            f"{paths.store}: there is no store yet. Run chatglass, or name the folder of another "
            "store with --data-dir."
        )
    store = SqliteStore(paths.store)
    await store.open()
    try:
        yield store
    finally:
        await store.close()


async def named(store: SessionStore, ids: Sequence[str]) -> list[SessionRow]:
    """The sessions of these ids or parts of ids, each once. Raises SessionGone before anything is
    done with any."""
    rows = [await store.find_session(each) for each in ids]
    return list({row.id: row for row in rows}.values())
