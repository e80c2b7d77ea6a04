"""Mirror: what this process knows of the sessions it runs, for the time the server is away.

A store in memory with the same rules as the server's scripts: it answers reads, and says of a
write whether it fits, so that what is spooled will be taken later.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from chatglass.store.protocol import SessionGone, StoreError
from chatglass.store.records import ToolResult, WholeSession
from chatglass.store.sqlite import SqliteStore

Follow = Callable[[SqliteStore], Awaitable[Any]]
"""Does in the mirror what a write does on the server."""

_MOST_RESULT = 2**20
"""Characters of the largest tool result that is kept in memory."""

_log = logging.getLogger(__name__)


def kept_result(result: ToolResult | None) -> ToolResult | None:
    """`result` where a mirror keeps it; a large one stays on the server (or in the spool) alone."""
    if result is None or len(result.produced) + len(result.seen) > _MOST_RESULT:
        return None
    return result


@dataclass(slots=True)
class _Lesson:
    """A session on its way into the mirror: the writes to it since, and its end."""

    since: deque[tuple[int, Follow]] = field(default_factory=deque[tuple[int, Follow]])
    over: asyncio.Event = field(default_factory=asyncio.Event)


class Mirror:
    """Holds the sessions that this process claimed, or made while the server was away."""

    def __init__(self) -> None:
        self._store = SqliteStore(None)
        self._known: set[str] = set()
        self._learning: dict[str, _Lesson] = {}
        """Sessions that are being read from the server."""

    async def open(self) -> None:
        await self._store.open()

    async def close(self) -> None:
        self._known.clear()
        await self._store.close()

    def knows(self, session_id: str | None) -> bool:
        """None stands for what belongs to no session."""
        return session_id is None or session_id in self._known

    # -- learning and forgetting

    def begin(self, session_id: str) -> None:
        """The session is about to be read from the server."""
        self._learning.setdefault(session_id, _Lesson())

    async def learn(self, whole: WholeSession, number: int) -> None:
        """Take over what was read, in which the write `number` was the last of ours."""
        session_id = whole.session.id
        try:
            await self._drop(session_id)
            await self._store.add_whole_session(whole)
            since = self._learning[session_id].since
            while since:
                at, follow = since.popleft()
                if at > number:
                    await follow(self._store)
            self._known.add(session_id)
        except StoreError:
            # Without it the session merely can't go on while the server is away.
            _log.warning("session %s could not be mirrored", session_id, exc_info=True)
        finally:
            self.end(session_id)

    def end(self, session_id: str) -> None:
        """The session was read, or could not be."""
        self._learning.pop(session_id).over.set()

    async def learned(self, session_id: str | None) -> None:
        """Waits for the end of what was begun, if it was."""
        if lesson := self._learning.get(session_id or ""):
            await lesson.over.wait()

    async def forget(self, session_id: str) -> None:
        self._known.discard(session_id)
        await self._drop(session_id)

    async def _drop(self, session_id: str) -> None:
        with contextlib.suppress(SessionGone):
            await self._store.delete_session(session_id)

    # -- writes

    async def followed(self, session_id: str | None, number: int, follow: Follow) -> None:
        """The server has done a write: do it here."""
        if session_id in self._learning:
            self._learning[session_id].since.append((number, follow))
            return
        if session_id is None and not (self._known or self._learning):
            return
        if not self.knows(session_id):
            return
        try:
            await follow(self._store)
        except StoreError:
            # A session that another process changes as well (its title, say) can differ.
            if session_id is not None:
                _log.warning("session %s is no longer mirrored", session_id, exc_info=True)
                await self.forget(session_id)

    async def tried(self, session_id: str | None, follow: Follow, *, creates: bool) -> None:
        """The server is away: do a write here. Raises the StoreError that it would."""
        await follow(self._store)
        if creates and session_id is not None:
            self._known.add(session_id)

    def set_draft_now(self, session_id: str, draft: str) -> None:
        """Follow a write that could not be awaited."""
        if self.knows(session_id):
            with contextlib.suppress(SessionGone):
                self._store.set_draft_now(session_id, draft)

    # -- reads

    async def answer(self, session_id: str | None, read: Follow) -> Any:
        """Raises LookupError where this process does not know."""
        await self.learned(session_id)
        if not self.knows(session_id):
            raise LookupError
        try:
            return await read(self._store)
        except StoreError as error:
            raise LookupError from error
