"""What belongs to a living process, as leases on the server: who runs a session, and what is set
aside for its next request. Both are renewed while the process lives.

Whether a process of another machine lives can't be asked, so its leases end when they were not renewed
for a while. A dead process of this machine loses them at once.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import socket
from collections.abc import Callable
from typing import Any

from chatglass.store import holders
from chatglass.store.protocol import StoreError
from chatglass.store.records import Holder
from chatglass.store.redis.errors import AwayError, refused
from chatglass.store.redis.link import PREFIX, Link
from chatglass.values.clock import now_ms

_log = logging.getLogger(__name__)

LEASE_SECONDS = 30.0


class Leases:
    """Those of one store."""

    def __init__(
        self, link: Link, *, lease: float, lost: Callable[[str], None], away: Callable[[], None]
    ) -> None:
        """`lost` is told of a session that another process has claimed, `away` that the server did
        not answer."""
        self._link = link
        self._lease = lease
        self._lost = lost
        self._away = away
        self._renewing: asyncio.Task[None] | None = None
        self.held: set[str] = set()
        """Sessions that this process runs."""
        self._reserved: set[str] = set()
        ours = holders.this_process(now_ms())
        self._host = socket.gethostname()
        self._place = f"{self._host} {ours.boot} {_pid_namespace()}"
        self.token = f"{self._place} {ours.pid} {ours.started}"

    async def claim(self, session_id: str) -> Holder | None:
        """None: it is ours. Raises SessionGone, AwayError."""
        await self.bury(session_id)
        other = await self._ask("claim", session_id, self._ours(), self._milliseconds)
        if other is None:
            self.keep(session_id)
        return other

    def keep(self, session_id: str) -> None:
        """Renew the claim of it from now on."""
        self.held.add(session_id)
        self._begin()

    def _begin(self) -> None:
        if self._renewing is None:
            self._renewing = asyncio.create_task(self._renew(), name="store-leases")

    async def release(self, session_id: str) -> None:
        """Raises AwayError; the claim then ends by itself."""
        self.held.discard(session_id)
        await self._ask("release", session_id, self.token)

    async def close(self) -> None:
        """Release all, where the server answers."""
        if self._renewing is not None:
            self._renewing.cancel()
            await asyncio.gather(self._renewing, return_exceptions=True)
            self._renewing = None
        for session_id in sorted(self.held):
            try:
                await self.release(session_id)
            except AwayError:
                return
        for session_id in sorted(self._reserved):
            try:
                await self._ask("end", session_id, self.token)
            except AwayError:
                return

    async def bury(self, session_id: str) -> None:
        """End the claim of a process of this machine that no longer lives. Raises AwayError."""
        await self._bury("holder", "bury", session_id)

    async def _bury(self, kind: str, what: str, session_id: str) -> None:
        text: bytes | None = await self._link.command("GET", f"{PREFIX}{kind}:{session_id}")
        if text is None:
            return
        given: dict[str, Any] = json.loads(text)
        if given["place"] == self._place and not holders.is_alive(self._holder(given)):
            await self._ask(what, session_id, given["token"])

    async def reserve(self, session_id: str, *args: str | int) -> list[bytes]:
        """The script's answer to `reserve`. Raises AwayError."""
        for other in await self._link.command("SMEMBERS", f"{PREFIX}reserving"):
            await self._bury("reserved", "end", other.decode())
        answer = await self._link.script(
            "lease", "reserve", session_id, self._ours(), self._milliseconds, *args
        )
        self._reserved.add(session_id)
        self._begin()
        return answer

    async def end_reservation(self, session_id: str) -> None:
        """Raises AwayError."""
        self._reserved.discard(session_id)
        await self._ask("end", session_id, "")

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(self._lease / 3)
            try:
                for session_id in sorted(self.held):
                    other = await self._ask("renew", session_id, self._ours(), self._milliseconds)
                    if other is not None:
                        self.held.discard(session_id)
                        self._lost(session_id)
                for session_id in sorted(self._reserved):
                    await self._ask("keep", session_id, self.token, self._milliseconds)
            except AwayError:
                self._away()
            except StoreError:
                # Refused (by a changed user of the server, say): the next write tells the user.
                _log.exception("leases could not be renewed")

    @property
    def _milliseconds(self) -> int:
        return int(self._lease * 1000)

    def _ours(self) -> str:
        ours = holders.this_process(now_ms())
        return json.dumps(
            {
                "pid": ours.pid,
                "started": ours.started,
                "boot": ours.boot,
                "claimed_at": ours.claimed_at,
                "host": self._host,
                "place": self._place,
                "token": self.token,
            }
        )

    async def _ask(self, what: str, session_id: str, *args: str | int) -> Holder | None:
        answer: list[bytes] | None = await self._link.script("lease", what, session_id, *args)
        if answer is None:
            return None
        if answer[0] != b"held":
            error = refused(answer)
            assert error is not None
            raise error
        return self._holder(json.loads(answer[1]))

    def _holder(self, given: dict[str, Any]) -> Holder:
        return Holder(
            pid=given["pid"],
            started=given["started"],
            boot=given["boot"],
            claimed_at=given["claimed_at"],
            host="" if given["host"] == self._host else given["host"],
        )


def _pid_namespace() -> str:
    """Processes of one machine that can't see each other's pids (containers) differ in this."""
    try:
        return os.readlink("/proc/self/ns/pid")
    except OSError:
        return ""
