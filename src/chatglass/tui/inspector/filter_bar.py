"""FilterBar: the line in which the filter of the calls is typed."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import Input


class FilterBar(Input):
    """Hidden until it is needed. Filters while typing; Enter keeps the filter, Escape drops it."""

    DEFAULT_CSS = """
    FilterBar { height: 1; border: none; padding: 0; display: none; }
    FilterBar:focus { border: none; }
    FilterBar.-shown { display: block; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,down,tab", "keep", "Keep the filter", show=False),
        Binding("escape", "drop", "Drop the filter", show=False),
    ]

    class Typed(Message):
        """The text is another."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    class Closed(Message):
        """The list is wanted again; `kept` false: without a filter."""

        def __init__(self, kept: bool) -> None:
            super().__init__()
            self.kept = kept

    def __init__(self) -> None:
        super().__init__(
            placeholder="tool:read server:git is:error slow>2s size>10k words", compact=True
        )

    def open(self, text: str) -> None:
        self.value = text
        self.add_class("-shown")
        self.focus()
        self.cursor_position = len(text)

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        if self.has_class("-shown"):
            self.post_message(self.Typed(event.value))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()

    def action_keep(self) -> None:
        self._close(kept=True)

    def action_drop(self) -> None:
        self._close(kept=False)

    def _close(self, *, kept: bool) -> None:
        self.remove_class("-shown")
        self.post_message(self.Closed(kept))
