"""QuestionDialog: a question of a server, which no key answers by accident."""

from __future__ import annotations

from typing import TypeVar

from textual import events
from textual.screen import ModalScreen

from chatglass.tui.dialogs.deafness import Deafness

Answer = TypeVar("Answer")


class QuestionDialog(ModalScreen[Answer | None]):
    """Ends with an answer, or with None where it was closed without one.

    Actions that answer call `hears` first.
    """

    def __init__(self) -> None:
        super().__init__()
        self.deafness = Deafness()

    def on_mount(self) -> None:
        self.deafness.begin()

    def hears(self) -> bool:
        return self.deafness.is_over

    def on_key(self, event: events.Key) -> None:
        """A key that nothing here is bound to: somebody still types."""
        bound = event.key in self._bindings.key_to_bindings or event.key == "space"
        if event.is_printable and not bound:
            self.deafness.begin()

    def action_close(self) -> None:
        if self.hears():
            self.dismiss(None)
