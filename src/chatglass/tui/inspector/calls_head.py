"""CallsHead and Legend: the lines above the calls and below the timeline."""

from __future__ import annotations

from typing import ClassVar, Literal

from rich.style import Style
from textual import events
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from chatglass.tui.component_style import component_style
from chatglass.tui.inspector.timeline import SIGNS, Scale
from chatglass.tui.lines.cells import Cell, row
from chatglass.values.text import one_line

View = Literal["list", "timeline"]
Part = Literal["list", "timeline", "filter", "order", "scale"]


class LabelLine(Widget):
    """One line of labels, some of which can be clicked."""

    ALLOW_SELECT = False

    def labels(self) -> list[tuple[str, str, Part | None]]:
        """Text, component class (or empty) and what a click on it asks for."""
        return []

    class Picked(Message):
        def __init__(self, part: Part) -> None:
            super().__init__()
            self.part: Part = part

    def render_line(self, y: int) -> Strip:
        cells: list[Cell] = [
            (text, self._style(look) if look else None) for text, look, _ in self.labels()
        ]
        return row(cells).adjust_cell_length(self.size.width).apply_style(self.rich_style)

    def _style(self, look: str) -> Style:
        return component_style(self, look)

    def on_click(self, event: events.Click) -> None:
        left = 0
        for text, _, part in self.labels():
            if left <= event.x < left + len(text) and part is not None:
                self.post_message(self.Picked(part))
                return
            left += len(text)


class CallsHead(LabelLine):
    """How the calls are shown, what they are narrowed to, and in which order they stand."""

    DEFAULT_CSS = """
    CallsHead { height: 1; width: 1fr; }
    CallsHead > .calls-head--chosen { background: $accent 40%; text-style: bold; }
    CallsHead > .calls-head--other { color: $foreground 70%; }
    CallsHead > .calls-head--filter { color: $text-warning; text-style: bold; }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "calls-head--chosen",
        "calls-head--other",
        "calls-head--filter",
    }

    def __init__(self) -> None:
        super().__init__()
        self._facts: tuple[View, str, str] = ("list", "", "")

    def show(self, view: View, filtered: str, note: str) -> None:
        """`filtered` is the filter's text; `note` how many of how many are listed, and the order."""
        if (view, filtered, note) != self._facts:
            self._facts = (view, filtered, note)
            self.refresh()

    @property
    def note(self) -> str:
        return self._facts[2]

    def labels(self) -> list[tuple[str, str, Part | None]]:
        view, filtered, note = self._facts
        width = self.size.width
        found: list[tuple[str, str, Part | None]] = []
        for name in ("list", "timeline"):
            chosen = name == view
            label = f"[{name}]" if chosen else f" {name} "
            found.append((label, f"calls-head--{'chosen' if chosen else 'other'}", name))
        room = width - sum(len(text) for text, _, _ in found) - len(note) - 2
        label = f" {one_line(filtered, max(1, room - 1))}" if filtered else " f filter"
        label = label[: max(0, room)]
        look = "calls-head--filter" if filtered else "calls-head--other"
        found.append((label.ljust(max(0, room)), look, "filter"))
        found.append((f" {note} ", "calls-head--other", "order"))
        return found


class Legend(LabelLine):
    """What the signs of the timeline mean."""

    DEFAULT_CSS = """
    Legend { height: 1; width: 1fr; color: $foreground 70%; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._facts: tuple[Scale, str] = ("turn", "")

    def show(self, scale: Scale, zoom: str) -> None:
        if (scale, zoom) != self._facts:
            self._facts = (scale, zoom)
            self.refresh()

    def labels(self) -> list[tuple[str, str, Part | None]]:
        scale, zoom = self._facts
        long = ("approval", "queue", "run", "return", "model waits", "model writes")
        short = ("ask", "queue", "run", "return", "wait", "model")
        fitted = f"z: per {scale}{zoom}"
        width = self.size.width
        for names, gap in ((long, "  "), (short, "  "), (short, " ")):
            words = gap.join(
                f"{sign} {name}" for sign, name in zip(SIGNS.values(), names, strict=True)
            )
            if len(words) + len(fitted) + 3 <= width:
                return [(f" {words}".ljust(width - len(fitted) - 1) + fitted, "", "scale")]
        words = " ".join(f"{sign}{name}" for sign, name in zip(SIGNS.values(), short, strict=True))
        return [(words[:width], "", "scale")]
