"""OpenAI's chat format: `{"messages": [...]}`, one conversation a line.

The fine-tuning format (https://platform.openai.com/docs/guides/supervised-fine-tuning) and what
many programs write. Neither times nor ids are in it, so a conversation is known by its content.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, cast

from chatglass.chat.messages import mend, to_wire
from chatglass.store.records import MessageRow, Role, WholeSession
from chatglass.transfer.building import Call, Outcome, SessionBuilder
from chatglass.transfer.shown import shown_path
from chatglass.transfer.source import (
    JsonObject,
    Skipped,
    arguments_text,
    json_lines,
    list_of,
    object_of,
    text_of,
)

SOURCE = "openai-jsonl"


# -- writing


def lines(whole: WholeSession) -> Iterator[str]:
    """The session's shown path as one line, a valid message list with its system prompt first."""
    system = whole.session.parameters.system_prompt
    messages: list[JsonObject] = [{"role": "system", "content": system}] if system else []
    messages += [to_wire(row) for row in shown_path(whole) if _is_said(row)]
    yield json.dumps({"messages": mend(messages)}, ensure_ascii=False) + "\n"


def _is_said(row: MessageRow) -> bool:
    """Without prompts that are empty, which the format has no use for."""
    return row.role != "user" or bool(row.content)


# -- reading


def sessions(path: Path, skipped: Skipped) -> Iterator[WholeSession]:
    at = _file_time(path)
    with path.open("rb") as file:
        yield from conversations(json_lines(file, skipped), at, skipped)


def conversations(found: Iterable[JsonObject], at: int, skipped: Skipped) -> Iterator[WholeSession]:
    """A session for each object with `messages`."""
    for entry in found:
        messages = [cast(JsonObject, each) for each in list_of(entry.get("messages")) if each]
        if not all(isinstance(cast(Any, each), dict) for each in messages) or not messages:
            skipped.add("line without messages")
            continue
        if (whole := _session(entry, messages, at, skipped)) is not None:
            yield whole


def _file_time(path: Path) -> int:
    return path.stat().st_mtime_ns // 1_000_000


def _session(
    entry: JsonObject, messages: list[JsonObject], at: int, skipped: Skipped
) -> WholeSession | None:
    whole = json.dumps(messages, sort_keys=True).encode()
    builder = SessionBuilder(SOURCE, hashlib.sha256(whole).hexdigest(), None, otherwise=at)
    model = text_of(entry.get("model"))
    system, rest = _leading_system(messages)
    parent: str | None = None
    place = 0
    while place < len(rest):
        message, key = rest[place], str(place)
        place += 1
        role = _role(message)
        if role == "assistant":
            answers: list[JsonObject] = []
            while place < len(rest) and _role(rest[place]) == "tool":
                answers.append(rest[place])
                place += 1
            parent = _answer(builder, key, parent, message, answers, model, skipped)
        elif role is None or role == "tool":
            skipped.add("tool message without a call" if role else "message of an unknown role")
        else:
            parent = _said(builder, key, parent, role, message)
    return builder.build(system_prompt=system, model=model)


def _leading_system(messages: list[JsonObject]) -> tuple[str | None, list[JsonObject]]:
    first = messages[0]
    if _role(first) == "system":
        return plain_text(first.get("content")) or None, messages[1:]
    return None, messages


def _role(message: JsonObject) -> Role | None:
    match message.get("role"):
        case "system" | "developer":
            return "system"
        case "user":
            return "user"
        case "assistant":
            return "assistant"
        case "tool" | "function":
            return "tool"
        case _:
            return None


def _said(
    builder: SessionBuilder, key: str, parent: str | None, role: Role, message: JsonObject
) -> str:
    content = message.get("content")
    parts = list_of(content)
    if role == "user" and parts and all(text_of(object_of(each).get("type")) for each in parts):
        if all(object_of(each).get("type") == "text" for each in parts):
            return builder.add(key, parent, role, plain_text(content))
        text = json.dumps(parts, ensure_ascii=False)
        return builder.add(key, parent, role, text, content_is_json=True)
    return builder.add(key, parent, role, plain_text(content))


def _answer(
    builder: SessionBuilder,
    key: str,
    parent: str | None,
    message: JsonObject,
    answers: list[JsonObject],
    model: str,
    skipped: Skipped,
) -> str:
    reasoning = text_of(message.get("reasoning_content")) or text_of(message.get("reasoning"))
    text = plain_text(message.get("content")) or text_of(message.get("refusal"))
    builder.add(key, parent, "assistant", text, reasoning=reasoning, model=model)
    calls = _calls(message)
    outcomes: list[Outcome | None] = [None] * len(calls)
    for answer in answers:
        wanted = answer.get("tool_call_id") or answer.get("name")
        free = (
            at
            for at, call in enumerate(calls)
            if outcomes[at] is None and wanted in (call.id, call.name)
        )
        if (at := next(free, None)) is None:
            skipped.add("tool message without a call")
        else:
            outcomes[at] = Outcome(text=plain_text(answer.get("content")))
    return builder.call(key, calls, outcomes) if calls else key


def _calls(message: JsonObject) -> list[Call]:
    entries = [object_of(each) for each in list_of(message.get("tool_calls"))]
    if legacy := object_of(message.get("function_call")):
        entries.append({"function": legacy})
    return [
        Call(
            id=text_of(entry.get("id")),
            name=text_of(function.get("name")),
            arguments=arguments_text(function.get("arguments", "")),
        )
        for entry in entries
        if (function := object_of(entry.get("function") or entry.get("custom")))
    ]


def plain_text(content: Any) -> str:
    """The text of a message's content: itself, or its parts joined by line breaks."""
    if isinstance(content, str):
        return content
    texts = [
        each if isinstance(each, str) else text_of(object_of(each).get("text"))
        for each in list_of(content)
    ]
    return "\n".join(text for text in texts if text)
