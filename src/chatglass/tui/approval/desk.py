"""ApprovalDesk: brings what waits for an answer to the panel, and the answers back."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from textual.widgets import Input, TextArea

from chatglass.config.errors import ConfigError
from chatglass.tui.approval.words import ChatWords
from chatglass.tui.budget.asker import BudgetAsker

if TYPE_CHECKING:
    from chatglass.chat.ports import Pause, PendingCall
    from chatglass.tui.approval.panel import ApprovalPanel
    from chatglass.tui.open_session import OpenSession
    from chatglass.tui.screens.chat_screen import ChatScreen


class ApprovalDesk:
    """For the chat screen, whose panel asks only about the session on screen."""

    def __init__(self, chat: ChatScreen) -> None:
        self._chat = chat
        self._budget = BudgetAsker(chat)
        self.words = ChatWords(chat)

    def changed(self, session: OpenSession) -> None:
        """Other questions of the session wait than before, or its budget is asked about."""
        chat = self._chat
        self.mark(session)
        self._budget.changed(session)
        waiting = session.approval.waiting
        if session is not chat.session:
            if waiting:
                chat.app.tabs.tell_question(session, _asks(waiting[0]))
            elif session.budget.waiting is None:
                chat.app.toasts.withdraw(session.id)
            return
        chat.signs.tell_state()
        for panel in self._panels():
            for question in panel.waiting:
                if all(question is not each for each in waiting):
                    panel.withdraw(question)
            for question in waiting:
                panel.ask(question, take_focus=self._may_take_focus(panel, session, question))

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
        self, panel: ApprovalPanel, session: OpenSession, question: PendingCall | Pause
    ) -> bool:
        """Not from a text that is being written; nor in another screen, whose keys mean other
        things there, but for what the user ran again from it."""
        if panel is self._chat.approval:
            return not self._is_typing
        return session.reruns is not None and question.tool_call_id in session.reruns

    @property
    def _is_typing(self) -> bool:
        """Whether keys go into a text that is being written."""
        chat = self._chat
        if not chat.composer.is_empty:
            return True
        return isinstance(chat.focused, (Input, TextArea)) and not chat.composer.area.has_focus

    def mark(self, session: OpenSession) -> None:
        """Say on the cards which calls wait; a call may be asked about before it is shown."""
        for question in session.approval.waiting:
            session.view.asking(question.tool_call_id)
            if session is self._chat.session and question.tool_call_id in session.view.calls:
                self._chat.calls.show_call(session.view.calls[question.tool_call_id])

    async def answered(self, message: ApprovalPanel.Answered) -> None:
        """Give the user's answer to the session that asked, with its rule on disk before."""
        session = self._chat.app.sessions.get(message.question.session_id)
        if session is None:
            return
        answer = message.answer
        if message.rule is not None:
            answer = await self._save(message, session)
        session.approval.answer(message.question, answer, grant=message.grant)

    async def _save(self, message: ApprovalPanel.Answered, session: OpenSession) -> Any:
        from dataclasses import replace

        from chatglass.chat.ports import Decision
        from chatglass.tools.rules.rule_book import SavedRule

        workspace, chat = self._chat.app.workspace, self._chat
        answer, rule = message.answer, message.rule
        assert workspace is not None
        assert rule is not None
        assert isinstance(answer, Decision)
        saved = SavedRule("allow", rule, session.approval.policy.grants.root)
        try:
            await asyncio.to_thread(workspace.rules.save, saved)
        except ConfigError as error:
            chat.say(f"{error} The call runs this once.", "error")
            return replace(answer, decided_by="user")
        chat.say(f"Saved: {rule}. /rules lists the rules.")
        return answer


def _asks(question: PendingCall | Pause) -> str:
    from chatglass.chat.ports import Pause

    return "asks to go on" if isinstance(question, Pause) else "asks about a tool call"
