"""Bars drawn with block characters: a chart of days as lines of text, and a share of a row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

_UP = " ▁▂▃▄▅▆▇█"
_RIGHT = " ▏▎▍▌▋▊▉█"


@dataclass(frozen=True, slots=True)
class Bucket:
    """One or more days that share a bar."""

    first: date
    last: date
    value: float

    @property
    def words(self) -> str:
        return str(self.first) if self.first == self.last else f"{self.first} … {self.last}"


def buckets(
    values: dict[date, float], first: date | None, last: date | None, most: int
) -> list[Bucket]:
    """Every day from `first` to `last` (None: where there is something), in at most `most` buckets
    of equally many days; the last one may have fewer."""
    start = first or min(values, default=None)
    end = last or max(values, default=None)
    if start is None or end is None or end < start or most < 1:
        return []
    days = (end - start).days + 1
    size = -(-days // most)
    found: list[Bucket] = []
    for offset in range(0, days, size):
        one = start + timedelta(days=offset)
        other = min(end, one + timedelta(days=size - 1))
        span = (other - one).days + 1
        value = sum(values.get(one + timedelta(days=day), 0.0) for day in range(span))
        found.append(Bucket(one, other, value))
    return found


def columns(values: Sequence[float], height: int, width: int) -> list[str]:
    """A bar for each value, as `height` lines of at most `width` cells, the top line first.

    The greatest value is as high as the chart; whatever is above 0 shows.
    """
    if not values or height < 1:
        return [""] * max(0, height)
    top = max(values)
    cells = max(1, min(6, width // len(values)))
    gap = 1 if cells > 1 else 0
    lines: list[str] = []
    for row in range(height - 1, -1, -1):
        line = ""
        for value in values:
            eighths = 0 if top <= 0 or value <= 0 else max(1, round(value / top * height * 8))
            here = min(8, max(0, eighths - row * 8))
            line += _UP[here] * (cells - gap) + " " * gap
        lines.append(line.rstrip())
    return lines


def cells_of_bar(count: int, width: int) -> int:
    """How many cells `columns` gives to each of `count` bars, the gap included."""
    return max(1, min(6, width // count)) if count else 0


def share_bar(fraction: float, width: int) -> str:
    """A bar to the right, `width` cells at 1; whatever is above 0 shows."""
    if width <= 0:
        return ""
    eighths = min(width * 8, max(1, round(fraction * width * 8))) if fraction > 0 else 0
    whole, rest = divmod(eighths, 8)
    return ("█" * whole + (_RIGHT[rest] if rest else "")).ljust(width)
