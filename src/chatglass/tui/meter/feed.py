"""MeterFeed: brings the session's figures to meter, top line and forecast, on events only."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

from chatglass.values import figures

if TYPE_CHECKING:
    from chatglass.chat.events import Event
    from chatglass.chat.stats import TokenStats
    from chatglass.tui.open_session import OpenSession
    from chatglass.tui.screens.chat_screen import ChatScreen

_LIVE_SECONDS = 0.25


class MeterFeed:
    def __init__(self, chat: ChatScreen) -> None:
        self._chat = chat
        self._live_at = 0.0
        self._draft_tokens = 0

    def take(self, session: OpenSession, batch: Sequence[Event]) -> None:
        """Events of the session on screen: read the figures again where one of them counts."""
        from chatglass.chat import events

        counted = (
            events.RequestStarted,
            events.UsageReported,
            events.ToolCallFinished,
            events.TurnStarted,
            events.TurnFinished,
            events.Compacted,
            events.Compacting,
        )
        deltas = (events.TextDelta, events.ReasoningDelta, events.ToolCallDelta)
        if any(isinstance(event, counted) for event in batch):
            self.refresh()
        elif any(isinstance(event, deltas) for event in batch):
            self._show_live(session)

    def refresh(self) -> None:
        """Read the figures of the session on screen and show them."""
        self._chat.run_worker(self._read, group="stats", exclusive=True, exit_on_error=False)

    async def _read(self) -> None:
        chat, session = self._chat, self._chat.session
        if session is None:
            return
        session.stats = await session.engine.context.get_token_stats()
        if session is chat.session:
            self.forecast()
            chat.signs.show_top_line()

    def _show_live(self, session: OpenSession) -> None:
        """While text streams: the figures with what has come so far, four times a second."""
        now = time.monotonic()
        if now - self._live_at < _LIVE_SECONDS:
            return
        self._live_at = now
        # Four characters a token: a rough guess, replaced as soon as usage is reported.
        pending = session.stats.pending + session.view.streamed_chars // 4
        self._show(replace(session.stats, pending=pending))

    def forecast(self) -> None:
        """What the next request will be with what is written so far."""
        session, composer = self._chat.session, self._chat.composer
        if session is None:
            return
        forecast = session.engine.forecast(composer.text, composer.attached_tokens)
        cost = forecast.cost
        text = "" if cost is None else f"next {figures.money(cost, about=True)}"
        composer.set_forecast("" if cost == Decimal(0) else text)
        self._draft_tokens = forecast.draft_tokens
        self._show(session.stats)

    def _show(self, stats: TokenStats) -> None:
        """With the draft as a part of the context, which only the screen knows."""
        context = replace(stats.context, draft=self._draft_tokens)
        self._chat.meter.show(replace(stats, context=context))
