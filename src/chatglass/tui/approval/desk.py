"""ApprovalDesk: brings the calls that wait for an answer to the panel, and the answers back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.widgets import Input

from chatglass.tui.budget.asker import BudgetAsker
from chatglass.values.text import one_line

if TYPE_CHECKING:
    from chatglass.tui.approval.panel import ApprovalPanel
    from chatglass.tui.open_session import OpenSession
    from chatglass.tui.screens.chat_screen import ChatScreen


class ApprovalDesk:
    """For the chat screen, whose panel asks only about the session on screen."""

    def __init__(self, chat: ChatScreen) -> None:
        self._chat = chat
        self._budget = BudgetAsker(chat)

    def changed(self, session: OpenSession) -> None:
        """Other calls of the session wait than before, or its budget is asked about."""
        chat = self._chat
        self.mark(session)
        self._budget.changed(session)
        if session is not chat.session:
            if session.approval.waiting:
                name = one_line(session.title, 60) or "A session"
                chat.say(f"{name} asks about a tool call.", "warning")
            return
        waiting = {call.tool_call_id for call in session.approval.waiting}
        for panel in self._panels():
            for call in panel.waiting:
                if call.tool_call_id not in waiting:
                    panel.withdraw(call.tool_call_id)
            for call in session.approval.waiting:
                panel.ask(call, take_focus=self._may_take_focus(panel, session, call.tool_call_id))

    @property
    def panel(self) -> ApprovalPanel:
        """The one that is on screen: a screen over the chat may have its own."""
        return self._panels()[-1]

    def _panels(self) -> list[ApprovalPanel]:
        """Of the chat screen, and of the screens over it that show tool calls."""
        over = (getattr(screen, "approval", None) for screen in self._chat.app.screen_stack)
        others = [panel for panel in over if panel is not None and panel is not self._chat.approval]
        return [self._chat.approval, *others]

    def _may_take_focus(
        self, panel: ApprovalPanel, session: OpenSession, tool_call_id: str
    ) -> bool:
        """Not from a text that is being written; nor in another screen, whose keys mean other
        things there, but for what the user ran again from it."""
        if panel is self._chat.approval:
            return not (isinstance(self._chat.focused, Input) or not self._chat.composer.is_empty)
        return session.reruns is not None and tool_call_id in session.reruns

    def mark(self, session: OpenSession) -> None:
        """Say on the cards which calls wait; a call may be asked about before it is shown."""
        for call in session.approval.waiting:
            session.view.asking(call.tool_call_id)
            if session is self._chat.session and call.tool_call_id in session.view.calls:
                self._chat.show_call(session.view.calls[call.tool_call_id])

    def answered(self, message: ApprovalPanel.Decided) -> None:
        """Give the user's answer to the session that asked."""
        session = self._chat.app.sessions.get(message.pending.session_id)
        if session is not None:
            session.approval.answer(message.tool_call_id, message.decision, grant=message.grant)
