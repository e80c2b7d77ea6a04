"""UsageHead: what is summed and of which days, as tabs on one line; a click chooses."""

from __future__ import annotations

from rich.segment import Segment
from textual import events
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from chatglass.spending.report import BYS
from chatglass.tui.dashboard.place import Place
from chatglass.tui.lines.cells import fit
from chatglass.values.text import one_line

_NAMES = {"day": "Day", "model": "Model", "tool": "Tool", "session": "Session"}


class UsageHead(Widget):
    DEFAULT_CSS = """
    UsageHead { height: 1; width: 1fr; color: $foreground 70%; }
    UsageHead > .usage-head--on { color: $text-accent; text-style: bold reverse; }
    """
    COMPONENT_CLASSES = {"usage-head--on"}

    class Clicked(Message):
        """A tab (`what` is what to sum by) or the range (empty) was clicked."""

        def __init__(self, what: str) -> None:
            super().__init__()
            self.what = what

    def __init__(self) -> None:
        super().__init__()
        self._place: Place | None = None

    def show(self, place: Place) -> None:
        self._place = place
        self.refresh()

    def _tabs(self) -> list[tuple[int, str, str]]:
        """(column, text, what to sum by)."""
        found: list[tuple[int, str, str]] = []
        at = 0
        for number, by in enumerate(BYS, start=1):
            text = f" {number} {_NAMES[by]} "
            found.append((at, text, by))
            at += len(text) + 1
        return found

    def render_line(self, y: int) -> Strip:
        width, base = self.size.width, self.rich_style
        place = self._place
        if place is None or y:
            return Strip.blank(width, base)
        on = base + self.get_component_rich_style("usage-head--on", partial=True)
        pieces: list[Segment] = []
        for _, text, by in self._tabs():
            pieces += [Segment(text, on if by == place.by else base), Segment(" ", base)]
        used = sum(len(piece.text) for piece in pieces)
        within = f"in {one_line(place.within, 80)}   " if place.within else ""
        pieces.append(Segment(fit(f"{within}{place.span_name}", width - used, "right"), base))
        return Strip(pieces).adjust_cell_length(width, base)

    def on_click(self, event: events.Click) -> None:
        for at, text, by in self._tabs():
            if at <= event.x < at + len(text):
                self.post_message(self.Clicked(by))
                return
        last_at, last_text, _ = self._tabs()[-1]
        if event.x > last_at + len(last_text):
            self.post_message(self.Clicked(""))
