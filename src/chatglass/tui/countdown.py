"""Countdown: the seconds until a failed request goes out again, once a second while one waits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.timer import Timer

if TYPE_CHECKING:
    from chatglass.tui.screens.chat_screen import ChatScreen


class Countdown:
    """Its timer runs only while a request of the session on screen waits."""

    def __init__(self, chat: ChatScreen) -> None:
        self._chat = chat
        self._timer: Timer | None = None

    @property
    def running(self) -> bool:
        return self._timer is not None

    def watch(self) -> None:
        """Start or stop, as the session on screen has it."""
        session = self._chat.session
        waits = session is not None and session.view.retry_until is not None
        if waits and self._timer is None:
            self._timer = self._chat.set_interval(1.0, self._tick)
        elif not waits and self._timer is not None:
            self._timer.stop()
            self._timer = None

    def _tick(self) -> None:
        if self._chat.session is not None:
            self._chat.session.view.tick_retry()
        self.watch()
