"""The driver of a tab of `chatglass serve`: Textual's, with the keys in order as in a terminal."""

from __future__ import annotations

from typing import Any

from textual import events
from textual.app import App
from textual.drivers.web_driver import WebDriver
from textual.message import Message

from chatglass.tui.key_order import KeyOrder


class GlassWebDriver(WebDriver):
    """Pass as `driver_class` of the app."""

    def __init__(self, app: App[Any], **options: Any) -> None:
        super().__init__(app, **options)
        self._keys = KeyOrder(app)

    def start_application_mode(self) -> None:
        super().start_application_mode()
        # Textual takes a new page to be without the focus, and would drop its first keys. The page
        # tells when it is.
        self._app.call_later(self._app.post_message, events.AppFocus())

    def send_message(self, message: Message) -> None:
        """Called in the input thread."""
        if isinstance(message, (events.InputEvent, events.Paste)):
            self._loop.call_soon_threadsafe(self._keys.take, message)
        else:
            super().send_message(message)
