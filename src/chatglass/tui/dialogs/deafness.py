"""Deafness: keys that were meant for what was there before must not answer what just came."""

from __future__ import annotations

import time
from collections.abc import Callable

DEAF_SECONDS = 0.3


class Deafness:
    """Of a question: it hears nothing until DEAF_SECONDS after it `begin`s."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock`: monotonic seconds."""
        self.clock = clock
        self._hears_from = float("inf")

    def begin(self) -> None:
        """The question came on screen, or somebody still types."""
        self._hears_from = self.clock() + DEAF_SECONDS

    @property
    def is_over(self) -> bool:
        return self.clock() >= self._hears_from
