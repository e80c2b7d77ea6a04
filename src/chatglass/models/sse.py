"""Server-sent events out of bytes, however they are cut.

Our own reader and not the SDK's, since that one hides the `[DONE]` marker, which tells a whole
answer without finish reason from a cut one. Format:
https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
"""

from __future__ import annotations

import re
from dataclasses import dataclass

MAX_EVENT_BYTES = 32 * 1024 * 1024
"""An event larger than this is not an answer; it would only fill the memory."""

_LINE_END = re.compile(rb"\r\n|\n|\r")
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class ServerEvent:
    """One event. `name` is empty where the server gave none."""

    name: str
    data: str


class EventTooLarge(Exception):
    """An event passed MAX_EVENT_BYTES."""


class EventReader:
    """Feed it bytes; it gives whole events. Comments (keep-alives) are dropped."""

    def __init__(self) -> None:
        self._rest = bytearray()
        self._held_cr = False
        self._first = True
        self._name = ""
        self._data: list[str] = []
        self._size = 0

    def feed(self, chunk: bytes) -> list[ServerEvent]:
        """The events that `chunk` completes. Raises EventTooLarge."""
        if not chunk:
            return []
        if self._held_cr:
            # The CR that ended the last chunk ended a line; an LF right after it belongs to it.
            self._held_cr = False
            chunk = chunk.removeprefix(b"\n")
        events: list[ServerEvent] = []
        start = 0
        for end in _LINE_END.finditer(chunk):
            line = bytes(self._rest) + chunk[start : end.start()]
            self._rest.clear()
            start = end.end()
            self._take(line, events)
        self._held_cr = chunk.endswith(b"\r")
        self._rest += chunk[start:]
        if len(self._rest) + self._size > MAX_EVENT_BYTES:
            raise EventTooLarge
        return events

    def finish(self) -> list[ServerEvent]:
        """The event that the end of the stream left without its blank line, if any."""
        events: list[ServerEvent] = []
        if self._rest:
            line = bytes(self._rest)
            self._rest.clear()
            self._take(line, events)
        self._take(b"", events)
        return events

    def _take(self, line: bytes, events: list[ServerEvent]) -> None:
        if self._first:
            self._first = False
            line = line.removeprefix(_BOM)
        if not line:
            if self._data:
                events.append(ServerEvent(self._name, "\n".join(self._data)))
            self._name = ""
            self._data = []
            self._size = 0
            return
        field, _, value = line.partition(b":")
        if field == b"data":
            self._data.append(value.removeprefix(b" ").decode("utf-8", "replace"))
            self._size += len(value)
        elif field == b"event":
            self._name = value.removeprefix(b" ").decode("utf-8", "replace")
