"""When pushed text reaches the screen: at once where it is time, else on the remainder."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from time import perf_counter

FRAME = 0.016
"""Seconds between two flushes at least."""

SHARE = 3.0
"""A flush that cost t seconds is not repeated before SHARE * t, so that one block that is dear to
render (a huge table) leaves most of the loop's time to keys."""


class Pacer:
    """Calls `flush` soon after `request()`, and never twice within a frame.

    With no request there is no timer. `request()` is O(1).
    """

    def __init__(self, flush: Callable[[], None]) -> None:
        self._flush = flush
        self._last = 0.0
        self._cost = 0.0
        self._handle: asyncio.TimerHandle | None = None
        self.interval = FRAME

    @property
    def pending(self) -> bool:
        return self._handle is not None

    def request(self) -> None:
        if self._handle is not None:
            return
        wait = self._last + max(self.interval, self._cost * SHARE) - perf_counter()
        if wait <= 0:
            self.flush_now()
        else:
            self._handle = asyncio.get_running_loop().call_later(wait, self.flush_now)

    def flush_now(self) -> None:
        self.cancel()
        start = perf_counter()
        self._flush()
        self._last = perf_counter()
        self._cost = self._last - start

    def cancel(self) -> None:
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None
