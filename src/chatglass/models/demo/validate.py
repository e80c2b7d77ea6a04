"""What a strict server refuses in a message list.

Stricter than OpenAI in one point: the results must stand in the order of their calls, since that
is what this program promises (https://platform.openai.com/docs/guides/function-calling).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, cast

_TOOL_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")

ROLES = frozenset({"system", "developer", "user", "assistant", "tool"})


def violation(messages: object) -> str | None:
    """The first thing that is wrong with `messages`, with its position; None where nothing is."""
    if not isinstance(messages, list) or not messages:
        return "'messages' must be an array with at least one message."
    open_calls: list[str] = []
    for place, message in enumerate(cast("list[Any]", messages)):
        if not isinstance(message, dict):
            return f"messages.[{place}] is not an object."
        fields = cast("dict[str, Any]", message)
        role = fields.get("role")
        if role not in ROLES:
            return f"messages.[{place}].role is {role!r}, which is not a role."
        if role == "tool":
            call_id = fields.get("tool_call_id")
            if not open_calls or call_id != open_calls[0]:
                expected = f"the result of '{open_calls[0]}'" if open_calls else "no tool message"
                return f"messages.[{place}] answers '{call_id}' where {expected} must stand."
            open_calls.pop(0)
        elif open_calls:
            return _unanswered(place, open_calls)
        problem = _content(place, fields)
        if problem:
            return problem
        if role == "assistant" and fields.get("tool_calls") is not None:
            ids = _call_ids(fields["tool_calls"])
            if ids is None:
                return f"messages.[{place}].tool_calls is malformed, empty, or repeats an id."
            open_calls = ids
    return _unanswered(len(cast("list[Any]", messages)), open_calls) if open_calls else None


def tools_violation(tools: object) -> str | None:
    """The first thing that is wrong with a `tools` array; None where nothing is, or there is none."""
    if tools is None:
        return None
    if not isinstance(tools, list) or not tools:
        return "'tools' must be an array with at least one tool."
    for place, tool in enumerate(cast("list[Any]", tools)):
        match tool:
            case {"type": "function", "function": {"name": str(name)}} if _TOOL_NAME.fullmatch(
                name
            ):
                pass
            case _:
                return f"tools.[{place}] is not a function with a name of letters, digits, _ and -."
    return None


def _unanswered(place: int, open_calls: Sequence[str]) -> str:
    return (
        "An assistant message with 'tool_calls' must be followed by tool messages responding to "
        f"each 'tool_call_id'. Before messages.[{place}] these are missing: {', '.join(open_calls)}"
    )


def _content(place: int, message: dict[str, Any]) -> str | None:
    content = message.get("content")
    if content is None:
        if message["role"] == "assistant" and message.get("tool_calls"):
            return None
        return f"messages.[{place}].content is missing."
    if isinstance(content, str):
        return None
    if isinstance(content, list) and all(
        isinstance(part, dict) and isinstance(cast("dict[str, Any]", part).get("type"), str)
        for part in cast("list[Any]", content)
    ):
        return None
    return f"messages.[{place}].content is neither a string nor an array of content parts."


def _call_ids(calls: object) -> list[str] | None:
    """The ids of a `tool_calls` array in order; None where it is not one."""
    if not isinstance(calls, list) or not calls:
        return None
    ids: list[str] = []
    for call in cast("list[Any]", calls):
        match call:
            case {
                "id": str(call_id),
                "type": "function",
                "function": {"name": str(), "arguments": str()},
            } if call_id not in ids:
                ids.append(call_id)
            case _:
                return None
    return ids
