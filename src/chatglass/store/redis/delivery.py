"""Delivery: writes go to the server in order and once each, by way of the spool where it is away.

One task sends what is asked for, several writes in one round trip. When that fails, writes are
tried on the mirror and kept in the spool instead, and another task calls the server until it
answers, sends it the spool, and hands back to the first.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from chatglass.store.protocol import StoreError
from chatglass.store.redis import spool as spools
from chatglass.store.redis.errors import AwayError, ChangedError, refused
from chatglass.store.redis.link import PREFIX, Command, Link
from chatglass.store.redis.mirror import Follow, Mirror
from chatglass.store.redis.spool import Spool
from chatglass.store.status import StoreStatus
from chatglass.values.clock import now_ms
from chatglass.values.ids import new_id

_log = logging.getLogger(__name__)

Expand = Callable[[str], Awaitable[list[bytes]]]
"""The steps that recover a session, as it is now."""

Numbered = tuple[int, Sequence[bytes]]
"""The number and the arguments of a write."""

RECOVER = b"recover"
"""A write whose steps are made when it is sent, since they depend on what is there."""

_BATCH, _BATCH_BYTES = 64, 4 * 2**20
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 5.0
_RECENT_SECONDS, _RECENT_BYTES = 10.0, 32 * 2**20
"""Confirmed writes are remembered so long, for a server that comes back without its last second
(`appendfsync everysec`)."""


@dataclass(slots=True, eq=False)
class Write:
    """One write of the store: steps for the script, and the same for the mirror."""

    args: list[bytes]
    session_id: str | None
    follow: Follow
    creates: bool = False
    number: int = 0
    sent: bool = False
    done: asyncio.Future[None] = field(default_factory=lambda: _future())

    @property
    def size(self) -> int:
        return sum(map(len, self.args))


class Delivery:
    """Between `submit` and the server. Made and used in one event loop."""

    def __init__(self, link: Link, folder: Path, mirror: Mirror, expand: Expand) -> None:
        """`folder` is where spools of this server lie."""
        self._link = link
        self._folder = folder
        self._mirror = mirror
        self._expand = expand
        self.writer = new_id()
        self._number = 0
        self._seen = 0
        """The last number that the server has seen."""
        self._queue: deque[Write] = deque()
        self._in_flight: list[Write] = []
        self._recent: deque[tuple[float, int, list[bytes], int]] = deque()
        self._wanted = asyncio.Event()
        self._empty = asyncio.Event()
        self._empty.set()
        self._turn = asyncio.Lock()
        """Held while a batch is under way, so that the spool is never left with one on its way to it."""
        self._spool: Spool | None = None
        self._position = 0
        self._sender: asyncio.Task[None] | None = None
        self._returning: asyncio.Task[None] | None = None
        self._suspecting: asyncio.Task[None] | None = None
        self._connected = asyncio.Event()
        self._connected.set()
        self._answers = True
        """Whether the server did when it was last called."""
        self._observers: list[Callable[[StoreStatus], None]] = []
        self.status = StoreStatus()

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
        self._sender = asyncio.create_task(self._run(), name="store-delivery")

    async def stop(self) -> None:
        """Bring all that was submitted to the server or into the spool, and end."""
        await self._empty.wait()
        tasks = [self._sender, self._returning, self._suspecting]
        self._sender = self._returning = self._suspecting = None
        for task in tasks:
            if task is not None:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
        if self._spool is not None:
            (self._spool.close if self.is_away else self._spool.remove)()
            self._spool = None

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
            f"{self._link.address.shown} is away ({self.status.cause}), and what was asked for is not "
            "among the sessions open here. Those go on, and are sent when it is back."
        )

    # -- status

    def observe(self, changed: Callable[[StoreStatus], None]) -> Callable[[], None]:
        self._observers.append(changed)

        def end() -> None:
            if changed in self._observers:
                self._observers.remove(changed)

        return end

    def say(self, **changes: Any) -> None:
        """Change the status, and tell it."""
        status = replace(self.status, **changes)
        if status != self.status:
            self.status = status
            for changed in tuple(self._observers):
                changed(status)

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
            packed = [spools.pack(each.number, each.args) for each in waiting]
            self._open_spool().append(packed)
            self.say(waiting=self.status.waiting + len(waiting))
            errors = [None] * len(waiting)
        else:
            self._seen = max(self._seen, write.number)
        # Those in flight are answered by the task that sent them.
        for each, error in zip(waiting, errors, strict=True):
            if each in self._queue:
                _settle(each, error)
        self._queue.clear()
        if not self._in_flight:
            self._empty.set()
        if (error := errors[-1]) is not None:
            raise error

    def _sent_now(self, writes: Sequence[Write]) -> list[StoreError | None] | None:
        """What became of each; None where the server did not take them at once."""
        if self.is_away or any(each.args[0] == RECOVER for each in writes):
            return None
        commands = self._commands([(each.number, each.args) for each in writes])
        try:
            return [_error(answer) for answer in self._link.write_now(commands)]
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
                        _settle(each, StoreError(f"The write was broken off ({error!r})."))
                    if not isinstance(error, Exception):
                        raise
                    _log.exception("writes to %s were broken off", self._link.address.shown)
                finally:
                    self._in_flight = []

    def _take(self) -> list[Write]:
        """The next writes for one round trip; one that is made when it is sent goes alone."""
        batch: list[Write] = []
        size = 0
        while self._queue and len(batch) < _BATCH and size < _BATCH_BYTES:
            if self._queue[0].args[0] == RECOVER:
                return batch or [self._queue.popleft()]
            batch.append(self._queue.popleft())
            size += batch[-1].size
        return batch

    async def _deliver(self, batch: list[Write]) -> None:
        for each in batch:
            each.sent = True
        try:
            errors = await self._send([(each.number, each.args) for each in batch])
        except AwayError as error:
            self._leave(str(error))
            await self._keep(batch)
            return
        now = time.monotonic()
        for each, error in zip(batch, errors, strict=True):
            if error is None:
                self._remember(now, each)
        follows = [
            asyncio.ensure_future(self._mirror.followed(each.session_id, each.number, each.follow))
            for each, error in zip(batch, errors, strict=True)
            if error is None
        ]
        for each, error in zip(batch, errors, strict=True):
            _settle(each, error)
        await asyncio.gather(*follows)

    async def _send(self, writes: Sequence[Numbered]) -> list[StoreError | None]:
        """What became of each. Raises AwayError."""
        errors: list[StoreError | None] = []
        rest = list(writes)
        while rest:
            answers = await self._write(
                [(number, await self._expanded(args)) for number, args in rest]
            )
            for answer in answers:
                if isinstance(answer, StoreError):
                    # The server did not count this one, and so took none of those after it.
                    errors.append(answer)
                    break
                try:
                    errors.append(refused(answer))
                except ChangedError:
                    break
                self._seen = max(self._seen, writes[len(errors) - 1][0])
            rest = list(writes[len(errors) :])
        return errors

    async def _expanded(self, args: Sequence[bytes]) -> Sequence[bytes]:
        return await self._expand(args[2].decode()) if args[0] == RECOVER else args

    async def _write(self, writes: Sequence[Numbered]) -> list[Any]:
        commands = self._commands(writes)
        try:
            return await self._link.write(commands)
        except AwayError:
            # The server may have closed an idle connection. Numbers keep a write from being doubled.
            return await self._link.write(commands)

    def _commands(self, writes: Sequence[Numbered]) -> list[Command]:
        commands: list[Command] = []
        before = self._seen
        for number, args in writes:
            commands.append((self.writer, number, min(before, number - 1), *args))
            before = number
        return commands

    def _remember(self, now: float, write: Write) -> None:
        if write.args[0] == RECOVER:
            return
        self._recent.append((now, write.number, write.args, write.size))
        size = sum(each[3] for each in self._recent) if write.size > 2**16 else 0
        while self._recent and (now - self._recent[0][0] > _RECENT_SECONDS or size > _RECENT_BYTES):
            size -= self._recent.popleft()[3]

    # -- keeping

    def _leave(self, cause: str) -> None:
        """The server is away."""
        if self._connected.is_set():
            self._connected.clear()
            self._answers = False
            self.say(state="spooling", since=now_ms(), cause=cause)
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
        packed = [spools.pack(each.number, each.args) for each in kept]
        try:
            spool = self._spool or await asyncio.to_thread(self._open_spool)
            await asyncio.to_thread(spool.append, packed)
        except StoreError as error:
            for each in kept:
                if each.session_id is not None:
                    await self._mirror.forget(each.session_id)
                _settle(each, error)
            return
        self.say(waiting=self.status.waiting + len(kept))
        for each in kept:
            _settle(each, None)

    async def _fits(self, write: Write) -> bool:
        known = self._mirror.knows(write.session_id) or write.creates
        if not known:
            if write.sent:
                # It may have been done; sent again it is done once, or refused and kept apart.
                return True
            _settle(write, self.away_error())
            return False
        try:
            await self._mirror.tried(write.session_id, write.follow, creates=write.creates)
        except StoreError as error:
            # What belongs to no session may be one's that is not known here.
            unknown = write.session_id is None and not write.sent
            _settle(write, self.away_error() if unknown else error)
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
                await self._mend()
                await self._send_spool()
                return
            except AwayError as error:
                self._answers = False
                self.say(cause=str(error))
            except StoreError as error:
                # The spool can't be read or cut; it stays, and with it the order of all writes.
                self.say(cause=str(error))
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)

    async def _mend(self) -> None:
        """Send again what the server had confirmed, and forgot when it went down."""
        seen = int(await self._link.command("GET", f"{PREFIX}writer:{self.writer}") or 0)
        if seen >= self._seen:
            return
        forgotten = [(number, args) for _, number, args, _ in self._recent if number > seen]
        lost = self._seen - seen - len(forgotten)
        self._seen = seen
        for at in range(0, len(forgotten), _BATCH):
            errors = await self._send(forgotten[at : at + _BATCH])
            lost += sum(error is not None for error in errors)
        if lost > 0:
            self.say(lost=self.status.lost + lost)

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
                self.say(state="connected", waiting=0, since=None, cause="")
                return

    async def _send_some(self, spool: Spool) -> bool:
        """Whether there was something to send."""
        records = await asyncio.to_thread(spool.records, self._position, most_bytes=_BATCH_BYTES)
        if not records:
            return False
        await self._send_records(records)
        self._position = records[-1].end
        self.say(waiting=max(0, self.status.waiting - len(records)))
        return True

    async def _send_records(self, records: Sequence[spools.Record]) -> None:
        batch: list[spools.Record] = []
        for record in records:
            alone = record.args[0] == RECOVER
            if batch and (alone or len(batch) == _BATCH or batch[-1].args[0] == RECOVER):
                await self._send_batch(batch)
                batch = []
            batch.append(record)
        if batch:
            await self._send_batch(batch)

    async def _send_batch(self, batch: Sequence[spools.Record]) -> None:
        errors = await self._send([(record.number, record.args) for record in batch])
        for record, error in zip(batch, errors, strict=True):
            if error is not None:
                packed = spools.pack(record.number, record.args)
                path = await asyncio.to_thread(
                    spools.keep_refused, self._folder, packed, str(error)
                )
                self.say(refused=self.status.refused + 1, refused_file=str(path))

    async def _send_leftover(self, left: Spool) -> None:
        """What a process that is gone had not sent. Raises AwayError, StoreError."""
        ours, seen = self.writer, self._seen
        try:
            self.writer = left.writer
            self._seen = int(await self._link.command("GET", f"{PREFIX}writer:{left.writer}") or 0)
            at = left.start
            while records := await asyncio.to_thread(left.records, at, most_bytes=_BATCH_BYTES):
                await self._send_records(records)
                at = records[-1].end
        finally:
            self.writer, self._seen = ours, seen


def _error(answer: Any) -> StoreError | None:
    """What an answer of the writing script means. Raises AwayError."""
    return answer if isinstance(answer, StoreError) else refused(answer)


def _future() -> asyncio.Future[None]:
    future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    # Its error is looked at, also where whoever awaited it was cancelled.
    future.add_done_callback(lambda done: done.cancelled() or done.exception())
    return future


def _settle(write: Write, error: StoreError | None) -> None:
    if write.done.done():
        return
    if error is None:
        write.done.set_result(None)
    else:
        write.done.set_exception(error)
