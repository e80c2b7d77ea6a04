"""The widgets inside the approval panel: the lines of the question, and the row of answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from rich.segment import Segment
from textual import events
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.widget import Widget

from chatglass.tui.approval.question import Line
from chatglass.tui.component_style import component_style
from chatglass.values.text import one_line


class QuestionView(ScrollView):
    """The lines of the question; scrolls, has no focus of its own."""

    can_focus = False
    COMPONENT_CLASSES = {
        f"question--{tone}"
        for tone in ("name", "label", "why", "added", "removed", "hunk", "chosen")
    }
    DEFAULT_CSS = """
    QuestionView { height: 3; scrollbar-size-vertical: 1; }
    QuestionView > .question--name { text-style: bold; }
    QuestionView > .question--label { color: $text-muted; }
    QuestionView > .question--why { color: $text-warning; }
    QuestionView > .question--added { color: $text-success; }
    QuestionView > .question--removed { color: $text-error; }
    QuestionView > .question--hunk { color: $text-muted; }
    QuestionView > .question--chosen { background: $accent 35%; text-style: bold; }
    """

    @dataclass
    class LineClicked(Message):
        row: int

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[Line] = []

    def show(self, lines: list[Line]) -> None:
        self.lines = lines
        self.virtual_size = Size(0, len(lines))
        self.refresh()

    @property
    def place(self) -> tuple[int, int]:
        """The first and the last line on screen, from 1."""
        first = self.scroll_offset.y
        return first + 1, min(len(self.lines), first + self.size.height)

    def on_click(self, event: events.Click) -> None:
        self.post_message(self.LineClicked(self.scroll_offset.y + event.y))

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        index = self.scroll_offset.y + y
        base = self.rich_style
        if index >= len(self.lines):
            return Strip.blank(width, base)
        line = self.lines[index]
        style = base
        if line.tone:
            style += component_style(self, f"question--{line.tone}")
        segments = [Segment(" " * line.indent, base), Segment(line.text, style)]
        return Strip(segments).adjust_cell_length(width, base)


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer in the row: its key, its label, and the panel's action that gives it."""

    key: str
    label: str
    action: str

    @property
    def cells(self) -> int:
        return cell_len(self.key) + 1 + cell_len(self.label)


_GAP = 2


class Answers(Widget):
    """The answers with their keys, side by side in as few lines as they take; a click gives one."""

    DEFAULT_CSS = """
    Answers { height: auto; }
    Answers > .answers--key { color: $text-accent; text-style: bold; }
    """
    COMPONENT_CLASSES = {"answers--key"}

    @dataclass
    class Clicked(Message):
        action: str

    def __init__(self) -> None:
        super().__init__()
        self._answers: tuple[Answer, ...] = ()

    def show(self, answers: Sequence[Answer]) -> None:
        if tuple(answers) != self._answers:
            self._answers = tuple(answers)
            self.refresh(layout=True)

    def rows(self, width: int) -> list[list[Answer]]:
        """The answers by line, where a line has `width` cells."""
        lines: list[list[Answer]] = []
        left = 0
        for answer in self._answers:
            if not lines or answer.cells > left:
                lines.append([])
                left = width
            lines[-1].append(answer)
            left -= answer.cells + _GAP
        return lines

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return max(1, len(self.rows(width)))

    def at(self, x: int, y: int) -> Answer | None:
        rows = self.rows(self.size.width)
        if not 0 <= y < len(rows):
            return None
        start = 0
        for answer in rows[y]:
            if start <= x < start + answer.cells:
                return answer
            start += answer.cells + _GAP
        return None

    def on_click(self, event: events.Click) -> None:
        event.stop()
        answer = self.at(event.x, event.y)
        if answer is not None:
            self.post_message(self.Clicked(answer.action))

    def render_line(self, y: int) -> Strip:
        width, base = self.size.width, self.rich_style
        rows = self.rows(width)
        if y >= len(rows):
            return Strip.blank(width, base)
        key_style = base + component_style(self, "answers--key")
        segments: list[Segment] = []
        for answer in rows[y]:
            segments.append(Segment(answer.key, key_style))
            label = one_line(answer.label, max(4, width - cell_len(answer.key) - 1))
            segments.append(Segment(" " + label + " " * _GAP, base))
        return Strip(segments).adjust_cell_length(width, base)
