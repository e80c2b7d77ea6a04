"""One SQLite file with its threads: what is asked of it on the event loop is done in them."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from functools import partial
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

from chatglass.store.protocol import StoreError
from chatglass.store.sqlite import functions
from chatglass.store.sqlite.errors import BUSY_SECONDS, describe, explain
from chatglass.store.sqlite.files import keep_private, make_private, refuse_foreign, uri
from chatglass.store.sqlite.migrate import migrate
from chatglass.store.sqlite.schema import OLDEST_SQLITE, Migration
from chatglass.store.sqlite.threads import ReaderThread, WriterThread

P = ParamSpec("P")
T = TypeVar("T")
R = TypeVar("R")

_WAL_LIMIT = 64 * 1024 * 1024
_READ_PAGES, _SEARCH_PAGES = 128, 500
"""Pages of 4 kB that a reading connection keeps. What is read by its key is read once, and the
system has its pages too; a search comes back to those of the index."""


class Database:
    """Writes in order in one thread; reads in another; searches in a third.

    In memory (`path` None) there is one connection, and reads wait their turn.
    """

    def __init__(self, path: Path | None, migrations: Sequence[Migration]) -> None:
        self.path = path
        self._migrations = migrations
        self._writer: WriterThread | None = None
        self._readers: dict[str, ReaderThread] = {}

    @property
    def is_open(self) -> bool:
        return self._writer is not None

    async def open(self) -> None:
        """Raises StoreError, after which it may be tried again."""
        if self._writer is not None:
            return
        writer = WriterThread(self._connect_writer, self._explain)
        await asyncio.wrap_future(writer.start())
        self._writer = writer
        if self.path is not None:
            for name, pages in (("store-reader", _READ_PAGES), ("store-search", _SEARCH_PAGES)):
                connect = partial(self._connect_reader, pages)
                self._readers[name] = ReaderThread(name, connect, self._explain)

    async def close(self) -> None:
        """Does all that was asked for first."""
        writer, self._writer = self._writer, None
        readers, self._readers = list(self._readers.values()), {}
        if writer is not None:
            # In a thread, since it waits for the others. The writer goes last: closing the last
            # connection folds the -wal into the file.
            await asyncio.to_thread(lambda: [each.stop() for each in (*readers, writer)])

    async def write(
        self, do: Callable[Concatenate[sqlite3.Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """`do(connection, ...)` in a transaction; returns when it is committed."""
        future = self._open_writer().submit(lambda connection: do(connection, *args, **kwargs))
        return await asyncio.wrap_future(future)

    async def write_after(
        self,
        prepare: Callable[[], R],
        do: Callable[Concatenate[sqlite3.Connection, R, P], T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """`write`, with what `prepare()` gives as the first argument: that is called before the
        transaction, and nothing is written where it fails."""
        writer = self._open_writer()
        prepared = writer.submit(lambda _: prepare(), in_transaction=False)
        future = writer.submit(
            lambda connection: do(connection, prepared.result(), *args, **kwargs)
        )
        return await asyncio.wrap_future(future)

    async def write_then(
        self,
        do: Callable[Concatenate[sqlite3.Connection, P], R],
        then: Callable[[R], None],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> None:
        """`write`, and when that is committed `then` with what it gave."""
        writer = self._open_writer()
        written = writer.submit(lambda connection: do(connection, *args, **kwargs))
        future = writer.submit(lambda _: then(written.result()), in_transaction=False)
        await asyncio.wrap_future(future)

    def tidy(self, do: Callable[[sqlite3.Connection], None]) -> None:
        """`do(connection)`, outside of a transaction, when all that was asked for is done. Nobody
        waits for it."""
        self._open_writer().submit(do, in_transaction=False)

    def write_now(
        self, do: Callable[Concatenate[sqlite3.Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """`write` that blocks the caller."""
        future = self._open_writer().submit(lambda connection: do(connection, *args, **kwargs))
        try:
            return future.result(timeout=2 * BUSY_SECONDS)
        except TimeoutError as error:
            raise StoreError(
                f"{describe(self.path)}: was not written for {2 * BUSY_SECONDS:.0f} s. "
                "Another program may hold it; close that one and try again."
            ) from error

    async def read(
        self, do: Callable[Concatenate[sqlite3.Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """`do(connection, ...)` on one state of the file: what was written and awaited before."""
        return await self._read("store-reader", lambda connection: do(connection, *args, **kwargs))

    async def search(
        self, do: Callable[Concatenate[sqlite3.Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """`read` where it may take long: other reads don't wait for it."""
        return await self._read("store-search", lambda connection: do(connection, *args, **kwargs))

    async def _read(self, name: str, work: Callable[[sqlite3.Connection], T]) -> T:
        writer = self._open_writer()
        reader = self._readers.get(name)
        if reader is None:
            return await asyncio.wrap_future(writer.submit(work, in_transaction=False))
        future: Future[Any] = reader.submit(work)
        try:
            return await asyncio.wrap_future(future)
        except asyncio.CancelledError:
            reader.abandon(future)
            raise

    def _open_writer(self) -> WriterThread:
        if self._writer is None:
            raise StoreError(f"{describe(self.path)}: is not open. Open the store first.")
        return self._writer

    def _explain(self, error: sqlite3.Error) -> StoreError:
        return explain(error, self.path)

    def _connect_writer(self) -> sqlite3.Connection:
        if sqlite3.sqlite_version_info < OLDEST_SQLITE:
            oldest = ".".join(map(str, OLDEST_SQLITE))
            raise StoreError(
                f"{describe(self.path)}: needs SQLite {oldest}, and this Python has "
                f"{sqlite3.sqlite_version}. Use a newer Python."
            )
        connection: sqlite3.Connection | None = None
        try:
            if self.path is None:
                connection = _connect(":memory:", is_uri=False)
            else:
                make_private(self.path)
                refuse_foreign(self.path, self._migrations[-1].version)
                connection = _connect(uri(self.path, "rw"))
            migrate(connection, self.path, self._migrations)
            if self.path is not None:
                _use_wal(connection, self.path)
                keep_private(self.path)
        except BaseException as error:
            if connection is not None:
                connection.close()
            if isinstance(error, sqlite3.Error):
                raise explain(error, self.path) from error
            raise
        return connection

    def _connect_reader(self, pages: int) -> sqlite3.Connection:
        assert self.path is not None
        connection = _connect(uri(self.path, "ro"))
        connection.execute("PRAGMA query_only = ON")
        connection.execute(f"PRAGMA cache_size = {pages}")
        return connection


def _connect(name: str, *, is_uri: bool = True) -> sqlite3.Connection:
    # Autocommit: transactions are begun and ended by what runs in the threads.
    connection = sqlite3.connect(name, timeout=BUSY_SECONDS, isolation_level=None, uri=is_uri)
    functions.define(connection)
    return connection


def _use_wal(connection: sqlite3.Connection, path: Path) -> None:
    """Readers beside a writer; a commit is on the disk when it returns."""
    until = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            mode = connection.execute("PRAGMA journal_mode = WAL").fetchone()[0]
            break
        except sqlite3.OperationalError as error:
            # SQLite doesn't wait by itself where another process does the same just now.
            if "locked" not in str(error) or time.monotonic() > until:
                raise
            time.sleep(0.02)
    if mode != "wal":
        raise StoreError(
            f"{path}: its file system can't share memory between processes, as network mounts "
            "can't. Choose a folder on a local disk with --data-dir."
        )
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute(f"PRAGMA journal_size_limit = {_WAL_LIMIT}")
