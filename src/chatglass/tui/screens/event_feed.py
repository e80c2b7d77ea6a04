"""EventFeed: brings the chat screen up to what an engine told."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from chatglass.chat.events import Event, TurnFinished, TurnStatus
    from chatglass.tui.open_session import OpenSession
    from chatglass.tui.screens.chat_screen import ChatScreen

_ENDS: dict[TurnStatus, str] = {
    "complete": "has finished",
    "interrupted": "was stopped",
    "error": "has failed",
    "limit": "has ended at a limit",
}
"""How a turn ended in a tab that is not on screen."""


class EventFeed:
    """The transcript follows the session's view; this is for all that stands beside it."""

    def __init__(self, chat: ChatScreen) -> None:
        self._chat = chat

    def take(self, session: OpenSession, batch: Sequence[Event]) -> None:
        """The session's view has taken these events: bring the rest of the screen up to them."""
        from chatglass.chat.events import Notice, TurnFinished

        for event in batch:
            if isinstance(event, TurnFinished):
                self._turn_finished(session, event)
                self._chat.calls.turn_finished(session, event.turn_id)
            if isinstance(event, Notice) and event.kind == "store":
                session.store_failure = "" if session.unsaved else event.cause
        if session.approval.waiting:
            self._chat.approvals.mark(session)
        if session is not self._chat.session:
            return
        for event in batch:
            self._show_beside(session, event)
        self._chat.calls.events_shown(session, batch)
        self._chat.figures.take(session, batch)
        self._chat.countdown.watch()

    def _show_beside(self, session: OpenSession, event: Event) -> None:
        from chatglass.chat.events import (
            Compacted,
            Compacting,
            Notice,
            RequestStarted,
            TurnFinished,
            TurnStarted,
        )

        tool_call_id = getattr(event, "tool_call_id", None)
        if tool_call_id is not None and tool_call_id in session.view.calls:
            self._chat.calls.show_call(session.view.calls[tool_call_id])
        if isinstance(event, Notice) and event.kind == "context":
            self._chat.say(event.cause, event.severity)
        if isinstance(event, (TurnStarted, TurnFinished)):
            self._chat.signs.tell_state()
            self._chat.signs.show_top_line()
        elif isinstance(event, (Compacting, Compacted, RequestStarted)):
            self._chat.signs.tell_state()
        if isinstance(event, Compacted):
            # Its fold stands further up, where it may not be on screen.
            self._chat.say(
                f"Compacted by {event.strategy}: {event.tokens_before:,} → "
                f"{event.tokens_after:,} tokens will be sent."
            )

    def _turn_finished(self, session: OpenSession, event: TurnFinished) -> None:
        self._chat.app.collector.idle()
        if session is not self._chat.session:
            session.unseen = "failed" if event.status in ("error", "limit") else "finished"
            self._chat.app.tabs.tell(session, _ENDS[event.status])
        elif session.engine.queue and session.held:
            self._chat.say(
                "What is queued waits: Enter sends it, /unqueue takes it back.", subject="queue"
            )
