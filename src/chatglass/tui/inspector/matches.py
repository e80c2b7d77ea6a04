"""Matches: where a searched text stands in the one on screen, and which of these is looked at."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterator


class Matches:
    def __init__(self) -> None:
        self.sought = ""
        """What is searched for; empty where nothing is."""
        self.index = -1
        """Which is looked at, -1 where there is none."""
        self._offsets: array[int] = array("Q")

    def __len__(self) -> int:
        return len(self._offsets)

    @property
    def current(self) -> int | None:
        """The offset of the one that is looked at."""
        return self._offsets[self.index] if self.index >= 0 else None

    def seek(self, sought: str) -> None:
        """Another text is searched for."""
        self.sought = sought
        self.forget()

    def forget(self) -> None:
        """Another text is searched in."""
        self._offsets = array("Q")
        self.index = -1

    def take(self, found: array[int], start: int) -> None:
        """What was found, by offset; the first from `start` on is looked at."""
        self._offsets = found
        self.index = bisect_left(found, start) % len(found) if found else -1

    def step(self, by: int) -> bool:
        """Look at the next one, or with -1 the one before; round the ends. False where none is."""
        if self._offsets:
            self.index = (self.index + by) % len(self._offsets)
        return bool(self._offsets)

    def between(self, start: int, end: int) -> Iterator[tuple[int, int, bool]]:
        """(start, end, whether it is looked at) of what of each match stands there, counted from
        `start`."""
        length = len(self.sought)
        first = bisect_left(self._offsets, max(0, start - length + 1))
        for index in range(first, len(self._offsets)):
            offset = self._offsets[index]
            if offset >= end:
                return
            yield max(0, offset - start), min(end, offset + length) - start, index == self.index
