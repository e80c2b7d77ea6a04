"""UsageChart: cost or tokens a day, as bars."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from rich.segment import Segment
from textual.strip import Strip
from textual.widget import Widget

from chatglass.spending.days import Range
from chatglass.store.usage_records import UsageRow
from chatglass.tui.dashboard.bars import Bucket, buckets, cells_of_bar, columns
from chatglass.tui.dashboard.place import Measure
from chatglass.tui.lines.cells import fit
from chatglass.values import figures

_SCALE = 9
"""Cells of the figures at the left."""


class UsageChart(Widget):
    """The greatest bar's figure stands on top, and the first and last day below."""

    DEFAULT_CSS = """
    UsageChart { height: 9; width: 1fr; color: $foreground 70%; }
    UsageChart > .usage-chart--bar { color: $text-accent; }
    """
    COMPONENT_CLASSES = {"usage-chart--bar"}

    def __init__(self) -> None:
        super().__init__()
        self._rows: Sequence[UsageRow] = ()
        self._span = Range()
        self._measure: Measure = "cost"
        self._about = False
        self._drawn: tuple[object, list[Strip]] | None = None

    def show(self, rows: Sequence[UsageRow], span: Range, measure: Measure, *, about: bool) -> None:
        """Rows by day. `about`: they are estimates."""
        self._rows, self._span, self._measure, self._about = rows, span, measure, about
        self._drawn = None
        self.refresh()

    def render_line(self, y: int) -> Strip:
        key = (self.size, self.rich_style)
        if self._drawn is None or self._drawn[0] != key:
            self._drawn = (key, self._draw())
        lines = self._drawn[1]
        return lines[y] if y < len(lines) else Strip.blank(self.size.width, self.rich_style)

    def _draw(self) -> list[Strip]:
        width, height = self.size.width, self.size.height
        room, base = width - _SCALE - 1, self.rich_style
        values = {date.fromisoformat(row.name): self._value(row) for row in self._rows}
        shown = buckets(values, self._span.first, self._span.last, room)
        if not shown or height < 3:
            return []
        look = base + self.get_component_rich_style("usage-chart--bar", partial=True)
        bars = columns([bucket.value for bucket in shown], height - 1, room)
        strips: list[Strip] = []
        for place, bar in enumerate(bars):
            scale = self._figure(max(bucket.value for bucket in shown)) if place == 0 else ""
            pieces = [Segment(fit(scale, _SCALE, "right") + " ", base), Segment(bar, look)]
            strips.append(Strip(pieces).adjust_cell_length(width, base))
        foot = " " * (_SCALE + 1) + self._days(shown, room)
        strips.append(Strip([Segment(foot, base)]).adjust_cell_length(width, base))
        return strips

    def _value(self, row: UsageRow) -> float:
        return float(row.cost) if self._measure == "cost" else float(row.total_tokens)

    def _figure(self, value: float) -> str:
        if self._measure == "tokens":
            return f"{figures.ABOUT if self._about else ''}{figures.short_tokens(round(value))}"
        return figures.money(Decimal(repr(value))) if value else "$0"

    def _days(self, shown: Sequence[Bucket], room: int) -> str:
        used = cells_of_bar(len(shown), room) * len(shown)
        first, last = str(shown[0].first), str(shown[-1].last)
        each = (shown[0].last - shown[0].first).days + 1
        size = f"a bar: {each} days" if each > 1 else ""
        if first == last or used < len(first) + len(last) + 2:
            return f"{first} … {last}" if first != last else first
        middle = used - len(first) - len(last)
        return first + (size.center(middle) if len(size) < middle - 1 else " " * middle) + last
