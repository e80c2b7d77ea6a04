"""Messages in the form of `gen_ai.input.messages` and its neighbours, as JSON text.

Only made where content capture is on. Keys are taken out; images and files are named, not sent.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, cast

from chatglass.tools.redaction import KnownKeys, Redactor
from chatglass.values.text import storable


class Content:
    """Makes attribute values of what was said."""

    def __init__(self, known_keys: KnownKeys) -> None:
        self._known_keys = known_keys

    def text(self, text: str) -> str:
        return Redactor(self._known_keys()).redact(storable(text))

    def messages(self, messages: Sequence[Mapping[str, Any]]) -> tuple[str, str]:
        """(system instructions, all other messages) of an OpenAI list."""
        system = [part for message in messages if _is_system(message) for part in _parts(message)]
        rest = [
            {"role": message["role"], "parts": _parts(message)}
            for message in messages
            if not _is_system(message)
        ]
        return (self._json(system) if system else "", self._json(rest))

    def answer(
        self, text: str, calls: Sequence[Mapping[str, Any]], finish_reason: str | None
    ) -> str:
        """The one output message: its text and the calls as `tool_call` made them."""
        parts = [_text(text)] if text else []
        message = {
            "role": "assistant",
            "parts": [*parts, *calls],
            "finish_reason": finish_reason or "",
        }
        return self._json([message])

    def _json(self, value: object) -> str:
        return self.text(json.dumps(value, ensure_ascii=False))


def tool_call(call_id: str, name: str, arguments: str) -> dict[str, Any]:
    """A call as a part of a message. Arguments that are no JSON stay text."""
    try:
        parsed: object = json.loads(arguments or "{}")
    except ValueError:
        parsed = arguments
    return {"type": "tool_call", "id": call_id, "name": name, "arguments": parsed}


def _is_system(message: Mapping[str, Any]) -> bool:
    return message["role"] in ("system", "developer")


def _parts(message: Mapping[str, Any]) -> list[dict[str, Any]]:
    if message["role"] == "tool":
        response = {"type": "tool_call_response", "id": message.get("tool_call_id", "")}
        return [{**response, "response": message.get("content")}]
    content: object = message.get("content")
    parts: list[dict[str, Any]] = []
    if isinstance(content, str):
        parts = [_text(content)] if content else []
    elif isinstance(content, list):
        parts = [_part(part) for part in cast(list[dict[str, Any]], content)]
    for call in cast(list[dict[str, Any]], message.get("tool_calls") or []):
        function = call["function"]
        parts.append(tool_call(call["id"], function["name"], function["arguments"]))
    return parts


def _text(text: str) -> dict[str, Any]:
    return {"type": "text", "content": text}


def _part(part: Mapping[str, Any]) -> dict[str, Any]:
    """A part of a prompt: its text, or only what kind of thing it is."""
    kind = str(part.get("type", ""))
    return _text(str(part.get("text", ""))) if kind == "text" else {"type": kind}
