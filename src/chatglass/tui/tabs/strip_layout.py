"""Which tabs stand where in the strip, as arithmetic."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from rich.cells import cell_len, set_cell_size

from chatglass.tui.tabs.tab import URGENCY, Mark, Tab

WIDEST_TITLE, LEAST_TITLE = 28, 6
_NEW = " + "
_CLOSE = " ×"
_MORE = 6
"""Most cells of what says that there are more tabs on that side: `‹12? `."""

Kind = Literal["tab", "close", "more", "new"]


@dataclass(frozen=True, slots=True)
class Piece:
    """Cells of the strip that look alike and do one thing. `session_id`: what a click is about; of
    `more` the nearest session that there is no room for."""

    x: int
    text: str
    kind: Kind
    session_id: str = ""
    is_current: bool = False
    mark: Mark = ""
    """The cells are the sign of that mark."""


def lay_out(tabs: Sequence[Tab], width: int, signs: dict[Mark, str]) -> list[Piece]:
    """The pieces of `tabs` in at most `width` cells, from left to right.

    Titles are cut to fit. Where that is not enough, only tabs around the current one stand there,
    and at the ends how many more there are, with the most urgent of their marks.
    """
    room = width - cell_len(_NEW)
    title_width = _title_width(tabs, room, signs)
    first, last = 0, len(tabs)
    if title_width < LEAST_TITLE:
        title_width = LEAST_TITLE
        first, last = _window(tabs, room, signs)
    line = _Line()
    if first:
        _add_more(line, "‹", tabs[:first], tabs[first - 1], signs)
    for number in range(first, last):
        _add_tab(line, number, tabs[number], title_width, signs)
    if last < len(tabs):
        _add_more(line, "›", tabs[last:], tabs[last], signs)
    line.add(_NEW, "new")
    return line.pieces


class _Line:
    def __init__(self) -> None:
        self.pieces: list[Piece] = []
        self._x = 0

    def add(
        self,
        text: str,
        kind: Kind,
        tab: Tab | None = None,
        *,
        current: bool = False,
        mark: Mark = "",
    ) -> None:
        session_id = tab.session_id if tab else ""
        self.pieces.append(Piece(self._x, text, kind, session_id, current, mark))
        self._x += cell_len(text)


def _add_tab(line: _Line, number: int, tab: Tab, title_width: int, signs: dict[Mark, str]) -> None:
    current = tab.is_current
    line.add(f" {number + 1} ", "tab", tab, current=current)
    if tab.mark:
        line.add(f"{signs[tab.mark]} ", "tab", tab, current=current, mark=tab.mark)
    line.add(cut(tab.title, title_width), "tab", tab, current=current)
    if current:
        line.add(_CLOSE, "close", tab, current=True)
    line.add(" ", "tab", tab, current=current)


def _add_more(
    line: _Line, arrow: str, hidden: Sequence[Tab], nearest: Tab, signs: dict[Mark, str]
) -> None:
    marks: list[Mark] = [tab.mark for tab in hidden]
    mark = min(marks, key=URGENCY.index)
    line.add(f"{arrow}{len(hidden)}", "more", nearest)
    if mark:
        line.add(signs[mark], "more", nearest, mark=mark)
    line.add(" ", "more", nearest)


def cut(text: str, cells: int) -> str:
    """`text` in at most `cells`, with an ellipsis where something is missing."""
    if cell_len(text) <= cells:
        return text
    return set_cell_size(text, max(0, cells - 1)).rstrip() + "…"


def _width_of(number: int, tab: Tab, title: int, signs: dict[Mark, str]) -> int:
    mark = cell_len(signs[tab.mark]) + 1 if tab.mark else 0
    close = cell_len(_CLOSE) if tab.is_current else 0
    return len(f" {number + 1} ") + mark + min(cell_len(tab.title), title) + close + 1


def _title_width(tabs: Sequence[Tab], room: int, signs: dict[Mark, str]) -> int:
    """The most cells for a title with which all tabs fit; less than `LEAST_TITLE`: they don't."""
    for title in range(WIDEST_TITLE, LEAST_TITLE - 1, -1):
        widths = (_width_of(number, tab, title, signs) for number, tab in enumerate(tabs))
        if sum(widths) <= room:
            return title
    return 0


def _window(tabs: Sequence[Tab], room: int, signs: dict[Mark, str]) -> tuple[int, int]:
    """From which tab to before which one there is room, the current one among them."""
    widths = [_width_of(number, tab, LEAST_TITLE, signs) for number, tab in enumerate(tabs)]
    current = next((place for place, tab in enumerate(tabs) if tab.is_current), 0)
    first, last = current, current + 1
    used = widths[current] + 2 * _MORE
    grown = True
    while grown:
        grown = False
        if last < len(tabs) and used + widths[last] <= room:
            used += widths[last]
            last += 1
            grown = True
        if first and used + widths[first - 1] <= room:
            first -= 1
            used += widths[first]
            grown = True
    return first, last
