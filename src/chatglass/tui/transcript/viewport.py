"""What part of the items is on screen, as arithmetic: no widget, no strips.

The view is anchored: its first line is (item, line within the item), not a distance from the
top. Heights above it may be corrected as often as need be, and what is on screen stays; only the
distance (`top`) that the scroll bar shows follows.
"""

from __future__ import annotations

from collections.abc import Callable

from chatglass.tui.transcript.heights import Heights

FAR_PAGES = 4
"""Scrolling by more pages than this maps the line through the estimates instead of walking."""


class Viewport:
    """`measure(index)` gives the exact height of an item; it is asked only for items that are on
    screen or walked over."""

    def __init__(self, measure: Callable[[int], int]) -> None:
        self.heights = Heights()
        self.height = 0
        self.following = True
        self.item = 0
        self.line = 0
        self.end_item = 0
        """One behind the last item on screen."""
        self._measure = measure

    @property
    def top(self) -> int:
        """The distance of the first line on screen from the first line of all, in lines."""
        return self.heights.offset(self.item) + self.line if len(self.heights) else 0

    @property
    def total(self) -> int:
        return self.heights.total

    def exact(self, index: int) -> int:
        height = self._measure(index)
        self.heights.set(index, height)
        return height

    def scroll_by(self, delta: int) -> None:
        """Scroll by lines over exact heights; far away through the estimates."""
        if not len(self.heights) or not delta:
            return
        before = (self.item, self.line, self.following)
        self.following = False
        if abs(delta) > max(200, FAR_PAGES * self.height):
            self._go(*self.heights.find(max(0, self.top + delta)))
        else:
            self._walk(delta)
        at_end = self.settle()
        moved = (self.item, self.line) != before[:2]
        self.following = at_end if moved or delta > 0 else before[2]

    def show(self, index: int, line: int = 0) -> None:
        """Put a line of an item on top, as far as there is enough below it."""
        self.following = False
        self._go(index, line)
        self.following = self.settle()

    def follow(self) -> None:
        """Show the end, and stay there."""
        self.following = True
        self.settle()

    def settle(self) -> bool:
        """Make everything on screen exact and fill the screen; whether the end is on screen."""
        count = len(self.heights)
        if not count:
            self.item = self.line = self.end_item = 0
            return True
        if self.following:
            self._go_to_end()
        self.item = min(self.item, count - 1)
        room = self.exact(self.item) - self.line
        end = self.item + 1
        while room < self.height and end < count:
            room += self.exact(end)
            end += 1
        if room < self.height:
            self._walk(room - self.height)
        self.end_item = end
        return end == count and room <= self.height

    def row_of(self, index: int, line: int) -> int:
        """The row on screen of a line of an item; negative or large where it is off screen."""
        return self.heights.offset(index) + line - self.top

    def at_row(self, row: int) -> tuple[int, int] | None:
        """(item, line) in a row of the screen; None below the last item."""
        index, line = self.item, self.line + row
        heights = self.heights
        count = len(heights)
        while index < count:
            height = heights[index]
            if line < height:
                return index, line
            line -= height
            index += 1
        return None

    def _go(self, index: int, line: int) -> None:
        self.item = index
        self.line = max(0, min(line, self.exact(index) - 1))

    def _go_to_end(self) -> None:
        self.item = len(self.heights) - 1
        self.line = self.exact(self.item) - self.height
        self._carry_up()

    def _walk(self, delta: int) -> None:
        self.line += delta
        if delta < 0:
            self._carry_up()
            return
        last = len(self.heights) - 1
        while (height := self.exact(self.item)) <= self.line:
            if self.item == last:
                self.line = max(0, height - 1)
                return
            self.line -= height
            self.item += 1

    def _carry_up(self) -> None:
        while self.line < 0 and self.item > 0:
            self.item -= 1
            self.line += self.exact(self.item)
        self.line = max(0, self.line)
