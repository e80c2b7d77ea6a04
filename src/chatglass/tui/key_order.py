"""KeyOrder: one key at a time.

Textual posts each key to the widget that has the focus when it is read. Of keys that arrive
together (typed fast, over a slow line, by a macro) the second would still go to where the first
one came from, though that one opened a dialog. Here each waits until the one before is handled.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any

from textual import events
from textual.app import App, ScreenStackError
from textual.message import Message
from textual.message_pump import MessagePump

_LONGEST = 0.5
"""Seconds after which the next key goes out though the one before is still being handled."""
_FEWEST_TOGETHER = 2
_FOCUS_POLL = 0.005
_UNFOCUSED = 0.25
"""Seconds that keys wait for a new screen to give something the focus."""


class Typed(Message, bubble=False):
    """Several printable keys that came together, for a widget that takes them at once: it has
    `takes_typed`, and handles this as the text that the keys would have made."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text


class KeyOrder:
    """Hands input to the app, in order. For use in the event loop."""

    def __init__(self, app: App[Any]) -> None:
        self.waiting: deque[Message] = deque()
        self._app = app
        self._under_way: object = None
        self._was_focused = False
        self._unfocused_since: float | None = None
        self._polls = False

    def take(self, message: Message) -> None:
        """The next input event."""
        if isinstance(message, events.Key) and message.key.startswith("alt+"):
            # Older terminals send Alt as Esc and the character, which a text would take for itself.
            message = events.Key(message.key, None)
        self.waiting.append(message)
        if isinstance(message, (events.Key, events.Paste)) and not self._app.app_focus:
            # What types into a window that is said to have no focus (synchronised panes, a script)
            # is somebody there; without it the keys would wait for a widget for ever.
            self._app.app_focus = True
        self._next()

    def _next(self) -> None:
        while self.waiting and self._under_way is None:
            if not self._has_focus():
                self._look_again()
                return
            if self._hand_over_typed():
                return
            message = self.waiting.popleft()
            self._app.post_message(message)
            if isinstance(message, (events.Key, events.Paste)):
                self._follow(message)

    # -- what was typed in one go

    def _hand_over_typed(self) -> bool:
        """Give the printable keys in front to the widget that has the focus, as one text: key by key
        each would be a turn of the loop and a new wrapping of the text. False where there are not
        several, or the widget takes single keys alone."""
        target = self._app.focused
        if target is None or not getattr(target, "takes_typed", False):
            return False
        text: list[str] = []
        # No binding can want one of them: Textual leaves a printable key to a text that has the focus.
        for message in self.waiting:
            if not isinstance(message, events.Key) or not message.is_printable:
                break
            text.append(message.character or "")
        if len(text) < _FEWEST_TOGETHER:
            return False
        for _ in text:
            self.waiting.popleft()
        typed = Typed("".join(text))
        self._under_way = typed
        asyncio.get_running_loop().call_later(_LONGEST, self._handled, typed)
        target.post_message(typed)
        # What it posts on its account, such as that its text has changed, is handled before the
        # next key, as after a single one.
        self._after(target, typed, self._settle)
        return True

    # -- somewhere to go to

    def _has_focus(self) -> bool:
        """Whether there is a widget for the key; before the first one, keys wait for ever."""
        try:
            focused = self._app.focused
        except ScreenStackError:  # there is no screen yet
            focused = None
        if focused is not None:
            self._was_focused, self._unfocused_since = True, None
            return True
        now = asyncio.get_running_loop().time()
        if self._unfocused_since is None:
            self._unfocused_since = now
        return self._was_focused and now - self._unfocused_since > _UNFOCUSED

    def _look_again(self) -> None:
        if not self._polls:
            self._polls = True
            asyncio.get_running_loop().call_later(_FOCUS_POLL, self._polled)

    def _polled(self) -> None:
        self._polls = False
        self._next()

    # -- until it is handled

    def _follow(self, key: events.Key | events.Paste) -> None:
        """A callback behind the key in each queue that it passes tells when it is through."""
        self._under_way = key
        asyncio.get_running_loop().call_later(_LONGEST, self._handled, key)
        self._after(self._app, key, self._forwarded)

    def _after(self, node: MessagePump, key: Message, step: Callable[..., None]) -> None:
        if not node.call_later(step, node, key):
            self._handled(key)

    def _forwarded(self, _: MessagePump, key: events.Key | events.Paste) -> None:
        if not key.is_forwarded:
            self._handled(key)  # a priority binding took it
            return
        target = self._app.focused or self._app.screen
        self._after(target, key, lambda node, key: self._passed(node, key, target))

    def _passed(
        self, node: MessagePump, key: events.Key | events.Paste, target: MessagePump
    ) -> None:
        """`node` is done with the key: go where it bubbles to, to the end of its way."""
        if key._stop_propagation or node._parent is None:
            # What was posted on its account, such as that a field was submitted, goes the same way.
            self._after(target, key, self._settle)
        else:
            self._after(node._parent, key, lambda node, key: self._passed(node, key, target))

    def _settle(self, node: MessagePump, key: Message) -> None:
        if node._parent is not None:
            self._after(node._parent, key, self._settle)
        else:
            # Moving the focus is itself a callback of the app.
            self._after(self._app, key, lambda _, key: self._handled(key))

    def _handled(self, key: object) -> None:
        if self._under_way is key:
            self._under_way = None
            self._next()
