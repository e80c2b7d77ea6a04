"""From the chunks of a streamed answer to pieces, and at the end to whole tool calls.

Servers differ in how they cut tool calls (https://platform.openai.com/docs/api-reference/chat-streaming
is what most of them mean to follow): some send calls whole, some leave `index` out or give every
call index 0, some repeat id, name and type in every delta, some give the id only once or never,
some give two calls one id. All of these assemble to the same calls.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from chatglass.models.usage import read_usage
from chatglass.models.wire import (
    Finished,
    ModelEvent,
    ProposedCall,
    ReasoningPiece,
    TextPiece,
    ToolCallPiece,
)
from chatglass.values.ids import new_id
from chatglass.values.text import storable
from chatglass.values.usage import Usage

JsonObject = Mapping[str, Any]


def as_object(value: object) -> JsonObject:
    """`value` where it is a JSON object, else an empty one."""
    return cast("JsonObject", value) if isinstance(value, dict) else {}


def as_list(value: object) -> list[Any]:
    """`value` where it is a JSON array, else an empty one."""
    return cast("list[Any]", value) if isinstance(value, list) else []


def as_text(value: object) -> str:
    """`value` where it is a string, else an empty one."""
    return value if isinstance(value, str) else ""


@dataclass(slots=True)
class _OpenCall:
    """A call that is still being written."""

    position: int
    index: int | None
    id: str
    name: str = ""
    parts: list[str] = field(default_factory=list[str])
    chars: int = 0

    @property
    def arguments(self) -> str:
        if len(self.parts) > 1:
            self.parts = ["".join(self.parts)]
        return self.parts[0] if self.parts else ""

    def add(self, text: str) -> None:
        if text:
            self.parts.append(text)
            self.chars += len(text)

    def is_whole(self) -> bool:
        """Whether its arguments are a whole JSON object: more text can't belong to them."""
        text = self.arguments.strip()
        if not (text.startswith("{") and text.endswith("}")):
            return False
        try:
            json.loads(text)
        except (ValueError, RecursionError):
            return False
        return True


class ToolCallAssembly:
    """Tool calls out of deltas, in the order in which they were begun."""

    def __init__(self) -> None:
        self._calls: list[_OpenCall] = []

    def __bool__(self) -> bool:
        return bool(self._calls)

    @property
    def is_whole(self) -> bool:
        """Whether every call has a whole JSON object as its arguments, or none at all."""
        return all(not call.arguments.strip() or call.is_whole() for call in self._calls)

    def take(self, entries: Iterable[object]) -> list[ToolCallPiece]:
        """Take the `tool_calls` of one delta; gives how far each call it touched has come."""
        touched: dict[int, _OpenCall] = {}
        for place, entry in enumerate(entries):
            call = self._take_entry(as_object(entry), place)
            touched[call.position] = call
        return [
            ToolCallPiece(call.position, storable(call.name), call.chars)
            for call in touched.values()
        ]

    def finish(self) -> tuple[ProposedCall, ...]:
        """The whole calls; ids are made where there are none, and made unique."""
        taken: set[str] = set()
        calls: list[ProposedCall] = []
        for call in self._calls:
            wanted = storable(call.id) or f"call_{new_id()}"
            chosen = wanted
            number = 2
            while chosen in taken:
                chosen = f"{wanted}_{number}"
                number += 1
            taken.add(chosen)
            calls.append(ProposedCall(chosen, storable(call.name), storable(call.arguments)))
        return tuple(calls)

    def _take_entry(self, entry: JsonObject, place: int) -> _OpenCall:
        function = as_object(entry.get("function")) or entry
        index = _index(entry.get("index"))
        id_ = as_text(entry.get("id"))
        name = as_text(function.get("name"))
        arguments = _arguments(function.get("arguments"))
        call = self._find(index, id_, name, arguments, place)
        if call is None:
            call = _OpenCall(len(self._calls), index, id_)
            self._calls.append(call)
        elif name and id_ and call.id == id_ and arguments == call.arguments and call.is_whole():
            return call  # A server that repeats the finished call at the end.
        call.id = call.id or id_
        _name(call, name)
        call.add(arguments)
        return call

    def _find(
        self, index: int | None, id_: str, name: str, arguments: str, place: int
    ) -> _OpenCall | None:
        """The call that an entry goes on with; None where it begins a new one."""
        if index is not None:
            call = next((c for c in reversed(self._calls) if c.index == index), None)
        elif id_:
            call = next((c for c in reversed(self._calls) if c.id == id_), None)
            if call is None and self._calls and not self._calls[-1].id and not name:
                call = self._calls[-1]  # The id comes after the call was begun without one.
        else:
            call = self._calls[-1] if self._calls else None
            if call is not None and name and (place > 0 or not self._goes_on(call, name)):
                return None
        if call is None or not name:
            return call
        if id_ and call.id == id_ and arguments == call.arguments:
            return call
        if arguments.strip() and call.is_whole():
            return None
        if id_ and call.id and id_ != call.id:
            begun_anew = name != call.name if not call.chars else call.is_whole()
            return None if begun_anew else call
        return call

    @staticmethod
    def _goes_on(call: _OpenCall, name: str) -> bool:
        return call.name in ("", name) and not call.is_whole()


def _index(value: object) -> int | None:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and value.isdecimal():
        return int(value)
    return None


def _arguments(value: object) -> str:
    """Arguments as text; some servers send the object itself."""
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False)
    return as_text(value)


def _name(call: _OpenCall, name: str) -> None:
    """Take a name that may be whole, repeated, cumulative or in pieces."""
    if not name or name == call.name:
        return
    if not call.name or name.startswith(call.name):
        call.name = name
    elif not call.chars:
        call.name += name


class _Characters:
    """Text whose characters may come in halves: some servers cut between two JSON escapes of one
    surrogate pair. A half is held until the other comes; one that stays alone becomes U+FFFD."""

    def __init__(self) -> None:
        self._held = ""

    def take(self, text: str) -> str:
        text = self._held + text
        self._held = ""
        if text and "\ud800" <= text[-1] <= "\udbff":
            self._held = text[-1]
            text = text[:-1]
        return storable(text)

    def finish(self) -> str:
        held, self._held = self._held, ""
        return storable(held)


class AnswerAssembly:
    """One streamed answer: pieces as they come, and what is known of it so far."""

    def __init__(self) -> None:
        self.calls = ToolCallAssembly()
        self.finish_reason = ""
        self.usage: Usage | None = None
        self.model = ""
        self.response_id = ""
        self.has_text = False
        self.has_reasoning = False
        self.chunks = 0
        self._text = _Characters()
        self._reasoning = _Characters()

    @property
    def has_content(self) -> bool:
        return self.has_text or self.has_reasoning or bool(self.calls)

    def take(self, chunk: JsonObject) -> list[ModelEvent]:
        """The pieces of one chunk, or of a whole completion that was not streamed."""
        self.chunks += 1
        self.model = storable(as_text(chunk.get("model"))) or self.model
        self.response_id = self.response_id or storable(as_text(chunk.get("id")))
        usage = read_usage(chunk.get("usage")) or read_usage(
            as_object(chunk.get("x_groq")).get("usage")
        )
        self.usage = usage or self.usage
        choices = [as_object(choice) for choice in as_list(chunk.get("choices"))]
        choice = next((c for c in choices if c.get("index", 0) in (0, None)), None)
        if choice is None:
            return []
        reason = storable(as_text(choice.get("finish_reason")))
        self.finish_reason = reason or self.finish_reason
        delta = as_object(choice.get("delta")) or as_object(choice.get("message"))
        return self._take_delta(delta)

    def rest(self) -> list[ModelEvent]:
        """What was held back when the stream ended."""
        events: list[ModelEvent] = []
        if reasoning := self._reasoning.finish():
            events.append(ReasoningPiece(reasoning))
        if text := self._text.finish():
            events.append(TextPiece(text))
        return events

    def finished(self) -> Finished:
        """The end of the answer, with its calls whole."""
        calls = self.calls.finish()
        reason = self.finish_reason or ("tool_calls" if calls else "stop")
        return Finished(
            finish_reason=reason,
            tool_calls=calls,
            usage=self.usage,
            model=self.model,
            response_id=self.response_id,
        )

    def _take_delta(self, delta: JsonObject) -> list[ModelEvent]:
        events: list[ModelEvent] = []
        thought, text = _content(delta.get("content"))
        reasoning = (
            as_text(delta.get("reasoning_content")) or as_text(delta.get("reasoning")) or thought
        )
        self.has_reasoning = self.has_reasoning or bool(reasoning)
        if reasoning := self._reasoning.take(reasoning):
            events.append(ReasoningPiece(reasoning))
        text = text or as_text(delta.get("refusal"))
        self.has_text = self.has_text or bool(text)
        if text := self._text.take(text):
            events.append(TextPiece(text))
        calls = delta.get("tool_calls")
        entries = as_list(calls) or ([calls] if isinstance(calls, dict) else [])
        if not entries and isinstance(delta.get("function_call"), dict):
            # The older form of one call, which some servers still send.
            entries = [{"index": 0, "function": delta["function_call"]}]
        events.extend(self.calls.take(entries))
        return events


def _content(value: object) -> tuple[str, str]:
    """(reasoning, text) of a `content`, which may be text or a list of parts (Mistral)."""
    if isinstance(value, str):
        return "", value
    thought: list[str] = []
    text: list[str] = []
    for item in as_list(value):
        part = as_object(item)
        if part.get("type") == "thinking":
            inner = part.get("thinking")
            thought.append(as_text(inner) or _content(inner)[1])
        else:
            text.append(as_text(part.get("text")))
    return "".join(thought), "".join(text)


def merged(events: Iterable[ModelEvent]) -> list[ModelEvent]:
    """`events` with neighbouring pieces of text or reasoning joined, and of progress on one call
    only the last: what came in one read goes on as one piece."""
    out: list[ModelEvent] = []
    for event in events:
        last = out[-1] if out else None
        if isinstance(event, TextPiece) and isinstance(last, TextPiece):
            out[-1] = TextPiece(last.text + event.text)
        elif isinstance(event, ReasoningPiece) and isinstance(last, ReasoningPiece):
            out[-1] = ReasoningPiece(last.text + event.text)
        elif (
            isinstance(event, ToolCallPiece)
            and isinstance(last, ToolCallPiece)
            and event.position == last.position
        ):
            out[-1] = event
        else:
            out.append(event)
    return out
