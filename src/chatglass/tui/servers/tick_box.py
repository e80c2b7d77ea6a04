"""Check boxes that can be told apart without colours."""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Checkbox

from chatglass.tools.mcp.forms import Choice
from chatglass.values.text import one_line


class TickBox(Checkbox):
    DEFAULT_CSS = """
    TickBox { border: none; padding: 0; height: auto; background: transparent; }
    TickBox:focus { border: none; }
    """

    @property
    def BUTTON_INNER(self) -> str:  # pyright: ignore[reportIncompatibleVariableOverride]
        return "✓" if self.value else " "


class TickBoxes(Vertical):
    """Choices of which any may be taken."""

    DEFAULT_CSS = "TickBoxes { height: auto; }"

    def __init__(self, choices: Sequence[Choice], taken: Sequence[object]) -> None:
        super().__init__()
        self._boxes = {
            choice.value: TickBox(
                Content(one_line(choice.label, 200)), value=choice.value in taken, compact=True
            )
            for choice in choices
        }

    def compose(self) -> ComposeResult:
        yield from self._boxes.values()

    @property
    def taken(self) -> list[str]:
        return [value for value, box in self._boxes.items() if box.value]

    def focus(self, scroll_visible: bool = True) -> TickBoxes:
        for box in list(self._boxes.values())[:1]:
            box.focus(scroll_visible)
        return self
