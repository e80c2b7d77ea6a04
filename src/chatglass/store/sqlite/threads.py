"""The threads that own SQLite connections, so that the event loop never waits for a disk.

One writer does all writes in the order they were asked for, several that wait in one commit.
Readers have connections of their own: a slow read never delays a write.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from typing import Any

from chatglass.store.protocol import StoreError

Connect = Callable[[], sqlite3.Connection]
Explain = Callable[[sqlite3.Error], StoreError]
Work = Callable[[sqlite3.Connection], Any]

_GROUP = 64
"""Most writes in one commit, so that none waits for an endless one."""


@dataclass(slots=True, eq=False)
class _Job:
    work: Work
    in_transaction: bool = True
    future: Future[Any] = field(default_factory=Future[Any])


class _GroupLostError(Exception):
    """SQLite rolled back a whole transaction, not just the statement that failed."""


class WriterThread:
    """Owns the one connection that writes. `submit` returns a future that is done once the write
    is committed."""

    def __init__(self, connect: Connect, explain: Explain) -> None:
        """`connect` is called in the thread and may raise StoreError."""
        self._connect = connect
        self._explain = explain
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        # A daemon: an app that ends without close() doesn't hang, and a commit is never torn.
        self._thread = threading.Thread(target=self._run, name="store-writer", daemon=True)
        self._opened: Future[None] = Future()

    def start(self) -> Future[None]:
        """Done when the connection is open; holds its error otherwise."""
        self._opened.set_running_or_notify_cancel()
        self._thread.start()
        return self._opened

    def submit(self, work: Work, *, in_transaction: bool = True) -> Future[Any]:
        """Run `work` in the thread, after all before it.

        It must leave alone everything but the database, since it is run again where SQLite
        threw away the transaction that it shared with others.
        """
        job = _Job(work, in_transaction)
        # Running from the start: whoever stops awaiting it doesn't keep it from being done.
        job.future.set_running_or_notify_cancel()
        self._jobs.put(job)
        return job.future

    def stop(self) -> None:
        """Do all that was submitted, then close the connection."""
        self._jobs.put(None)
        self._thread.join()

    def _run(self) -> None:
        try:
            connection = self._connect()
        except BaseException as error:  # noqa: BLE001 - whoever awaits the opening gets it, whatever it is
            self._opened.set_exception(error)
            return
        self._opened.set_result(None)
        going = True
        while going:
            group, going = self._next_group()
            self._do(connection, group)
        connection.close()

    def _next_group(self) -> tuple[list[_Job], bool]:
        group: list[_Job] = []
        job = self._jobs.get()
        while job is not None:
            group.append(job)
            if len(group) == _GROUP:
                return group, True
            try:
                job = self._jobs.get_nowait()
            except Empty:
                return group, True
        return group, False

    def _do(self, connection: sqlite3.Connection, group: list[_Job]) -> None:
        """Do `group` in order, neighbours that write in one transaction."""
        writes: list[_Job] = []
        for job in group:
            if job.in_transaction:
                writes.append(job)
                continue
            self._commit(connection, writes)
            writes = []
            self._settle(job, lambda job=job: job.work(connection))
        self._commit(connection, writes)

    def _commit(self, connection: sqlite3.Connection, writes: list[_Job]) -> None:
        if len(writes) > 1:
            try:
                results = self._together(connection, writes)
            except _GroupLostError:
                # Each for itself: a full disk may still have room for the small ones.
                pass
            else:
                for job, (value, error) in zip(writes, results, strict=True):
                    if error is None:
                        job.future.set_result(value)
                    else:
                        job.future.set_exception(error)
                return
        for job in writes:
            self._settle(job, lambda job=job: _transaction(connection, job.work))

    def _together(
        self, connection: sqlite3.Connection, writes: list[_Job]
    ) -> list[tuple[Any, BaseException | None]]:
        """The results or errors of all, committed. _GroupLostError: nothing was."""
        results: list[tuple[Any, BaseException | None]] = []
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.Error as error:
            # Another process has it. Trying each alone would wait as long again for each.
            return [(None, self._translate(error)) for _ in writes]
        try:
            for job in writes:
                results.append(self._savepoint(connection, job.work))
            connection.execute("COMMIT")
        except sqlite3.Error as error:
            _roll_back(connection)
            raise _GroupLostError from error
        return results

    def _savepoint(
        self, connection: sqlite3.Connection, work: Work
    ) -> tuple[Any, BaseException | None]:
        connection.execute("SAVEPOINT one")
        try:
            value = work(connection)
        except BaseException as error:  # noqa: BLE001 - goes to whoever awaits this write; the others go on
            # Fails where SQLite has rolled back everything: then the group is lost.
            connection.execute("ROLLBACK TO one")
            connection.execute("RELEASE one")
            return None, self._translate(error)
        connection.execute("RELEASE one")
        return value, None

    def _settle(self, job: _Job, do: Callable[[], Any]) -> None:
        try:
            value = do()
        except BaseException as error:  # noqa: BLE001 - goes to whoever awaits it, or they would wait for ever
            job.future.set_exception(self._translate(error))
        else:
            job.future.set_result(value)

    def _translate(self, error: BaseException) -> BaseException:
        if not isinstance(error, sqlite3.Error):
            return error
        told = self._explain(error)
        told.__cause__ = error
        return told


def _transaction(connection: sqlite3.Connection, work: Work) -> Any:
    connection.execute("BEGIN IMMEDIATE")
    try:
        value = work(connection)
        connection.execute("COMMIT")
    except BaseException:
        _roll_back(connection)
        raise
    return value


def _roll_back(connection: sqlite3.Connection) -> None:
    # Some errors (a full disk, for one) have rolled back already.
    if connection.in_transaction:
        connection.execute("ROLLBACK")


class ReaderThread:
    """Owns a connection that only reads. A read that nobody awaits any more is broken off."""

    def __init__(self, name: str, connect: Connect, explain: Explain) -> None:
        self._connect = connect
        self._explain = explain
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._guard = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._current: Future[Any] | None = None

    def submit(self, work: Work) -> Future[Any]:
        """Run `work` in one read transaction. The thread starts with the first."""
        job = _Job(work)
        self._jobs.put(job)
        if self._thread.ident is None:
            self._thread.start()
        return job.future

    def abandon(self, future: Future[Any]) -> None:
        """Nobody waits for `future` any more."""
        with self._guard:
            if self._current is future and self._connection is not None:
                self._connection.interrupt()

    def stop(self) -> None:
        if self._thread.ident is not None:
            self._jobs.put(None)
            self._thread.join()

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            if not job.future.set_running_or_notify_cancel():
                continue
            with self._guard:
                self._current = job.future
            try:
                value = self._read(job.work)
            except sqlite3.Error as error:
                told = self._explain(error)
                told.__cause__ = error
                self._end()
                job.future.set_exception(told)
            except BaseException as error:  # noqa: BLE001 - goes to whoever awaits it, or they would wait for ever
                self._end()
                job.future.set_exception(error)
            else:
                self._end()
                job.future.set_result(value)
        if self._connection is not None:
            self._connection.close()

    def _read(self, work: Work) -> Any:
        if self._connection is None:
            self._connection = self._connect()
        self._connection.execute("BEGIN")
        try:
            return work(self._connection)
        finally:
            _roll_back(self._connection)

    def _end(self) -> None:
        with self._guard:
            self._current = None
