"""Where one is in the usage screen: what is summed, of which days, and what it is narrowed to."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import Literal

from chatglass.spending.days import ALL, Range, last_days
from chatglass.store.usage_records import UsageBy, UsageQuery, UsageRow

Measure = Literal["cost", "tokens"]
_DAYS = (7, 30, 90)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A query, and in words what it is narrowed to."""

    by: UsageBy = "day"
    span: Range
    span_name: str
    model: tuple[str, str] | None = None
    tool: str | None = None
    within: str = ""
    """What was looked into, as `2025-03-09 › gpt-5`."""

    @property
    def query(self) -> UsageQuery:
        return self._query(self.by)

    @property
    def daily(self) -> UsageQuery:
        """The same by day, for the chart."""
        return self._query("day")

    def _query(self, by: UsageBy) -> UsageQuery:
        return UsageQuery(
            by=by,
            since=self.span.since,
            until=self.span.until,
            model=self.model,
            tool=self.tool,
        )

    @property
    def of_tools(self) -> bool:
        """Whether the figures are estimated shares of results."""
        return self.by == "tool" or self.tool is not None

    def into(self, row: UsageRow) -> Place | None:
        """What that row is made of; None for a session, which is opened instead."""
        within = " › ".join(part for part in (self.within, _name(self.by, row)) if part)
        place = replace(self, by="session", within=within)
        match self.by:
            case "day":
                day = date.fromisoformat(row.name)
                return replace(place, span=Range(day, day), span_name=row.name)
            case "model":
                return replace(place, model=(row.endpoint, row.name))
            case "tool":
                return replace(place, tool=row.name)
            case "session":
                return None

    def with_next_range(self) -> Place:
        """7 days, 30, 90, all, and again."""
        names = [*map(_days, _DAYS), "all"]
        at = names.index(self.span_name) + 1 if self.span_name in names else 0
        if at < len(_DAYS) or at == len(names):
            count = _DAYS[at % len(names)]
            return replace(self, span=last_days(count), span_name=_days(count))
        return replace(self, span=ALL, span_name="all")

    def with_range(self, span: Range) -> Place:
        return replace(self, span=span, span_name=span.words)


def first_place(count: int = 30) -> Place:
    """By day, over the last so many days."""
    return Place(span=last_days(count), span_name=_days(count))


def _days(count: int) -> str:
    return f"{count} days"


def _name(by: UsageBy, row: UsageRow) -> str:
    return row.title or row.name[-8:] if by == "session" else row.name
