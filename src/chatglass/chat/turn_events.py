"""TurnEvents: numbers the events of one turn and hands them to whoever iterates over it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Literal, TypedDict

from chatglass.chat.events import Event, Notice, RequestStarted, UsageReported
from chatglass.chat.request_flight import RequestFact
from chatglass.store.records import RequestRow
from chatglass.values.ways import NameWay, named, unnamed

Observe = Callable[[Event | RequestFact], None]
"""Sees each event as it happens, before its reader does, and what becomes of every request. Must
not raise, nor take long."""


class Stamp(TypedDict):
    """The fields that every event has."""

    session_id: str
    turn_id: str
    request_id: str | None
    seq: int


class TurnEvents:
    """The events of one turn, in order, from the task that runs it to its reader."""

    def __init__(
        self,
        session_id: str,
        turn_id: str,
        observe: Observe | None = None,
        name_way: NameWay = unnamed,
    ) -> None:
        self._name_way = name_way
        self.watch = observe
        self.session_id = session_id
        self.turn_id = turn_id
        self.request_id: str | None = None
        self.requests = 0
        """Requests for answers that went out so far."""
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
        self.requests += isinstance(event, RequestStarted)
        if self.watch is not None:
            self.watch(event)
        self._queue.put_nowait(event)

    def notice(
        self,
        severity: Literal["information", "warning", "error"],
        cause: str,
        advice: str = "",
        kind: str = "",
    ) -> None:
        """`advice`: with the places of `values.ways`."""
        advice = named(advice, self._name_way)
        self.emit(Notice(**self.stamp(), severity=severity, cause=cause, advice=advice, kind=kind))

    def usage(self, row: RequestRow) -> None:
        """What a request used, if it used anything."""
        if row.usage is None:
            return
        stamp = self.stamp()
        stamp["request_id"] = row.id
        self.emit(
            UsageReported(
                **stamp,
                usage=row.usage,
                cost_usd=row.cost,
                price_source=row.price_source,
            )
        )

    async def next(self) -> Event:
        return await self._queue.get()
