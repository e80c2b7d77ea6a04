"""The completion list above the composer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from textual import events
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from chatglass.tui.component_style import component_style
from chatglass.values.text import one_line

MOST_ROWS = 8


@dataclass(frozen=True, slots=True)
class Completion:
    """`value` goes into the text; `label` and `detail` are shown."""

    value: str
    label: str
    detail: str = ""
    goes_on: bool = False
    """More is to be typed or chosen behind it."""


class CompletionList(Widget):
    """A few lines over the bottom of the transcript. Has no focus: the editor passes it its keys."""

    DEFAULT_CSS = """
    CompletionList {
        overlay: screen; constrain: inside inside; display: none;
        width: 1fr; background: $panel; color: $foreground;
    }
    CompletionList > .completion-list--cursor { background: $accent 35%; text-style: bold; }
    CompletionList > .completion-list--detail { color: $text-muted; }
    """
    COMPONENT_CLASSES = {"completion-list--cursor", "completion-list--detail"}

    @dataclass
    class Clicked(Message):
        """A row was clicked; it is the current one now."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._rows: list[Completion] = []
        self._at = 0
        self._top = 0

    @property
    def is_open(self) -> bool:
        return bool(self._rows)

    @property
    def current(self) -> Completion | None:
        return self._rows[self._at] if self._rows else None

    @property
    def rows(self) -> list[Completion]:
        return self._rows

    def open(self, rows: Sequence[Completion]) -> None:
        """Show these; none closes it. The current row stays where it is still among them."""
        if list(rows) == self._rows:
            return
        before = self.current
        self._rows = list(rows)
        self._at = self._rows.index(before) if before in self._rows else 0
        self._top = 0
        self._scroll()
        height = min(len(self._rows), MOST_ROWS)
        self.styles.height = max(1, height)
        # The list stands on the composer's first line: past its border, then its own height up.
        self.styles.offset = (0, -height - 1)
        self.display = bool(self._rows)
        self.refresh()

    def close(self) -> None:
        self.open([])

    def move(self, by: int) -> None:
        """Move the current row, round the ends."""
        if self._rows:
            self._at = (self._at + by) % len(self._rows)
            self._scroll()
            self.refresh()

    def _scroll(self) -> None:
        self._top = min(self._top, self._at)
        self._top = max(self._top, self._at - MOST_ROWS + 1)

    def on_click(self, event: events.Click) -> None:
        event.stop()
        index = self._top + event.y
        if index < len(self._rows):
            self._at = index
            self.post_message(self.Clicked())

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        index = self._top + y
        if index >= len(self._rows):
            return Strip.blank(width, self.rich_style)
        row = self._rows[index]
        cursor = index == self._at
        style = self.rich_style
        if cursor:
            style += component_style(self, "completion-list--cursor")
        detail_style = style
        if not cursor:
            detail_style += component_style(self, "completion-list--detail")
        widest = max(cell_len(shown.label) for shown in self._rows)
        column = min(widest, max(12, width // 2)) + 2
        label = one_line(row.label, 400)
        mark = "› " if cursor else "  "
        if cell_len(label) > column - 1 and row.detail:
            label = set_cell_size(label, column - 2) + "…"
        segments = [
            Segment(mark, style),
            Segment(set_cell_size(label, column) if row.detail else label, style),
            Segment(one_line(row.detail, 400), detail_style),
        ]
        return Strip(segments).adjust_cell_length(width, style)
