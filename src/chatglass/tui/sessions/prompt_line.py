"""PromptLine: the last line of the session list, which tells the keys, asks and reports."""

from __future__ import annotations

from typing import ClassVar, Literal

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.message import Message
from textual.widgets import Input, Static

KEYS = "Enter open · F2 rename · Tab list: r rename, Del delete · Esc close"
"""Fits 80 columns."""


class PromptLine(Horizontal):
    """One line: a hint, or a text to edit, or a question that only `y` says yes to."""

    DEFAULT_CSS = """
    PromptLine { height: 1; color: $foreground 60%; }
    PromptLine.-asking { color: $text-warning; }
    PromptLine > Static { width: 1fr; height: 1; }
    PromptLine > Input { height: 1; border: none; padding: 0; width: 1fr; display: none; }
    PromptLine.-text > Static { width: auto; }
    PromptLine.-text > Input { display: block; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "cancel", "Cancel", show=False)]

    class Answered(Message):
        """The answer about `subject`: the text that was entered, or None for a yes."""

        def __init__(self, subject: str, text: str | None) -> None:
            super().__init__()
            self.subject = subject
            self.text = text

    class Cancelled(Message):
        """The question was put away."""

    def __init__(self) -> None:
        super().__init__()
        self._line = Static(Content(KEYS))
        self._input = Input(compact=True)
        self._asks: Literal["", "text", "yes"] = ""
        self._subject = ""

    def compose(self) -> ComposeResult:
        yield self._line
        yield self._input

    @property
    def asking(self) -> bool:
        return bool(self._asks)

    @property
    def text(self) -> str:
        """What the line says."""
        return str(self._line.content)

    def say(self, sentence: str) -> None:
        """Show a sentence until the next question."""
        self._ask("", Content(sentence))

    def ask_text(self, label: str, text: str, subject: str) -> None:
        """Let `text` be edited."""
        self._subject = subject
        self._ask("text", Content(f"{label}: "))
        self._input.value = text
        self._input.focus()
        self._input.action_select_all()

    def ask_yes(self, question: str, subject: str) -> None:
        """Ask; every key but `y` means no."""
        self._subject = subject
        self._ask("yes", Content(f"{question}  y yes · any other key no"))
        self.focus()

    def cancel(self) -> None:
        if self._asks:
            self._done()
            self.post_message(self.Cancelled())

    def action_cancel(self) -> None:
        self.cancel()

    def _ask(self, asks: Literal["", "text", "yes"], line: Content) -> None:
        self._asks = asks
        # Only a question has anything to answer; Tab passes the line otherwise.
        self.can_focus = asks == "yes"
        self.set_class(bool(asks), "-asking")
        self.set_class(asks == "text", "-text")
        self._line.update(line)

    def _done(self) -> None:
        self._ask("", Content(KEYS))

    def on_key(self, event: events.Key) -> None:
        if self._asks != "yes" or not self.has_focus:
            return
        event.stop()
        event.prevent_default()
        if event.key == "y":
            self._done()
            self.post_message(self.Answered(self._subject, None))
        else:
            self.cancel()

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self._done()
        self.post_message(self.Answered(self._subject, event.value))
