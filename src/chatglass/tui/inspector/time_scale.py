"""TimeScale: where a moment stands on a time axis of some columns, idle time between turns left out."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from math import ceil, log

IDLE_SHARE = 0.2
"""Of the axis, all gaps between stretches together take no more than that."""
_STEP = 1.25

View = tuple[float, float]
"""The part of the axis that is shown, as fractions of its length."""
WHOLE: View = (0.0, 1.0)
_NARROWEST = 1e-5


class TimeScale:
    """`stretches` are (start, end) in ms, in order and not overlapping; time between them is shortened."""

    def __init__(
        self, stretches: Sequence[tuple[int, int]], width: int, view: View = WHOLE
    ) -> None:
        self.width = width
        self.view = view
        busy = sum(end - start for start, end in stretches) or 1
        most = busy * IDLE_SHARE / max(1, len(stretches) - 1)
        self._times: list[int] = []
        self._places: list[float] = []
        place = 0.0
        for number, (start, end) in enumerate(stretches):
            if number:
                place += min(start - self._times[-1], most)
            self._times += [start, end]
            self._places += [place, place + end - start]
            place += end - start
        self._length = place or 1.0

    def column(self, at: int) -> float:
        """The column of that moment; below 0 or beyond `width` where it isn't in view."""
        times, places = self._times, self._places
        if not times:
            return 0.0
        after = bisect_right(times, at)
        if after == 0:
            place = places[0] - (times[0] - at)
        elif after == len(times):
            place = places[-1] + (at - times[-1])
        else:
            since, until = times[after - 1], times[after]
            part = (at - since) / (until - since)
            place = places[after - 1] + part * (places[after] - places[after - 1])
        start, end = self.view
        return (place / self._length - start) / (end - start) * self.width

    def fraction(self, at: int) -> float:
        """Where on the whole axis that moment stands."""
        start, end = self.view
        return start + self.column(at) / self.width * (end - start)


def zoomed(view: View, factor: float, around: float) -> View:
    """`view` with its length divided by `factor`, and `around` in its middle."""
    start, end = view
    length = min(1.0, max(_NARROWEST, (end - start) / factor))
    return _within(around - length / 2, length)


def panned(view: View, part: float) -> View:
    """`view` moved by a part of its own length."""
    start, end = view
    return _within(start + part * (end - start), end - start)


def _within(start: float, length: float) -> View:
    start = min(max(0.0, start), 1.0 - length)
    return start, start + length


def grown(milliseconds: int) -> int:
    """At least that long, in steps: an axis that grows with every frame could not be read."""
    steps = ceil(log(max(milliseconds, 1_000) / 1_000, _STEP) - 1e-9)
    return round(1_000 * _STEP**steps)
