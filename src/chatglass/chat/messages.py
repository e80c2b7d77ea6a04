"""What a valid message list is, and how to mend one.

The invariant: every entry of an assistant message's `tool_calls` is answered by exactly one tool
message, directly after that assistant message (and its other answers), in the order of the calls;
there is no other tool message. Call ids are unique within one assistant message. Endpoints refuse
a list that breaks it, for good, so one broken turn would otherwise poison the session.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, cast

from chatglass.models.deltas import as_list, as_object, as_text
from chatglass.store.records import MessageRow

WireMessage = dict[str, Any]

UNANSWERED = "This call was interrupted; no result is known. It may have taken effect."
"""The answer that `mend` gives a call which has none."""


def to_wire(row: MessageRow) -> WireMessage:
    """The OpenAI-format message of a row, with its keys always in the same order.

    Reasoning goes back with tool calls alone: some servers (DeepSeek, Moonshot) refuse a turn that
    goes on after a tool call without it, and none uses it elsewhere.
    """
    content: Any = _sent_parts(row.content) if row.content_is_json else row.content
    if row.role == "tool":
        return {"role": "tool", "tool_call_id": row.tool_call_id or "", "content": content}
    message: WireMessage = {"role": row.role, "content": content}
    if row.tool_calls:
        message["content"] = content or None
        if row.reasoning:
            message["reasoning_content"] = row.reasoning
        message["tool_calls"] = json.loads(row.tool_calls)
    return message


def _sent_parts(content: str) -> Any:
    """Content parts without the names of images, which are ours: strict servers refuse them."""
    parts: Any = json.loads(content)
    if "image_url" not in content or not isinstance(parts, list):
        return parts
    return [_sent_part(part) for part in cast(list[Any], parts)]


def _sent_part(part: Any) -> Any:
    if not isinstance(part, dict):
        return part
    entry = cast(dict[str, Any], part)
    if entry.get("type") != "image_url":
        return entry
    return {key: value for key, value in entry.items() if key != "name"}


def content_text(row: MessageRow) -> str:
    """What a message says, without pictures and files."""
    if not row.content_is_json:
        return row.content
    parts = [as_object(part) for part in as_list(json.loads(row.content))]
    return "\n\n".join(as_text(part["text"]) for part in parts if "text" in part)


def tool_calls_json(calls: Sequence[tuple[str, str, str]]) -> str:
    """OpenAI's `tool_calls` array for (call id, name, arguments) triples."""
    entries = [
        {"id": call_id, "type": "function", "function": {"name": name, "arguments": arguments}}
        for call_id, name, arguments in calls
    ]
    return json.dumps(entries, ensure_ascii=False)


def call_ids(message: Mapping[str, Any]) -> list[str]:
    """The ids of an assistant message's tool calls, in order."""
    calls: Sequence[Mapping[str, Any]] = message.get("tool_calls") or ()
    return [str(call["id"]) for call in calls]


def violations(messages: Sequence[WireMessage]) -> list[str]:
    """Every place where the list breaks the invariant, as sentences; empty for a valid list."""
    faults: list[str] = []
    open_ids: list[str] = []
    for index, message in enumerate(messages):
        if message["role"] == "tool":
            call_id = message.get("tool_call_id")
            if not open_ids or open_ids.pop(0) != call_id:
                faults.append(f"message {index}: a tool message for {call_id!r} is out of place")
            continue
        if open_ids:
            faults.append(f"message {index}: calls {open_ids} before it are not answered")
        open_ids = call_ids(message)
        if len(set(open_ids)) != len(open_ids):
            faults.append(f"message {index}: its tool calls share an id")
        if message["role"] == "assistant" and is_empty(message):
            faults.append(f"message {index}: an assistant message with nothing in it")
    if open_ids:
        faults.append(f"the end: calls {open_ids} are not answered")
    return faults


def mend(messages: Sequence[WireMessage]) -> list[WireMessage]:
    """The nearest valid list: missing answers are added, orphan and repeated ones dropped,
    misplaced ones moved. A valid list comes back as it is; mending twice changes nothing more.
    """
    mended: list[WireMessage] = []
    index = 0
    while index < len(messages):
        message = messages[index]
        index += 1
        if message["role"] == "tool" or (message["role"] == "assistant" and is_empty(message)):
            continue
        ids = call_ids(message)
        if not ids:
            mended.append(message)
            continue
        answers = _answers_from(messages, index, ids)
        message = _with_unique_ids(message, ids)
        mended.append(message)
        mended.extend(map(_answer_to, call_ids(message), answers))
    return mended


def is_empty(message: WireMessage) -> bool:
    """Whether there is nothing in it: no answer of the model is like that, and it is not sent."""
    return not message.get("content") and not message.get("tool_calls")


def _answers_from(
    messages: Sequence[WireMessage], start: int, ids: Sequence[str]
) -> list[WireMessage | None]:
    """The answer to each call, from before the next assistant message that uses its id again.
    Calls that share an id are answered in their order."""
    answers: list[WireMessage | None] = [None] * len(ids)
    waiting: dict[str, list[int]] = {}
    for place, call_id in enumerate(ids):
        waiting.setdefault(call_id, []).append(place)
    for message in messages[start:]:
        if not waiting:
            break
        if message["role"] != "tool":
            for call_id in call_ids(message):
                waiting.pop(call_id, None)
            continue
        call_id = str(message.get("tool_call_id"))
        places = waiting.get(call_id)
        if places:
            answers[places.pop(0)] = message
            if not places:
                del waiting[call_id]
    return answers


def _with_unique_ids(message: WireMessage, ids: Sequence[str]) -> WireMessage:
    if len(set(ids)) == len(ids):
        return message
    seen: set[str] = set()
    calls: list[dict[str, Any]] = []
    for call in message["tool_calls"]:
        call_id, number = str(call["id"]), 2
        while call_id in seen:
            call_id, number = f"{call['id']}_{number}", number + 1
        seen.add(call_id)
        calls.append({**call, "id": call_id})
    return {**message, "tool_calls": calls}


def _answer_to(call_id: str, answer: WireMessage | None) -> WireMessage:
    if answer is None:
        return {"role": "tool", "tool_call_id": call_id, "content": UNANSWERED}
    return answer if answer["tool_call_id"] == call_id else {**answer, "tool_call_id": call_id}
