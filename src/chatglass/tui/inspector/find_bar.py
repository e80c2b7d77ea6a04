"""FindBar: one line to search in the text above it."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import Input


class FindBar(Input):
    """Hidden until it is needed. Searches while typing; Enter goes on, Escape ends it."""

    DEFAULT_CSS = """
    FindBar { height: 1; border: none; padding: 0; display: none; }
    FindBar:focus { border: none; }
    FindBar.-shown { display: block; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,down", "step(1)", "Next match", show=False),
        Binding("up", "step(-1)", "Match before", show=False),
        Binding("escape", "close", "End search", show=False),
    ]

    class BarMessage(Message):
        """`control` is the bar, so that handlers can name the one they mean."""

        def __init__(self, bar: FindBar) -> None:
            super().__init__()
            self.bar = bar

        @property
        def control(self) -> FindBar:
            return self.bar

    class Sought(BarMessage):
        """The text to find is another; empty ends the search."""

        def __init__(self, bar: FindBar, sought: str) -> None:
            super().__init__(bar)
            self.sought = sought

    class Stepped(BarMessage):
        """Go to the next match (1) or the one before (-1)."""

        def __init__(self, bar: FindBar, step: int) -> None:
            super().__init__(bar)
            self.step = step

    class Closed(BarMessage):
        """Escape: the bar is hidden, the marks may go."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(placeholder="find: capitals count if you type one", compact=True, id=id)

    def open(self) -> None:
        self.add_class("-shown")
        self.focus()
        self.action_select_all()

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        if self.has_class("-shown"):
            self.post_message(self.Sought(self, event.value))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()

    def action_step(self, step: int) -> None:
        self.post_message(self.Stepped(self, step))

    def action_close(self) -> None:
        self.remove_class("-shown")
        self.value = ""
        self.post_message(self.Closed(self))
