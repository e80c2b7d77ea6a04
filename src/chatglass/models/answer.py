"""One response body, event stream or plain JSON, read to a Finished or a ModelError."""

from __future__ import annotations

import json
from collections.abc import Iterable

from chatglass.models.deltas import AnswerAssembly, as_list, as_object, merged
from chatglass.models.failures import Failures
from chatglass.models.sse import EventReader, EventTooLarge, ServerEvent
from chatglass.models.wire import ModelError, ModelEvent

_RAW_KEPT = 4 * 1024 * 1024
"""How much of an answer that is no event stream is kept, to read it as plain JSON."""


class Answer:
    """One response body, event stream or plain JSON, on its way to a Finished."""

    def __init__(self, failures: Failures) -> None:
        self._failures = failures
        self._reader = EventReader()
        self._assembly = AnswerAssembly()
        self._raw = bytearray()
        self._events = 0
        self._failure: ModelError | None = None
        self.is_done = False
        """The `[DONE]` marker came."""

    @property
    def is_complete(self) -> bool:
        """Whether the answer is whole, so that a connection that breaks now does not matter."""
        return self.is_done or bool(self._assembly.finish_reason)

    def take(self, chunk: bytes) -> list[ModelEvent]:
        """What `chunk` brings. An error in it is kept for `check()`, so that what came before it
        in the same read is not lost."""
        try:
            events = self._reader.feed(chunk)
        except EventTooLarge:
            self._failure = self._failures.malformed("")
            return []
        if not self._events and len(self._raw) < _RAW_KEPT:
            self._raw += chunk
        return merged(self._take_events(events))

    def check(self) -> None:
        """Raises the ModelError that the last `take` found."""
        if self._failure is not None:
            raise self._failure

    def end(self) -> list[ModelEvent]:
        """The last events, with Finished. Raises ModelError where the answer is not whole."""
        last = [] if self.is_done else self._take_events(self._reader.finish(), at_end=True)
        self.check()
        if not self._events:
            last = self._plain()
        assembly = self._assembly
        last += assembly.rest()
        if not assembly.has_content:
            if not assembly.finish_reason and not self.is_done and assembly.chunks:
                raise self._failures.cut()
            raise self._failures.empty(assembly.finish_reason, assembly.usage)
        # With the marker an answer is whole also without a finish reason, but not half a call.
        if not assembly.finish_reason and not (self.is_done and assembly.calls.is_whole):
            raise self._failures.cut()
        return [*merged(last), assembly.finished()]

    def _take_events(
        self, events: Iterable[ServerEvent], *, at_end: bool = False
    ) -> list[ModelEvent]:
        out: list[ModelEvent] = []
        for event in events:
            self._events += 1
            self._raw.clear()
            if event.data.strip().startswith("[DONE]"):
                self.is_done = True
                break
            chunks = _chunks(event.data)
            if chunks is None:
                # The end of the stream can cut an event: that is no malformed one.
                if not at_end:
                    self._failure = self._failures.malformed(event.data[:2000])
                break
            for chunk in chunks:
                if (error := _error(event.name, chunk)) is not None:
                    self._failure = self._failures.in_stream(error)
                    return out
                out += self._assembly.take(as_object(chunk))
        return out

    def _plain(self) -> list[ModelEvent]:
        """A body without events: a completion that was not streamed, or an error."""
        text = self._raw.decode("utf-8", "replace").strip()
        if not text:
            raise self._failures.empty("", None)
        try:
            answer: object = json.loads(text)
        except (ValueError, RecursionError):
            raise self._failures.malformed(text[:2000]) from None
        if (error := _error("", answer)) is not None:
            raise self._failures.in_stream(error)
        if not as_list(as_object(answer).get("choices")):
            raise self._failures.malformed(text[:2000])
        events = self._assembly.take(as_object(answer))
        # A whole JSON document can't have been cut.
        self.is_done = True
        return events


def _chunks(data: str) -> list[object] | None:
    """The JSON of one event; of several where a server left the blank lines between them out.
    None where it is not JSON."""
    if not data.strip():
        return []
    try:
        return [json.loads(data)]
    except (ValueError, RecursionError):
        lines = data.split("\n")
    if len(lines) == 1:
        return None
    try:
        return [json.loads(line) for line in lines if line.strip() and line.strip() != "[DONE]"]
    except (ValueError, RecursionError):
        return None


def _error(name: str, chunk: object) -> object | None:
    """The error object in a chunk, or None. `name` is the event's."""
    table = as_object(chunk)
    if error := table.get("error"):
        return error
    if name == "error" or table.get("object") == "error" or table.get("type") == "error":
        return chunk
    return None
