"""Turns: the workers that run the turns of the open sessions, and post what they tell."""

from __future__ import annotations

import logging
from contextlib import aclosing
from typing import TYPE_CHECKING

from chatglass.tui.messages import EngineEvents, SessionChanged

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from chatglass.chat.events import Event
    from chatglass.tui.app import ChatglassApp
    from chatglass.tui.open_session import OpenSession

_log = logging.getLogger(__name__)


class Turns:
    """The workers are the app's, so that no screen or tab that goes takes a turn with it."""

    def __init__(self, app: ChatglassApp) -> None:
        self._app = app

    def drive(self, session: OpenSession) -> None:
        """Answer what is queued, if the engine is free and the queue is not held."""
        if self._app.life.leaving:
            return
        if session.engine.state == "idle" and session.engine.queue and not session.held:
            self._app.run_worker(
                self._answer_queue(session), group=f"turns-{session.id}", exit_on_error=False
            )

    async def _answer_queue(self, session: OpenSession) -> None:
        from chatglass.store.protocol import StoreError

        engine = session.engine
        await self._forward(session, engine.run())
        # On closing it stays queued: the composer's text is stored already.
        is_open = session.id in self._app.sessions and not self._app.life.leaving
        if engine.queue and not engine.conversation.prompt_stored and is_open:
            try:
                await self._app.chat.outbox.take_refused(session, engine.queue[0])
            except StoreError as error:
                # It stays queued: the same failure that kept it from being sent.
                _log.warning("prompt not taken back: %s", error)

    def retry(self, session: OpenSession) -> None:
        """Answer the end of the shown path."""
        self._app.run_worker(
            self._forward(session, session.engine.go_on()),
            group=f"turns-{session.id}",
            exit_on_error=False,
        )

    def compact(self, session: OpenSession, instructions: str) -> None:
        """Leave old messages out of what is sent, now."""
        self._app.run_worker(
            self._forward(session, session.engine.compact(instructions)),
            group=f"turns-{session.id}",
            exit_on_error=False,
        )

    async def _forward(self, session: OpenSession, turns: AsyncGenerator[Event]) -> None:
        """Post the engine's events; those that come while a batch waits join it."""
        async with aclosing(turns) as events:
            async for event in events:
                session.inbox.append(event)
                if len(session.inbox) == 1:
                    self._app.post_message(EngineEvents(session.id))
        self._app.post_message(SessionChanged(session.id))
