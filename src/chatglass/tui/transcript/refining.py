"""Making estimated heights exact while nobody waits."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from time import perf_counter

SLICE = 0.004
"""Seconds of work at a time; a key that comes meanwhile waits no longer."""
REST = 0.016
QUIET = 0.1
"""Seconds after the last key, scroll or streamed text before work goes on."""


class Refiner:
    """Calls `refine_one` in slices until it returns False; `settled` after each slice.

    There is no timer once all is exact.
    """

    def __init__(self, refine_one: Callable[[], bool], settled: Callable[[], None]) -> None:
        self._refine_one = refine_one
        self._settled = settled
        self._handle: asyncio.TimerHandle | None = None
        self._busy_at = 0.0

    @property
    def working(self) -> bool:
        return self._handle is not None

    def start(self) -> None:
        if self._handle is None:
            self._handle = asyncio.get_running_loop().call_later(REST, self._slice)

    def busy(self) -> None:
        """Something happens that a person waits for."""
        self._busy_at = perf_counter()

    def stop(self) -> None:
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def _slice(self) -> None:
        self._handle = None
        start = perf_counter()
        rest = self._busy_at + QUIET - start
        if rest <= 0:
            more = True
            while more and perf_counter() - start < SLICE:
                more = self._refine_one()
            self._settled()
            if not more:
                return
            rest = REST
        self._handle = asyncio.get_running_loop().call_later(rest, self._slice)
