"""Folds of a laid-out JSON text: which containers are folded, and which rows that leaves.

Nothing here is an object for each line or container. A fold that is on screen costs 12 bytes, and
folding one of 300,000 moves some bytes and adds up an array, 10 ms.
"""

from __future__ import annotations

import asyncio
import time
from array import array
from bisect import bisect_left, bisect_right
from itertools import accumulate, compress

from chatglass.tui.inspector.display_rows import DisplayRows
from chatglass.tui.inspector.json_layout import Containers

SLICE_SECONDS = 0.008
_ALL_ABOVE = [bytes(1 if depth >= least else 0 for depth in range(256)) for least in range(33)]
_ONLY = [bytes(1 if depth == least else 0 for depth in range(256)) for least in range(33)]
DEEPEST = 32


class FoldedRows:
    """The rows of a DisplayRows less those that are folded away; `y` counts what is left.

    A fold hides the rows behind its opening bracket, down to the row of its closing one.
    """

    def __init__(self, base: DisplayRows, containers: Containers) -> None:
        self.base = base
        self.containers = containers
        self._folded = bytearray(len(containers))
        """A flag for each container, also for those within a folded one."""
        self._shown: array[int] = array("I")
        """The folded containers that are not within another one."""
        self._first: array[int] = array("I")
        """The first row of the base that each of these hides."""
        self._count: array[int] = array("I")
        self._hidden: array[int] = array("I")
        """How many rows are hidden up to and with each of these."""

    # -- rows

    def __len__(self) -> int:
        return len(self.base) - (self._hidden[-1] if self._hidden else 0)

    def _before(self, place: int) -> int:
        return self._hidden[place - 1] if place else 0

    def base_row(self, y: int) -> int:
        """The row of the base that stands at `y`."""
        place = bisect_right(
            range(len(self._first)), y, key=lambda each: self._first[each] - self._before(each)
        )
        return y + self._before(place)

    def span(self, y: int) -> tuple[int, int]:
        return self.base.span(self.base_row(y))

    def row_at(self, offset: int) -> int:
        """The row with the character at `offset`; that of the fold where it is folded away."""
        row = self.base.row_at(offset)
        place = bisect_right(self._first, row)
        if place and row < self._first[place - 1] + self._count[place - 1]:
            row = self._first[place - 1] - 1
            place -= 1
        return row - self._before(place)

    def fold_at(self, y: int) -> int | None:
        """The folded container whose first line ends at row `y`."""
        first = self.base_row(y) + 1
        place = bisect_left(self._first, first)
        if place < len(self._first) and self._first[place] == first:
            return self._shown[place]
        return None

    # -- containers

    def container_at(self, start: int, end: int) -> int | None:
        """The container that opens or closes in the line from `start` to `end`."""
        found = self.containers
        index = bisect_left(found.opens, start)
        if index < len(found) and found.opens[index] < end:
            return index
        inner = self.around(start)
        if inner is not None and start <= found.closes[inner] < end:
            return inner
        return None

    def around(self, offset: int) -> int | None:
        """The innermost container that opens before `offset` and closes at or behind it."""
        found = self.containers
        index = bisect_left(found.opens, offset) - 1
        while index >= 0 and found.closes[index] < offset:
            index = found.parents[index]
        return index if index >= 0 else None

    def ordinal(self, text: str, line_start: int) -> int:
        """The place of the scalar in the line at `line_start` among its siblings."""
        found = self.containers
        parent = self.around(line_start)
        before = bisect_left(found.opens, line_start) - 1
        if parent is None or before < 0:
            return 0
        while before > parent and found.parents[before] != parent:
            before = found.parents[before]
        if before > parent:
            return found.ordinals[before] + text.count("\n", found.closes[before], line_start)
        return text.count("\n", found.opens[parent], line_start) - 1

    def is_folded(self, index: int) -> bool:
        return bool(self._folded[index])

    # -- folding

    def fold(self, index: int) -> None:
        if self._folded[index]:
            return
        self._folded[index] = 1
        if not self._is_hidden(index):
            self._replace(index, [index])

    def unfold(self, index: int) -> None:
        if not self._folded[index]:
            return
        self._folded[index] = 0
        if not self._is_hidden(index):
            self._replace(index, self._folded_within(index))

    def reveal(self, offset: int) -> bool:
        """Unfold what hides the character at `offset`; whether anything did."""
        changed = False
        row = self.base.row_at(offset)
        while True:
            place = bisect_right(self._first, row)
            if not place or row >= self._first[place - 1] + self._count[place - 1]:
                return changed
            self.unfold(self._shown[place - 1])
            changed = True

    async def fold_to(self, depth: int) -> FoldedRows:
        """The same rows with all containers folded that lie `depth` or more deep."""
        depth = min(max(0, depth), DEEPEST)
        made = FoldedRows(self.base, self.containers)
        depths = self.containers.depths
        made._folded = bytearray(depths.translate(_ALL_ABOVE[depth]))
        made._shown = array("I", compress(range(len(depths)), depths.translate(_ONLY[depth])))
        await made._measure()
        return made

    def inside(self, index: int) -> int:
        """How many containers are in that one."""
        return self._end_of(index) - index - 1

    async def unfolded(self, index: int) -> FoldedRows:
        """The same rows with that one unfolded: for one with very many in it."""
        made = FoldedRows(self.base, self.containers)
        made._folded = bytearray(self._folded)
        made._folded[index] = 0
        deadline = time.perf_counter() + SLICE_SECONDS
        at = made._folded.find(1)
        while at >= 0:
            made._shown.append(at)
            at = made._folded.find(1, made._end_of(at))
            if time.perf_counter() > deadline:
                await asyncio.sleep(0)
                deadline = time.perf_counter() + SLICE_SECONDS
        await made._measure()
        return made

    async def over(self, base: DisplayRows) -> FoldedRows:
        """The same folds over other rows of the same text."""
        made = FoldedRows(base, self.containers)
        made._folded = bytearray(self._folded)
        made._shown = array("I", self._shown)
        await made._measure()
        return made

    async def _measure(self) -> None:
        """What each of the folds hides; gives way to the event loop."""
        deadline = time.perf_counter() + SLICE_SECONDS
        for number, index in enumerate(self._shown):
            first, count = self._extent(index)
            self._first.append(first)
            self._count.append(count)
            if not number % 256 and time.perf_counter() > deadline:
                await asyncio.sleep(0)
                deadline = time.perf_counter() + SLICE_SECONDS
        self._add_up()

    def _extent(self, index: int) -> tuple[int, int]:
        first = self.base.row_at(self.containers.opens[index]) + 1
        return first, self.base.row_at(self.containers.closes[index]) + 1 - first

    def _is_hidden(self, index: int) -> bool:
        parent = self.containers.parents[index]
        while parent >= 0:
            if self._folded[parent]:
                return True
            parent = self.containers.parents[parent]
        return False

    def _folded_within(self, index: int) -> list[int]:
        """The outermost folded ones in container `index`."""
        end = self._end_of(index)
        within: list[int] = []
        at = self._folded.find(1, index + 1, end)
        while at >= 0:
            within.append(at)
            at = self._folded.find(1, self._end_of(at), end)
        return within

    def _end_of(self, index: int) -> int:
        """The index behind those of all containers within `index`."""
        return bisect_left(self.containers.opens, self.containers.closes[index])

    def _replace(self, index: int, shown: list[int]) -> None:
        """Show `shown` instead of the folds that are in or at container `index`."""
        left = bisect_left(self._shown, index)
        right = bisect_left(self._shown, self._end_of(index))
        extents = [self._extent(each) for each in shown]
        self._shown[left:right] = array("I", shown)
        self._first[left:right] = array("I", (first for first, _ in extents))
        self._count[left:right] = array("I", (count for _, count in extents))
        self._add_up()

    def _add_up(self) -> None:
        self._hidden = array("I", accumulate(self._count))
