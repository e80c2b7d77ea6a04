"""BudgetDialog: the question before a request that would pass a budget."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from chatglass.spending.budgets import BudgetAnswer, BudgetQuestion, Scope
from chatglass.tui.dialogs.deafness import Deafness
from chatglass.tui.dialogs.dialogs import DIALOG_CSS
from chatglass.values.text import one_line, visible

_LIFTED: dict[Scope, str] = {
    "start": "until chatglass is closed",
    "session": "in this session, until chatglass is closed",
    "day": "today",
}


class BudgetDialog(ModalScreen[BudgetAnswer | None]):
    """None where it was closed from outside, since the turn is over. Esc is a no."""

    BINDINGS = [
        Binding("1", "answer('once')", "Send it", show=False),
        Binding("2", "answer('lift')", "Send, and ask no more", show=False),
        Binding("3,escape,ctrl+c", "answer('stop')", "Do not send", show=False),
    ]
    DEFAULT_CSS = (
        DIALOG_CSS.format(name="BudgetDialog", width=78, height="auto")
        + "BudgetDialog > Vertical { border: round $warning; }"
        + "BudgetDialog .question { height: auto; max-height: 60vh; margin-bottom: 1; }"
    )

    def __init__(
        self,
        question: BudgetQuestion,
        title: str,
    ) -> None:
        """`title` is that of the session."""
        super().__init__()
        self.question = question
        self._heading = f"Budget: {one_line(title, 50)}" if title else "Budget"
        self.deafness = Deafness()

    def compose(self) -> ComposeResult:
        with Vertical() as panel:
            panel.border_title = Content(self._heading)  # pyright: ignore[reportAttributeAccessIssue]
            yield Static(visible(self.question.words), classes="question", markup=False)
            yield Static(self._answers(), classes="hint", markup=False)

    def _answers(self) -> str:
        scopes: list[Scope] = [breach.scope for breach in self.question.breaches]
        lifted = ", ".join(_LIFTED[scope] for scope in scopes) or "for this model, until the end"
        return (
            "1  Send this request\n"
            f"2  Send, and ask no more ({lifted})\n"
            "3  Do not send (Esc); /budget changes the limits"
        )

    def on_mount(self) -> None:
        self.deafness.begin()

    def action_answer(self, answer: BudgetAnswer) -> None:
        if self.deafness.is_over:
            self.dismiss(answer)
