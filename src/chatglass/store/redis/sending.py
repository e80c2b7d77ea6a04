"""Sender: the numbered writes of one writer, each done once by the server, in order."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Any, NamedTuple, TypeVar

from chatglass.store.protocol import StoreError
from chatglass.store.redis.errors import ChangedError, refused
from chatglass.store.redis.link import PREFIX, Command, Link, StaleError

Expand = Callable[[str], Awaitable[list[bytes]]]
"""The steps that recover a session, as it is now."""

RECOVER = b"recover"
"""First argument of a write whose steps are made when it is sent, since they depend on what is
there by then; the last one is the session."""

BATCH, BATCH_BYTES = 64, 4 * 2**20
"""Most writes in one round trip, and about the most bytes."""
_RECENT_SECONDS, _RECENT_BYTES = 10.0, 32 * 2**20
"""Confirmed writes are remembered so long, for a server that comes back without its last second
(`appendfsync everysec`)."""


class Numbered(NamedTuple):
    """A write by its number, with its arguments for the script."""

    number: int
    args: Sequence[bytes]


_W = TypeVar("_W", bound=Numbered)


class Sender:
    """Of one writer: a process, or the spool that one left."""

    def __init__(self, link: Link, writer: str, expand: Expand) -> None:
        self.writer = writer
        self._link = link
        self._expand = expand
        self._seen = 0
        """The last number that the server has seen, as far as is known."""
        self._confirmed = 0
        """The last number that it ever said to have seen."""
        self._recent: deque[tuple[float, Numbered]] = deque()

    async def send(self, writes: Sequence[Numbered]) -> list[StoreError | None]:
        """What became of each, in one round trip where all goes well. Raises AwayError, which leaves
        open which of them were done."""
        errors: list[StoreError | None] = []
        rest = list(writes)
        while rest:
            answers = await self._write([await self._expanded(each) for each in rest])
            for answer in answers:
                if isinstance(answer, StoreError):
                    # The server did not count this one, and so took none of those after it.
                    errors.append(answer)
                    break
                try:
                    errors.append(refused(answer))
                except ChangedError:
                    break
                self._saw(rest[0], errors[-1])
                rest = rest[1:]
            rest = list(writes[len(errors) :])
        return errors

    def send_now(self, writes: Sequence[Numbered]) -> list[StoreError | None]:
        """`send` that blocks; none of them may be a `RECOVER`. Raises AwayError."""
        answers = self._link.write_now(self._commands(writes))
        errors = [each if isinstance(each, StoreError) else refused(each) for each in answers]
        for each, error in zip(writes, errors, strict=True):
            self._saw(each, error)
        return errors

    async def _expanded(self, write: Numbered) -> Numbered:
        if write.args[0] != RECOVER:
            return write
        return Numbered(write.number, await self._expand(write.args[-1].decode()))

    async def _write(self, writes: Sequence[Numbered]) -> list[Any]:
        commands = self._commands(writes)
        try:
            return await self._link.write(commands)
        except StaleError:
            # The server may have closed an idle connection. Numbers keep a write from being doubled.
            return await self._link.write(commands)

    def _commands(self, writes: Sequence[Numbered]) -> list[Command]:
        commands: list[Command] = []
        before = self._seen
        for number, args in writes:
            commands.append((self.writer, number, min(before, number - 1), *args))
            before = number
        return commands

    # -- what the server forgets

    def _saw(self, write: Numbered, error: StoreError | None) -> None:
        self._seen = max(self._seen, write.number)
        self._confirmed = max(self._confirmed, write.number)
        if error is None:
            self._remember(write)

    def _remember(self, write: Numbered) -> None:
        now = time.monotonic()
        self._recent.append((now, write))
        # Summed only after a large one, so that a small one costs nothing.
        size = sum(_size(each) for _, each in self._recent) if _size(write) > 2**16 else 0
        while self._recent and (now - self._recent[0][0] > _RECENT_SECONDS or size > _RECENT_BYTES):
            size -= _size(self._recent.popleft()[1])

    async def catch_up(self) -> None:
        """Learn which writes the server has seen. Raises AwayError."""
        found: bytes | None = await self._link.command("GET", f"{PREFIX}writer:{self.writer}")
        self._seen = int(found or 0)

    async def mend(self) -> int:
        """Send again what the server had confirmed, and forgot when it went down. Returns how many
        writes may be lost: those that are no longer remembered here. Raises AwayError."""
        await self.catch_up()
        if self._seen >= self._confirmed:
            return 0
        forgotten = [each for _, each in self._recent if each.number > self._seen]
        first = forgotten[0].number if forgotten else self._confirmed + 1
        lost = first - self._seen - 1
        for group in groups(forgotten):
            lost += sum(error is not None for error in await self.send(group))
        self._confirmed = self._seen
        return lost


def groups(writes: Sequence[_W]) -> Iterator[list[_W]]:
    """For one round trip each: a `RECOVER` goes alone, since its steps are made before it is sent."""
    group: list[_W] = []
    size = 0
    for each in writes:
        alone = each.args[0] == RECOVER or (group and group[-1].args[0] == RECOVER)
        if group and (alone or len(group) == BATCH or size > BATCH_BYTES):
            yield group
            group, size = [], 0
        group.append(each)
        size += _size(each)
    if group:
        yield group


def _size(write: Numbered) -> int:
    return sum(map(len, write.args))
