"""SectionHead: the sections of a thing in one line, and a note on what is shown below it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.style import Style
from textual import events
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from chatglass.tui.component_style import component_style
from chatglass.tui.lines.cells import Cell, fit, row
from chatglass.values.text import one_line

BEFORE, AFTER = "‹", "›"
"""There are more sections on that side than there is room for."""


class SectionHead(Widget):
    """Two lines of fixed height: a new section or note is painted, never laid out.

    Names are whole words, with their key before them. Where not all fit, as many as do stand around
    the chosen one.
    """

    DEFAULT_CSS = """
    SectionHead { height: 2; width: 1fr; }
    SectionHead > .section-head--chosen { background: $accent 40%; text-style: bold; }
    SectionHead > .section-head--other { color: $foreground 70%; }
    SectionHead > .section-head--note { color: $foreground 70%; text-style: italic; }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "section-head--chosen",
        "section-head--other",
        "section-head--note",
    }
    ALLOW_SELECT = False

    class Picked(Message):
        """A section was clicked."""

        def __init__(self, section: str) -> None:
            super().__init__()
            self.section = section

    def __init__(self, sections: Sequence[tuple[str, str]], *, id: str | None = None) -> None:
        """`sections`: names, and the words for them where there is little room."""
        super().__init__(id=id)
        self._sections = list(sections)
        self._section = sections[0][0]
        self._note = ""

    def show(self, section: str, note: str) -> None:
        if (section, note) != (self._section, self._note):
            self._section, self._note = section, note
            self.refresh()

    @property
    def note(self) -> str:
        return self._note

    def labels(self) -> list[tuple[str, str]]:
        """The sections that there is room for, each with its label; the chosen one in brackets, so
        that the choice shows without colours too. An arrow stands for the next one beyond."""
        names = [name for name, _ in self._sections]
        chosen = names.index(self._section)
        room = self.size.width
        long = [f"{number} {name}" for number, name in enumerate(names, 1)]
        short = [f"{number} {label}" for number, (_, label) in enumerate(self._sections, 1)]
        for form in (long, short):
            if sum(len(label) + 2 for label in form) <= room:
                return self._framed(form, range(len(form)))
        first = last = chosen
        used = len(long[chosen]) + 2
        form = [*short[:chosen], long[chosen], *short[chosen + 1 :]]
        while first > 0 or last < len(form) - 1:
            # The next ones come first: they are where one goes.
            sides = [side for side in (last + 1, first - 1) if 0 <= side < len(form)]
            side = next((s for s in sides if used + len(form[s]) + 2 <= room - 2), None)
            if side is None:
                break
            used += len(form[side]) + 2
            first, last = min(first, side), max(last, side)
        labels = self._framed(form, range(first, last + 1))
        if first > 0:
            labels.insert(0, (names[first - 1], BEFORE))
        if last < len(form) - 1:
            labels.append((names[last + 1], AFTER))
        return labels

    def _framed(self, form: list[str], places: range) -> list[tuple[str, str]]:
        named = [(self._sections[place][0], form[place]) for place in places]
        return [(n, f"[{text}]" if n == self._section else f" {text} ") for n, text in named]

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        if y == 0:
            cells: list[Cell] = [
                (label, self._style("chosen" if name == self._section else "other"))
                for name, label in self.labels()
            ]
        else:
            cells = [(fit(one_line(self._note, width), width), self._style("note"))]
        return row(cells).adjust_cell_length(width).apply_style(self.rich_style)

    def _style(self, part: str) -> Style:
        return component_style(self, f"section-head--{part}")

    def on_click(self, event: events.Click) -> None:
        left = 0
        for name, label in self.labels():
            if event.y == 0 and left <= event.x < left + len(label):
                self.post_message(self.Picked(name))
                return
            left += len(label)
