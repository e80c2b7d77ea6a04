"""SectionHead: the sections of a call in one line, and a note on what is shown below it."""

from __future__ import annotations

from typing import ClassVar

from rich.style import Style
from textual import events
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from chatglass.tui.component_style import component_style
from chatglass.tui.inspector.sections.catalog import NAMES
from chatglass.tui.inspector.sections.section import SectionName
from chatglass.tui.lines.cells import Cell, fit, row
from chatglass.values.text import one_line


class SectionHead(Widget):
    """Two lines of fixed height: a new section or note is painted, never laid out."""

    DEFAULT_CSS = """
    SectionHead { height: 2; width: 1fr; }
    SectionHead > .section-head--chosen { background: $accent 40%; text-style: bold; }
    SectionHead > .section-head--other { color: $foreground 60%; }
    SectionHead > .section-head--note { color: $foreground 60%; text-style: italic; }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "section-head--chosen",
        "section-head--other",
        "section-head--note",
    }
    ALLOW_SELECT = False

    class Picked(Message):
        """A section was clicked."""

        def __init__(self, section: SectionName) -> None:
            super().__init__()
            self.section: SectionName = section

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._section: SectionName = "arguments"
        self._note = ""

    def show(self, section: SectionName, note: str) -> None:
        if (section, note) != (self._section, self._note):
            self._section, self._note = section, note
            self.refresh()

    @property
    def note(self) -> str:
        return self._note

    def labels(self) -> list[tuple[SectionName, str]]:
        """Each section with its label, shortened until all fit; the chosen one in brackets, so
        that the choice shows without colours too."""
        forms: list[list[str]] = [
            [f"{number} {name}" for number, name in enumerate(NAMES, 1)],
            list(NAMES),
            [name if name == self._section else name[:3] for name in NAMES],
            [name if name == self._section else str(n) for n, name in enumerate(NAMES, 1)],
        ]
        fitting = (
            form for form in forms if sum(len(label) + 2 for label in form) <= self.size.width
        )
        return [
            (name, f"[{label}]" if name == self._section else f" {label} ")
            for name, label in zip(NAMES, next(fitting, forms[-1]), strict=True)
        ]

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
