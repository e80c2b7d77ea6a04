"""PromptLine: the line of the session browser that asks and reports."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.message import Message
from textual.widgets import Input, Static


class PromptLine(Horizontal):
    """One line: a hint, or a text to edit; it is there while it says something."""

    DEFAULT_CSS = """
    PromptLine { height: 1; color: $text-muted; }
    PromptLine.-silent { display: none; }
    PromptLine.-asking { color: $text-warning; }
    PromptLine > Static { width: 1fr; height: 1; }
    PromptLine > Input { height: 1; border: none; padding: 0; width: 1fr; display: none; }
    PromptLine.-asking > Static { width: auto; }
    PromptLine.-asking > Input { display: block; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "cancel", "Cancel", show=False)]

    class Answered(Message):
        """The text that was entered about `subject`."""

        def __init__(self, subject: str, text: str) -> None:
            super().__init__()
            self.subject = subject
            self.text = text

    class Cancelled(Message):
        """The question was put away."""

    def __init__(self) -> None:
        super().__init__(classes="-silent")
        self._line = Static(markup=False)
        self._input = Input(compact=True)
        self._subject = ""
        self._hint = ""

    def compose(self) -> ComposeResult:
        yield self._line
        yield self._input

    @property
    def asking(self) -> bool:
        return bool(self._subject)

    @property
    def text(self) -> str:
        """What the line says."""
        return str(self._line.content)

    def hint(self, sentence: str) -> None:
        """What stands there while there is nothing to report; empty for nothing."""
        self._hint = sentence
        if not self.asking:
            self._show("", self._hint)

    def say(self, sentence: str) -> None:
        """Show a sentence until there is another hint or question."""
        self._show("", sentence)

    def ask_text(self, label: str, text: str, subject: str) -> None:
        """Let `text` be edited."""
        self._show(subject, f"{label}: ")
        self._input.value = text
        self._input.focus()
        self._input.action_select_all()

    def cancel(self) -> None:
        if self.asking:
            self._show("", self._hint)
            self.post_message(self.Cancelled())

    def action_cancel(self) -> None:
        self.cancel()

    def _show(self, subject: str, line: str) -> None:
        # With each key of a search; laying the screen out again takes longer than the search.
        if (subject, line) == (self._subject, self.text):
            return
        asking = bool(subject) != self.asking
        self._subject = subject
        self.set_class(bool(subject), "-asking")
        self.set_class(not line, "-silent")
        self._line.update(Content(line), layout=asking or bool(subject))

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        subject = self._subject
        self._show("", self._hint)
        self.post_message(self.Answered(subject, event.value))
