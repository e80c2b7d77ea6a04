"""Local days, and ranges of them, as milliseconds since the epoch."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import date, timedelta


@dataclass(frozen=True, slots=True)
class Range:
    """From `first` to `last`, both meant; None: as far as there is something."""

    first: date | None = None
    last: date | None = None

    @property
    def since(self) -> int | None:
        """The first millisecond."""
        return None if self.first is None else _midnight(self.first)

    @property
    def until(self) -> int | None:
        """The first millisecond after it."""
        return None if self.last is None else _midnight(self.last + timedelta(days=1))

    @property
    def words(self) -> str:
        """`all`, `2025-03-09`, `2025-03-01 … 2025-03-09`, `since …` or `until …`."""
        if self.first is None:
            return "all" if self.last is None else f"until {self.last}"
        if self.last is None:
            return f"since {self.first}"
        return str(self.first) if self.first == self.last else f"{self.first} … {self.last}"


ALL = Range()


def today() -> date:
    return date.today()


def last_days(count: int) -> Range:
    """So many days, the last of them today."""
    return Range(today() - timedelta(days=count - 1), today())


def day_bounds(now: int) -> tuple[int, int]:
    """The first millisecond of the local day that `now` is in, and that of the next."""
    day = date.fromtimestamp(now / 1000)
    return _midnight(day), _midnight(day + timedelta(days=1))


def parse_day(text: str) -> date:
    """`2025-03-09`, `today`, `yesterday`, or `30d`: so many days ago. Raises ValueError in words."""
    word = text.strip().lower()
    if word in ("today", "yesterday"):
        return today() - timedelta(days=word == "yesterday")
    try:
        if word.endswith("d") and word[:-1].isdigit():
            return today() - timedelta(days=int(word[:-1]))
        day = date.fromisoformat(word)
        if not 1970 <= day.year < 3000:
            raise ValueError
        return day
    except (ValueError, OverflowError):
        raise ValueError(
            f"{text.strip()!r} is no date; write it as 2025-03-09, today, yesterday, or 30d"
        ) from None


def parse_range(text: str) -> Range:
    """`7`, `30` or `90` days, `all`, one day, or two with blanks or `..` between them. Raises
    ValueError in words."""
    words = text.replace("..", " ").replace("…", " ").split()
    if words in (["all"], []):
        return ALL
    if len(words) == 1 and words[0].isdigit():
        count = int(words[0])
        if not 0 < count < 100_000:
            raise ValueError(f"{count} days are no range.")
        return last_days(count)
    if len(words) > 2:
        raise ValueError("A range has a first and a last day, as 2025-03-01 2025-03-31.")
    first, last = parse_day(words[0]), parse_day(words[-1])
    if last < first:
        raise ValueError(f"The range ends ({last}) before it begins ({first}).")
    return Range(first, last)


def _midnight(day: date) -> int:
    # By the clocks of that day: where they jump at midnight, the first moment after it.
    return int(time.mktime((day.year, day.month, day.day, 0, 0, 0, 0, 0, -1)) * 1000)
