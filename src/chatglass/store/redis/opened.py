"""Opened: a Redis store while it is open: its link, its delivery, its mirror and its leases."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from chatglass.store.protocol import StoreError
from chatglass.store.records import Holder
from chatglass.store.redis import reading, server, steps
from chatglass.store.redis.address import Address
from chatglass.store.redis.delivery import Delivery
from chatglass.store.redis.errors import AwayError
from chatglass.store.redis.leases import Leases
from chatglass.store.redis.link import Link
from chatglass.store.redis.mirror import Follow, Mirror
from chatglass.store.redis.pending import Write
from chatglass.store.redis.sending import RECOVER
from chatglass.store.redis.steps import OPEN_CALLS, Steps
from chatglass.store.sqlite import SqliteStore
from chatglass.store.status import StatusTeller

_T = TypeVar("_T")

_SOON = 2.0
"""How long a read waits for a server that is back and is getting what was spooled."""
_SMALL = 500
"""Messages of a session that is mirrored before `claim` returns; a longer one is meanwhile."""


class Opened:
    """One server, from `open` to `close`."""

    def __init__(self, address: Address, folder: Path, lease: float, teller: StatusTeller) -> None:
        """Raises StoreError where the client is not installed or the URL can't be."""
        self._link = Link(address)
        self._mirror = Mirror()
        self._teller = teller
        self._delivery = Delivery(self._link, folder, self._mirror, self._recovery, teller)
        self.leases = Leases(self._link, lease=lease, lost=self._lost, away=self._delivery.suspect)
        self._opening = asyncio.Lock()
        self._learning: set[asyncio.Task[None]] = set()
        self.is_open = False

    @property
    def token(self) -> str:
        """Of this process as a holder."""
        return self.leases.token

    @property
    def writer(self) -> str:
        return self._delivery.writer

    async def open(self) -> None:
        """Raises StoreError."""
        async with self._opening:
            if self.is_open:
                return
            try:
                await server.check(self._link)
                await self._mirror.open()
                await self._delivery.start()
            except (AwayError, StoreError) as error:
                await self._mirror.close()
                await self._link.close()
                if isinstance(error, StoreError):
                    raise
                raise StoreError(
                    f"{self._link.address.shown} can't be used: {error}. Start it or correct "
                    "store.url in the settings, or keep nothing with --no-save."
                ) from error
            self._teller.say(state="connected", waiting=0, since=None, cause="")
            self.is_open = True

    async def close(self) -> None:
        async with self._opening:
            if not self.is_open:
                return
            self.is_open = False
            await self._delivery.stop()
            for task in self._learning:
                task.cancel()
            await asyncio.gather(*self._learning, return_exceptions=True)
            await self.leases.close()
            await self._mirror.close()
            await self._link.close()

    # -- writing

    async def write(
        self, session_id: str | None, what: Steps, follow: Follow, *, creates: bool = False
    ) -> None:
        """Returns when the server, or else the disk of this machine, has it. Raises StoreError."""
        write = Write(steps.arguments(what), session_id, follow, creates)
        # Shielded: once called, it is done, whoever stops awaiting it.
        await asyncio.shield(self._delivery.submit(write))

    def set_draft_now(self, session_id: str, draft: str) -> None:
        """A write that blocks."""
        what = steps.arguments(steps.change(session_id, draft=draft))
        self._delivery.submit_now(Write(what, session_id, lambda m: m.set_draft(session_id, draft)))
        self._mirror.set_draft_now(session_id, draft)

    async def recover(self, session_id: str) -> None:
        try:
            await self.leases.bury(session_id)
        except AwayError:
            self._delivery.suspect()
        write = Write(
            [RECOVER, b"1", session_id.encode()], session_id, lambda m: m.recover(session_id)
        )
        await asyncio.shield(self._delivery.submit(write))

    async def _recovery(self, session_id: str) -> list[bytes]:
        """The steps that settle what is open in the session now."""
        try:
            messages, requests, calls = await reading.open_rows(self._link, session_id)
        except StoreError:
            # Gone: then the script says so.
            messages, requests, calls = [], [], []
        return steps.arguments(
            steps.recover(
                session_id,
                self.token,
                [replace(row, status="interrupted") for row in messages],
                [replace(row, status="interrupted") for row in requests if row.status == "running"],
                [
                    # One that ran may have taken effect; one that did not run never will.
                    replace(row, state="unknown" if row.state == "running" else "cancelled")
                    for row in calls
                    if row.state in OPEN_CALLS
                ],
            )
        )

    # -- reading

    async def ask(self, read: Callable[[Link], Awaitable[_T]]) -> _T:
        """What only the server knows. Raises StoreError."""
        if self._delivery.is_away and not await self._delivery.wait_connected(_SOON):
            raise self._delivery.away_error()
        try:
            return await read(self._link)
        except AwayError as error:
            self._delivery.suspect()
            raise StoreError(
                f"{self._link.address.shown} did not answer ({error}). Try again when it is back."
            ) from error

    async def read(
        self,
        session_id: str | None,
        read: Callable[[Link], Awaitable[_T]],
        known: Callable[[SqliteStore], Awaitable[_T]],
    ) -> _T:
        """From the server, or where it is away from what this process knows. Raises StoreError."""
        if not self._delivery.is_away:
            try:
                return await read(self._link)
            except AwayError:
                self._delivery.suspect()
        try:
            return await self._mirror.answer(session_id, known)
        except LookupError:
            return await self.ask(read)

    # -- who runs a session

    async def claim(self, session_id: str) -> Holder | None:
        """Raises StoreError."""
        try:
            if self._delivery.is_away:
                raise AwayError(self._teller.status.cause)
            other = await self.leases.claim(session_id)
        except AwayError:
            self._delivery.suspect()
            if not self._mirror.knows(session_id):
                return await self.ask(lambda _: self.leases.claim(session_id))
            # Made while the server is away, or ours before: nobody else can know of it now.
            self.leases.keep(session_id)
            return None
        if other is None:
            await self._learn(session_id)
        return other

    async def release(self, session_id: str) -> None:
        try:
            await self.leases.release(session_id)
        except AwayError:
            self._delivery.suspect()
        if not self._delivery.is_away:
            await self._mirror.forget(session_id)

    async def bury(self, session_id: str) -> None:
        """End the claim of a dead process of this machine, if the server answers."""
        try:
            await self.leases.bury(session_id)
        except AwayError:
            self._delivery.suspect()

    def _lost(self, session_id: str) -> None:
        taken = (*self._teller.status.taken_over, session_id)
        self._teller.say(taken_over=tuple(dict.fromkeys(taken)))

    async def _learn(self, session_id: str) -> None:
        """Mirror a session that this process runs from now on."""
        if self._mirror.knows(session_id):
            return
        self._mirror.begin(session_id)
        task = asyncio.create_task(self._mirrored(session_id), name="store-mirror")
        self._learning.add(task)
        task.add_done_callback(self._learning.discard)
        count = await self.ask(lambda link: reading.session(link, session_id))
        if count.messages <= _SMALL:
            await asyncio.shield(task)

    async def _mirrored(self, session_id: str) -> None:
        try:
            whole, number = await reading.whole(
                self._link, session_id, self.writer, with_results=False
            )
        except (AwayError, StoreError):
            self._mirror.end(session_id)
            return
        await self._mirror.learn(whole, number)
        if session_id not in self.leases.held:
            await self._mirror.forget(session_id)
