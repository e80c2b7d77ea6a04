"""CoverScreen: a screen that covers the chat until Esc closes it."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.screen import ModalScreen, ScreenResultType

from chatglass.tui.actions.registry import ACTIONS
from chatglass.values.text import visible

if TYPE_CHECKING:
    from textual.notifications import SeverityLevel


class CoverScreen(ModalScreen[ScreenResultType]):
    """Ends with None where it is closed.

    A subclass has keys of its own place (`ACTION_PLACE`) and a footer of them; of the app's keys,
    which a modal screen keeps out, it lets through what must work everywhere.
    """

    DEFAULT_CSS = """
    CoverScreen .cover--panel {
        border: round $accent; border-title-color: $text-accent;
        border-subtitle-color: $text-muted; padding: 0 1; height: 1fr;
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        *ACTIONS.bindings("screen"),
        Binding("f1", "app.do('help.keys')", "Keys", show=False, id="help.keys"),
        Binding("ctrl+c", "app.do('app.interrupt')", "Close", show=False, id="app.interrupt"),
        Binding("ctrl+q", "app.do('app.quit')", "Quit", show=False),
    ]

    def action_close(self) -> None:
        self.dismiss(None)

    def say(self, text: str, severity: SeverityLevel = "information") -> None:
        """A short notice at the edge of the screen."""
        self.app.notify(visible(text), severity=severity, markup=False)

    async def copy(self, text: str, what: str) -> None:
        """Copy, and say truthfully how; `what` names it, as in “The text was …”."""
        from chatglass.tui.clipboard import copy

        self.say(f"The {what} was {await copy(self.app, text)}.")
