"""The terminal driver: Textual's, taking over from the splash, with no key lost at the start."""

from __future__ import annotations

import io
import os
import threading
from typing import Any

from textual import events
from textual.app import App, ScreenStackError
from textual.drivers.linux_driver import LinuxDriver
from textual.message import Message

from chatglass import splash

_ALTERNATE_SCREEN = "\x1b[?1049h"
_FOCUS_POLL = 0.005


class GlassDriver(LinuxDriver):
    """Pass as `driver_class` of the app.

    - Keys and pastes that arrive before a widget has the focus, which Textual would drop, wait
      and are then delivered in order.
    - The alternate screen that the splash has entered is not entered again: terminals clear it.
    - What the terminal is restored to is what it was before the splash.
    - The screen is drawn on standard output, so that `2>file` catches errors and not the screen.
    """

    def __init__(self, app: App[Any], **options: Any) -> None:
        super().__init__(app, **options)
        self._splash_shown = False
        self._waiting: list[Message] | None = []
        self._waiting_lock = threading.Lock()
        if os.isatty(1):
            # A descriptor of its own for the life of the process, whatever becomes of 1 and 2.
            terminal = io.BufferedWriter(io.FileIO(os.dup(1), "w", closefd=False))
            self._file = io.TextIOWrapper(terminal, encoding="utf-8", errors="replace")

    def start_application_mode(self) -> None:
        takes_over = self._splash_shown = splash.hand_over()
        super().start_application_mode()
        if takes_over:
            self.attrs_before = splash.saved_attributes()

    def _get_terminal_size(self) -> tuple[int, int]:
        # Not what COLUMNS and LINES say, which a shell that was resized leaves behind.
        try:
            return tuple(os.get_terminal_size(1))
        except OSError:
            return super()._get_terminal_size()

    def write(self, data: str) -> None:
        if self._splash_shown and data == _ALTERNATE_SCREEN:
            self._splash_shown = False
            return
        super().write(data)

    def send_message(self, message: Message) -> None:
        """Called in the input thread."""
        if self._waiting is not None and isinstance(message, (events.Key, events.Paste)):
            with self._waiting_lock:
                if self._waiting is not None:
                    self._waiting.append(message)
                    if len(self._waiting) == 1:
                        self._loop.call_soon_threadsafe(self._deliver_when_focused)
                    return
        super().send_message(message)

    def _deliver_when_focused(self) -> None:
        """In the event loop: send what waits once a widget has the focus, else look again."""
        try:
            focused = self._app.focused
        except ScreenStackError:  # there is no screen yet
            focused = None
        if focused is None:
            self._loop.call_later(_FOCUS_POLL, self._deliver_when_focused)
            return
        with self._waiting_lock:
            waiting, self._waiting = self._waiting or [], None
            for message in waiting:
                super().send_message(message)
