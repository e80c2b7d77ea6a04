"""The terminal driver: Textual's, taking over from the splash, with no key lost at the start."""

from __future__ import annotations

import errno
import io
import os
from collections.abc import Sequence
from typing import Any

from textual import events
from textual.app import App
from textual.drivers import linux_driver
from textual.drivers.linux_driver import LinuxDriver
from textual.message import Message

from chatglass import splash
from chatglass.tui.import_pauses import PAUSES
from chatglass.tui.input_decoder import InputDecoder
from chatglass.tui.key_order import KeyOrder

_ALTERNATE_SCREEN = "\x1b[?1049h"


class TerminalOut(io.FileIO):
    """A terminal that takes what is written to it for as long as it is there.

    Once it has gone, an error would end Textual's output thread, and on the full queue of that the
    program would wait for ever instead of saving and ending.
    """

    def write(self, data: Any, /) -> int | None:
        try:
            return super().write(data)
        except OSError as error:
            if error.errno != errno.EIO:
                raise
            return len(data)


class GlassDriver(LinuxDriver):
    """Pass as `driver_class` of the app.

    - Keys and pastes that arrive before a widget has the focus, which Textual would drop, wait
      and are then delivered in order, one at a time (`KeyOrder`).
    - The alternate screen that the splash has entered is not entered again: terminals clear it.
    - What the terminal is restored to is what it was before the splash.
    - The screen is drawn on standard output, so that `2>file` catches errors and not the screen.
    """

    def __init__(self, app: App[Any], **options: Any) -> None:
        super().__init__(app, **options)
        self._splash_shown = False
        self._keys = KeyOrder(app)
        if os.isatty(1):
            # A descriptor of its own for the life of the process, whatever becomes of 1 and 2.
            terminal = io.BufferedWriter(TerminalOut(os.dup(1), "w", closefd=False))
            self._file = io.TextIOWrapper(terminal, encoding="utf-8", errors="replace")

    def run_input_thread(self) -> None:
        # Textual makes its decoder here, by this name.
        linux_driver.getincrementaldecoder = lambda encoding: InputDecoder  # pyright: ignore[reportPrivateImportUsage]
        super().run_input_thread()

    def start_application_mode(self) -> None:
        takes_over = self._splash_shown = splash.hand_over()
        super().start_application_mode()
        if takes_over:
            self.attrs_before = splash.saved_attributes()

    def _get_terminal_size(self) -> tuple[int, int]:
        # Not what COLUMNS and LINES say, which a shell that was resized leaves behind.
        try:
            width, height = os.get_terminal_size(1)
        except OSError:
            return super()._get_terminal_size()
        return width, height

    def write(self, data: str) -> None:
        if self._splash_shown and data == _ALTERNATE_SCREEN:
            self._splash_shown = False
            return
        super().write(data)

    @property
    def waiting(self) -> Sequence[Message]:
        """Input that is not handed to the app yet."""
        return self._keys.waiting

    def send_message(self, message: Message) -> None:
        """Called in the input thread."""
        if isinstance(message, (events.InputEvent, events.Paste)):
            PAUSES.pressed()
            self._loop.call_soon_threadsafe(self._keys.take, message)
        else:
            super().send_message(message)
