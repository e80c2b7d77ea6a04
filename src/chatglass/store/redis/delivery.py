"""Delivery: writes go to the server in order and once each, by way of the spool where it is away.

One task sends what is asked for, several writes in one round trip. When that fails, writes are
tried on the mirror and kept in the spool instead, and another task calls the server until it
answers, sends it the spool, and hands back to the first.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Sequence
from pathlib import Path

from chatglass.store.protocol import StoreError
from chatglass.store.redis.errors import AwayError
from chatglass.store.redis.link import Link
from chatglass.store.redis.mirror import Mirror
from chatglass.store.redis.pending import Write, settle
from chatglass.store.redis.sending import (
    BATCH,
    BATCH_BYTES,
    RECOVER,
    Expand,
    Numbered,
    Sender,
    groups,
)
from chatglass.store.redis.spool import Record, Spool, keep_refused, pack
from chatglass.store.status import StatusTeller
from chatglass.values.clock import now_ms
from chatglass.values.ids import new_id

_log = logging.getLogger(__name__)

_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 5.0
"""Seconds between two calls of a server that is away."""


class Delivery:
    """Between `submit` and the server. Made and used in one event loop."""

    def __init__(
        self, link: Link, folder: Path, mirror: Mirror, expand: Expand, teller: StatusTeller
    ) -> None:
        """`folder` is where spools of this server lie."""
        self._teller = teller
        self._link = link
        self._folder = folder
        self._mirror = mirror
        self._expand = expand
        self._sender = Sender(link, new_id(), expand)
        self._number = 0
        self._queue: deque[Write] = deque()
        self._in_flight: list[Write] = []
        self._wanted = asyncio.Event()
        self._empty = asyncio.Event()
        self._empty.set()
        self._turn = asyncio.Lock()
        """Held while a batch is under way, so that the spool is never left with one on its way to it."""
        self._spool: Spool | None = None
        self._position = 0
        self._sending: asyncio.Task[None] | None = None
        self._returning: asyncio.Task[None] | None = None
        self._suspecting: asyncio.Task[None] | None = None
        self._connected = asyncio.Event()
        self._connected.set()
        self._answers = True
        """Whether the server did when it was last called."""

    # -- life

    async def start(self) -> None:
        """Send what earlier processes left, then take writes. Raises StoreError, AwayError."""
        leftovers = await asyncio.to_thread(lambda: list(Spool.leftovers(self._folder)))
        try:
            while leftovers:
                await self._send_leftover(leftovers[0])
                await asyncio.to_thread(leftovers.pop(0).remove)
        finally:
            for left in leftovers:
                left.close()
        self._sending = asyncio.create_task(self._run(), name="store-delivery")

    async def stop(self) -> None:
        """Bring all that was submitted to the server or into the spool, and end."""
        await self._empty.wait()
        tasks = [self._sending, self._returning, self._suspecting]
        self._sending = self._returning = self._suspecting = None
        for task in tasks:
            if task is not None:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
        if self._spool is not None:
            (self._spool.close if self.is_away else self._spool.remove)()
            self._spool = None

    @property
    def writer(self) -> str:
        return self._sender.writer

    @property
    def is_away(self) -> bool:
        return not self._connected.is_set()

    async def wait_connected(self, seconds: float) -> bool:
        """Whether the server has got everything by then; at once where it does not answer."""
        if not self._answers:
            return not self.is_away
        try:
            async with asyncio.timeout(seconds):
                await self._connected.wait()
        except TimeoutError:
            return False
        return True

    def away_error(self) -> StoreError:
        return StoreError(
            f"{self._link.address.shown} is away ({self._teller.status.cause}), and what was asked for is not "
            "among the sessions open here. Those go on, and are sent when it is back."
        )

    # -- taking writes

    def submit(self, write: Write) -> asyncio.Future[None]:
        """Done when the server, or else the disk of this machine, has it."""
        self._number += 1
        write.number = self._number
        self._queue.append(write)
        self._empty.clear()
        self._wanted.set()
        return write.done

    def submit_now(self, write: Write) -> None:
        """The same for the exit: returns when it and all before it is kept. Raises StoreError."""
        self._number += 1
        write.number = self._number
        waiting = [*self._in_flight, *self._queue, write]
        errors = self._sent_now(waiting)
        if errors is None:
            packed = [pack(each.number, each.args) for each in waiting]
            self._open_spool().append(packed)
            self._teller.say(waiting=self._teller.status.waiting + len(waiting))
            errors = [None] * len(waiting)
        # Those in flight are answered by the task that sent them.
        for each, error in zip(waiting, errors, strict=True):
            if each in self._queue:
                settle(each, error)
        self._queue.clear()
        if not self._in_flight:
            self._empty.set()
        if (error := errors[-1]) is not None:
            raise error

    def _sent_now(self, writes: Sequence[Write]) -> list[StoreError | None] | None:
        """What became of each; None where the server did not take them at once."""
        if self.is_away or any(each.args[0] == RECOVER for each in writes):
            return None
        try:
            return self._sender.send_now([each.numbered for each in writes])
        except AwayError as error:
            self._leave(str(error))
            return None

    # -- sending

    async def _run(self) -> None:
        while True:
            await self._wanted.wait()
            async with self._turn:
                batch = self._in_flight = self._take()
                if not batch:
                    self._wanted.clear()
                    self._empty.set()
                    continue
                try:
                    await (self._keep(batch) if self.is_away else self._deliver(batch))
                except BaseException as error:
                    # Whatever it is: who awaits one of these writes would wait for ever.
                    for each in batch:
                        settle(each, StoreError(f"The write was broken off ({error!r})."))
                    if not isinstance(error, Exception):
                        raise
                    _log.exception("writes to %s were broken off", self._link.address.shown)
                finally:
                    self._in_flight = []

    def _take(self) -> list[Write]:
        """The next writes for one round trip; one that is made when it is sent goes alone."""
        batch: list[Write] = []
        size = 0
        while self._queue and len(batch) < BATCH and size < BATCH_BYTES:
            if self._queue[0].args[0] == RECOVER:
                return batch or [self._queue.popleft()]
            batch.append(self._queue.popleft())
            size += sum(map(len, batch[-1].args))
        return batch

    async def _deliver(self, batch: list[Write]) -> None:
        for each in batch:
            each.sent = True
        try:
            errors = await self._sender.send([each.numbered for each in batch])
        except AwayError as error:
            self._leave(str(error))
            await self._keep(batch)
            return
        follows = [
            asyncio.ensure_future(self._mirror.followed(each.session_id, each.number, each.follow))
            for each, error in zip(batch, errors, strict=True)
            if error is None
        ]
        for each, error in zip(batch, errors, strict=True):
            settle(each, error)
        await asyncio.gather(*follows)

    # -- keeping

    def _leave(self, cause: str) -> None:
        """The server is away."""
        if self._connected.is_set():
            self._connected.clear()
            self._answers = False
            self._teller.say(state="spooling", since=now_ms(), cause=cause)
        if self._returning is None or self._returning.done():
            self._returning = asyncio.create_task(self._come_back(), name="store-return")

    async def _keep(self, batch: list[Write]) -> None:
        """Put the writes that fit into the spool."""
        kept: list[Write] = []
        for each in batch:
            if await self._fits(each):
                kept.append(each)
        if not kept:
            return
        packed = [pack(each.number, each.args) for each in kept]
        try:
            spool = self._spool or await asyncio.to_thread(self._open_spool)
            await asyncio.to_thread(spool.append, packed)
        except StoreError as error:
            for each in kept:
                if each.session_id is not None:
                    await self._mirror.forget(each.session_id)
                settle(each, error)
            return
        self._teller.say(waiting=self._teller.status.waiting + len(kept))
        for each in kept:
            settle(each, None)

    async def _fits(self, write: Write) -> bool:
        await self._mirror.learned(write.session_id)
        known = self._mirror.knows(write.session_id) or write.creates
        if not known:
            if write.sent:
                # It may have been done; sent again it is done once, or refused and kept apart.
                return True
            settle(write, self.away_error())
            return False
        try:
            await self._mirror.tried(write.session_id, write.follow, creates=write.creates)
        except StoreError as error:
            # What belongs to no session may be one's that is not known here.
            unknown = write.session_id is None and not write.sent
            settle(write, self.away_error() if unknown else error)
            return False
        return True

    def _open_spool(self) -> Spool:
        if self._spool is None:
            self._spool = Spool.make(self._folder, self.writer, self._link.address.shown)
            self._position = self._spool.start
        return self._spool

    # -- coming back

    def suspect(self) -> None:
        """A read got no answer: find out whether the server is away."""
        if self.is_away or (self._suspecting is not None and not self._suspecting.done()):
            return
        self._suspecting = asyncio.create_task(self._check(), name="store-check")

    async def _check(self) -> None:
        async with self._turn:
            try:
                await self._link.ping()
            except AwayError as error:
                self._leave(str(error))

    async def _come_back(self) -> None:
        pause = _FIRST_PAUSE
        while True:
            try:
                await self._link.ping()
                self._answers = True
                if lost := await self._sender.mend():
                    self._teller.say(lost=self._teller.status.lost + lost)
                await self._send_spool()
                return
            except AwayError as error:
                self._answers = False
                self._teller.say(cause=str(error))
            except StoreError as error:
                # The spool can't be read or cut; it stays, and with it the order of all writes.
                self._teller.say(cause=str(error))
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)

    async def _send_spool(self) -> None:
        while True:
            if self._spool is not None and await self._send_some(self._spool):
                continue
            async with self._turn:
                if self._spool is not None:
                    if await self._send_some(self._spool):
                        continue
                    await asyncio.to_thread(self._spool.clear)
                    self._position = self._spool.start
                self._connected.set()
                self._teller.say(state="connected", waiting=0, since=None, cause="")
                return

    async def _send_some(self, spool: Spool) -> bool:
        """Whether there was something to send."""
        records = await asyncio.to_thread(spool.records, self._position, most_bytes=BATCH_BYTES)
        if not records:
            return False
        await self._send_records(self._sender, records)
        self._position = records[-1].end
        self._teller.say(waiting=max(0, self._teller.status.waiting - len(records)))
        return True

    async def _send_records(self, sender: Sender, records: Sequence[Record]) -> None:
        for group in groups([Numbered(record.number, record.args) for record in records]):
            for write, error in zip(group, await sender.send(group), strict=True):
                if error is not None:
                    await self._put_aside(write, error)

    async def _put_aside(self, write: Numbered, error: StoreError) -> None:
        """What was confirmed to the user and does not fit (any more) is kept for a person to see."""
        packed = pack(write.number, write.args)
        path = await asyncio.to_thread(keep_refused, self._folder, packed, str(error))
        self._teller.say(refused=self._teller.status.refused + 1, refused_file=str(path))

    async def _send_leftover(self, left: Spool) -> None:
        """What a process that is gone had not sent. Raises AwayError, StoreError."""
        sender = Sender(self._link, left.writer, self._expand)
        await sender.catch_up()
        at = left.start
        while records := await asyncio.to_thread(left.records, at, most_bytes=BATCH_BYTES):
            await self._send_records(sender, records)
            at = records[-1].end
