"""Takeover: a session that another chatglass holds is read-only here until that one lets it go."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from textual.timer import Timer

    from chatglass.tui.open_session import OpenSession
    from chatglass.tui.screens.chat_screen import ChatScreen

_LOOK_SECONDS = 2.0


class Takeover:
    """Looks, only while the session on screen is read-only, whether it is free, and then offers it."""

    def __init__(self, chat: ChatScreen) -> None:
        self._chat = chat
        self._timer: Timer | None = None

    def watch(self) -> None:
        """Another session is on screen, or the state of this one is another."""
        session = self._chat.session
        is_held = session is not None and session.engine.state == "read-only" and not session.free
        if is_held and self._timer is None:
            self._timer = self._chat.set_interval(_LOOK_SECONDS, self._look)
        elif not is_held and self._timer is not None:
            self._timer.stop()
            self._timer = None

    async def _look(self) -> None:
        from chatglass.store.protocol import StoreError

        session = self._chat.session
        if session is None or session.engine.state != "read-only":
            self.watch()
            return
        try:
            session.free = await session.engine.is_free()
        except StoreError as error:
            self._chat.say(str(error), "warning")
            session.free = True  # nobody holds it; taking it over says what is wrong with it
        if session.free:
            self._chat.say(
                "The other chatglass has let this session go: Enter goes on with it here."
            )
        self.watch()
        self._chat.signs.tell_state()

    async def take(self, session: OpenSession) -> bool:
        """Run the session here, if nobody holds it any more. False where it stays as it was."""
        from chatglass.chat.ledger import LedgerUnavailable
        from chatglass.store.protocol import StoreError

        session.free = False
        try:
            taken = await session.engine.take_over()
        except (LedgerUnavailable, StoreError) as error:
            session.view.notice(str(error), "Nothing can be sent in this session.", "error")
            taken = False
        if taken:
            session.held = bool(session.engine.queue)
            session.view.compactions = session.engine.context.compactions
            await self._chat.reload(session)
            self._bring_draft(session)
        self._chat.session_changed(session)
        return taken

    def _bring_draft(self, session: OpenSession) -> None:
        """What was being written there."""
        session.draft = session.engine.context.session.draft
        is_shown = session is self._chat.session
        if session.draft and is_shown and self._chat.composer.is_empty:
            self._chat.composer.set_draft(session.draft)
