"""ListHead: the names of the columns above the session list; a click sorts by one."""

from __future__ import annotations

from rich.segment import Segment
from textual import events
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from chatglass.tui.lines.cells import fit
from chatglass.tui.sessions.session_words import Order, columns

_ORDER_OF: dict[str, Order] = {"msgs": "length", "age": "time", "date": "time", "cost": "cost"}


class ListHead(Widget):
    """Shows the order by `▾` before the column that it follows."""

    DEFAULT_CSS = """
    ListHead { height: 1; width: 1fr; color: $foreground 70%; text-style: underline; }
    """

    class OrderChosen(Message):
        def __init__(self, order: Order) -> None:
            super().__init__()
            self.order: Order = order

    def __init__(self) -> None:
        super().__init__()
        self._order: Order = "time"

    def show_order(self, order: Order) -> None:
        self._order = order
        self.refresh()

    def _heads(self) -> list[tuple[int, str, str]]:
        """(first column, text in its full width, name)."""
        # The list keeps its last column for the scroll bar.
        width = self.size.width - 1
        shown = columns(width)
        at = width - shown.taken
        heads: list[tuple[int, str, str]] = []
        for name, cells, side in shown.heads():
            sorts = _ORDER_OF.get(name) == self._order and name != "date"
            heads.append((at, " " + fit("▾" * sorts + name, cells, side), name))
            at += cells + 1
        return heads

    def render_line(self, y: int) -> Strip:
        heads = self._heads()
        width = self.size.width
        text = fit("  title", heads[0][0]) + "".join(text for _, text, _ in heads)
        return Strip([Segment(fit(text, width), self.rich_style)], width)

    def on_click(self, event: events.Click) -> None:
        for first, text, name in self._heads():
            if first <= event.x < first + len(text) and name in _ORDER_OF:
                self.post_message(self.OrderChosen(_ORDER_OF[name]))
