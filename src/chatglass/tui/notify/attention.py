"""Attention: calls the user back to the window when a turn ends, fails or asks."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from chatglass.tui.notify.sequences import BELL, desktop, in_tmux, protocol_of

if TYPE_CHECKING:
    from chatglass.chat.events import TurnFinished
    from chatglass.config.settings import NotifySettings
    from chatglass.tui.app import ChatglassApp
    from chatglass.tui.open_session import OpenSession

QUIET_SECONDS = 60.0
"""Where the terminal tells nothing of the focus, the user is taken to be away after so long without a
key."""
_ENDS = {
    "complete": "The answer is there.",
    "error": "The turn failed.",
    "limit": "The turn ended at a limit.",
}


class Attention:
    """Whether the window is looked at, and what is done where it is not."""

    def __init__(
        self,
        app: ChatglassApp,
        *,
        environ: Mapping[str, str] = os.environ,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._app = app
        self._environ = environ
        self._clock = clock
        self._focused: bool | None = None
        """None: the terminal has said nothing of it."""
        self._last_key = clock()
        self._asked: set[str] = set()
        """Sessions whose question was told of."""

    # -- what the terminal tells

    def focus(self, focused: bool) -> None:
        self._focused = focused

    def key(self) -> None:
        """The user is at the keyboard."""
        self._last_key = self._clock()

    @property
    def is_looked_at(self) -> bool:
        if self._focused is not None:
            return self._focused
        return self._clock() - self._last_key < QUIET_SECONDS

    # -- what happens

    def turn_finished(self, session: OpenSession, event: TurnFinished) -> None:
        """A turn that was stopped needs no call: somebody was there."""
        words = _ENDS.get(event.status)
        short = event.duration_ms < self._settings.min_seconds * 1_000
        if words is not None and not (short and event.status == "complete"):
            self._call(session.title, words)

    def questions_changed(self, session: OpenSession) -> None:
        """Once for the questions that wait together."""
        if not session.asking:
            self._asked.discard(session.id)
        elif session.id not in self._asked:
            self._asked.add(session.id)
            about = "a tool call" if session.approval.waiting else "its budget"
            self._call(session.title, f"It asks about {about}.")

    @property
    def _settings(self) -> NotifySettings:
        assert self._app.workspace is not None
        return self._app.workspace.settings.notify

    def _call(self, title: str, words: str) -> None:
        settings, driver = self._app.workspace and self._settings, self._app._driver
        if settings is None or driver is None or settings.when == "never":
            return
        if settings.when == "unfocused" and self.is_looked_at:
            return
        protocol = protocol_of(self._environ) if settings.desktop else None
        tmux = in_tmux(self._environ)
        if protocol is not None:
            driver.write(desktop(protocol, f"chatglass: {title or 'chat'}", words, tmux=tmux))
        # tmux may swallow the notification, and its window list shows the bell.
        if settings.bell == "always" or (settings.bell == "fallback" and (tmux or not protocol)):
            driver.write(BELL)
        driver.flush()
