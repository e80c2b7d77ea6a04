"""BudgetAsker: puts the budget question of the session on screen into a dialog."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from chatglass.spending.budgets import BudgetAnswer
    from chatglass.tui.budget.dialog import BudgetDialog
    from chatglass.tui.open_session import OpenSession
    from chatglass.tui.screens.chat_screen import ChatScreen


class BudgetAsker:
    def __init__(self, chat: ChatScreen) -> None:
        self._chat = chat
        self._dialog: BudgetDialog | None = None

    def changed(self, session: OpenSession) -> None:
        """The session's question has come or gone, or the session is on screen now."""
        question = session.budget.waiting
        if session is not self._chat.session:
            if question is not None:
                self._chat.app.tabs.tell_question(session, "asks about its budget")
            return
        dialog = self._dialog
        if dialog is not None and dialog.question is not question:
            self._dialog = None
            if dialog.is_current:
                dialog.dismiss(None)
        if question is not None and self._dialog is None:
            self._show(session)

    def _show(self, session: OpenSession) -> None:
        from chatglass.tui.budget.dialog import BudgetDialog

        question = session.budget.waiting
        assert question is not None

        def answered(answer: BudgetAnswer | None) -> None:
            self._dialog = None
            if answer is not None:
                session.budget.answer(question, answer)

        self._dialog = BudgetDialog(question, session.title)
        self._chat.app.push_screen(self._dialog, answered)
