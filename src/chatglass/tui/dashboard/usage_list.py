"""UsageList: one row for each day, model, tool or session, with a bar of its share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.segment import Segment
from textual.strip import Strip
from textual.widget import Widget

from chatglass.spending.report import cost_of
from chatglass.store.usage_records import UsageRow
from chatglass.tui.dashboard.bars import share_bar
from chatglass.tui.dashboard.place import Measure, Place
from chatglass.tui.lines.cells import Cell, fit, row
from chatglass.tui.lines.line_list import LineList
from chatglass.values import figures
from chatglass.values.text import one_line


@dataclass(frozen=True, slots=True)
class Column:
    head: str
    width: int
    least: int
    """From how many cells of the whole line on it is shown."""


_CALLS = Column("calls", 7, 56)
_COLUMNS = (
    Column("requests", 8, 50),
    Column("in", 11, 90),
    Column("cached", 11, 104),
    Column("out", 10, 90),
    Column("reasoning", 10, 126),
    Column("tokens", 12, 40),
    Column("cost", 10, 0),
)
_OF_TOOLS = (_CALLS, Column("sent in", 9, 50), Column("tokens", 14, 40), Column("cost", 12, 0))
_BAR = 12
_BAR_FROM = 70


def columns(place: Place, width: int) -> list[Column]:
    """Those that fit; the names have 20 cells or more."""
    wanted = _OF_TOOLS if place.of_tools else _COLUMNS
    return [
        column
        for column in wanted
        if width >= column.least and (column is not _CALLS or place.by == "tool")
    ]


def _room(place: Place, width: int) -> tuple[int, int]:
    """Cells of the names and of the bar."""
    bar = _BAR if width >= _BAR_FROM else 0
    taken = sum(column.width + 1 for column in columns(place, width))
    return max(10, width - taken - (bar + 2 if bar else 0)), bar


class UsageColumns(Widget):
    """The names of the columns above the list."""

    DEFAULT_CSS = """
    UsageColumns { height: 1; width: 1fr; color: $foreground 70%; text-style: underline; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._place: Place | None = None

    def show(self, place: Place) -> None:
        self._place = place
        self.refresh()

    def render_line(self, y: int) -> Strip:
        # The list keeps its last column for the scroll bar.
        width, base = self.size.width - 1, self.rich_style
        if self._place is None:
            return Strip.blank(self.size.width, base)
        names, bar = _room(self._place, width)
        text = fit(self._place.by, names)
        for column in columns(self._place, width):
            text += " " + fit(column.head, column.width, "right")
        text += "  " + " " * bar if bar else ""
        return Strip([Segment(text, base)]).adjust_cell_length(self.size.width, base)


class UsageList(LineList):
    DEFAULT_CSS = """
    UsageList > .usage-list--detail { color: $foreground 70%; }
    UsageList > .usage-list--bar { color: $text-accent; }
    """
    COMPONENT_CLASSES = {"usage-list--detail", "usage-list--bar"}

    def __init__(self) -> None:
        super().__init__()
        self._rows: Sequence[UsageRow] = ()
        self._place: Place | None = None
        self._measure: Measure = "cost"

    @property
    def rows(self) -> Sequence[UsageRow]:
        """What is listed, in its order."""
        return self._rows

    def show(self, place: Place, rows: Sequence[UsageRow], measure: Measure) -> None:
        """Rows in the order of the store; days the newest first."""
        moved = self._place is None or (place.by, place.within) != (
            self._place.by,
            self._place.within,
        )
        self._place, self._measure = place, measure
        self._rows = list(reversed(rows)) if place.by == "day" else list(rows)
        self.rows_changed()
        if moved:
            self.move_cursor(0)

    # -- LineList

    def row_count(self) -> int:
        return len(self._rows)

    def row_id(self, index: int) -> str:
        return f"{self._rows[index].endpoint}\x00{self._rows[index].name}"

    def render_row(self, index: int, width: int, selected: bool) -> Strip:
        place, one = self._place, self._rows[index]
        assert place is not None
        names, bar = _room(place, width)
        detail = self.part_style("usage-list--detail")
        cells: list[Cell] = [(fit(self._label(one), names), None)]
        for column in columns(place, width):
            text = self._cell(column.head, one)
            look = None if column.head == "cost" else detail
            cells.append((" " + fit(text, column.width, "right"), look))
        if bar:
            cells.append(
                ("  " + share_bar(self._share(one), bar), self.part_style("usage-list--bar"))
            )
        return row(cells)

    def _label(self, one: UsageRow) -> str:
        place = self._place
        assert place is not None
        if place.by == "session":
            return one_line(one.title, 160).strip() or f"untitled {one.name[-8:]}"
        text = one_line(one.name, 100)
        return f"{text} · {one_line(one.endpoint, 40)}" if one.endpoint else text

    def _cell(self, head: str, one: UsageRow) -> str:
        place = self._place
        assert place is not None
        about = f"{figures.ABOUT} " if place.of_tools and one.total_tokens else ""
        match head:
            case "calls":
                return f"{one.calls:,}"
            case "requests" | "sent in":
                return f"{one.requests:,}"
            case "in":
                return figures.tokens(one.prompt_tokens)
            case "cached":
                return figures.tokens(one.cached_tokens)
            case "out":
                return figures.tokens(one.completion_tokens)
            case "reasoning":
                return figures.tokens(one.reasoning_tokens)
            case "tokens":
                return about + figures.tokens(one.total_tokens)
            case _:
                return cost_of(one, about=place.of_tools)

    def _share(self, one: UsageRow) -> float:
        if self._measure == "cost":
            most = max((each.cost for each in self._rows), default=0)
            return float(one.cost / most) if most else 0.0
        most = max((each.total_tokens for each in self._rows), default=0)
        return one.total_tokens / most if most else 0.0
