"""QuestionDialog: a question of a server, which no key answers by accident."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from textual import events
from textual.screen import ModalScreen

DEAF_SECONDS = 0.3
"""Keys answer nothing for so long after it came, or after a key that is no answer: they were meant
for what was there before."""

Answer = TypeVar("Answer")


class QuestionDialog(ModalScreen[Answer | None]):
    """Ends with an answer, or with None where it was closed without one.

    Actions that answer call `hears` first.
    """

    clock: Callable[[], float] = staticmethod(time.monotonic)

    def __init__(self) -> None:
        super().__init__()
        self._hears_from = float("inf")

    def on_mount(self) -> None:
        self._hears_from = self.clock() + DEAF_SECONDS

    def hears(self) -> bool:
        return self.clock() >= self._hears_from

    def on_key(self, event: events.Key) -> None:
        """A key that nothing here is bound to: somebody still types."""
        bound = event.key in self._bindings.key_to_bindings or event.key == "space"
        if event.is_printable and not bound:
            self._hears_from = self.clock() + DEAF_SECONDS

    def action_close(self) -> None:
        if self.hears():
            self.dismiss(None)
