"""TurnEvents: numbers the events of one turn and hands them to whoever iterates over it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Literal, TypedDict

from chatglass.chat.events import Event, Notice

Observe = Callable[[Event], None]
"""Sees each event as it happens, before its reader does. Must not raise, nor take long."""


class Stamp(TypedDict):
    """The fields that every event has."""

    session_id: str
    turn_id: str
    request_id: str | None
    seq: int


class TurnEvents:
    """The events of one turn, in order, from the task that runs it to its reader."""

    def __init__(self, session_id: str, turn_id: str, observe: Observe | None = None) -> None:
        self._observe = observe
        self.session_id = session_id
        self.turn_id = turn_id
        self.request_id: str | None = None
        self._seq = 0
        self._queue: asyncio.Queue[Event] = asyncio.Queue()

    @property
    def count(self) -> int:
        """Events so far."""
        return self._seq

    def stamp(self) -> Stamp:
        """The common fields of the next event. Emit it before taking another stamp."""
        self._seq += 1
        return Stamp(
            session_id=self.session_id,
            turn_id=self.turn_id,
            request_id=self.request_id,
            seq=self._seq,
        )

    def emit(self, event: Event) -> None:
        if self._observe is not None:
            self._observe(event)
        self._queue.put_nowait(event)

    def notice(
        self,
        severity: Literal["information", "warning", "error"],
        cause: str,
        advice: str = "",
        kind: str = "",
    ) -> None:
        self.emit(Notice(**self.stamp(), severity=severity, cause=cause, advice=advice, kind=kind))

    async def next(self) -> Event:
        return await self._queue.get()
