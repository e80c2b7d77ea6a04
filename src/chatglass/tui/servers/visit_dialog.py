"""VisitDialog: a server wants the user to open an address, to sign in or to answer there."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from chatglass.tui.dialogs.dialogs import DIALOG_CSS
from chatglass.tui.servers.question import QuestionDialog
from chatglass.values.text import one_line, visible

_ANSWERS = "1  Open it in the browser\n2  No (Esc)\nc  Copy the address"


class VisitDialog(QuestionDialog[bool]):
    """True: the address is to be opened."""

    BINDINGS = [
        Binding("1", "answer(True)", "Open", show=False),
        Binding("2", "answer(False)", "No", show=False),
        Binding("c", "copy", "Copy", show=False),
        Binding("escape,ctrl+c", "close", "No", show=False),
    ]
    DEFAULT_CSS = (
        DIALOG_CSS.format(name="VisitDialog", width=90, height="auto")
        + "VisitDialog > Vertical { border: round $warning; }"
        + "VisitDialog .question { height: auto; max-height: 60vh; margin-bottom: 1; }"
    )

    def __init__(self, title: str, message: str, url: str) -> None:
        super().__init__()
        self._heading = one_line(title, 70)
        self._message = message
        self.url = url

    def compose(self) -> ComposeResult:
        with Vertical() as panel:
            panel.border_title = Content(self._heading)  # pyright: ignore[reportAttributeAccessIssue]
            words = visible(f"{self._message[:2_000]}\n\n{self.url}")
            yield Static(words, classes="question", markup=False)
            yield Static(_ANSWERS, classes="hint", markup=False)

    def action_answer(self, yes: bool) -> None:
        if self.hears():
            self.dismiss(yes)

    async def action_copy(self) -> None:
        from chatglass.tui.clipboard import copy

        told = await copy(self.app, self.url)
        self.app.notify(f"The address was {told}.", markup=False)
