"""What was sent otherwise than the transcript has it, and which stored message each sent one is."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from chatglass.chat.messages import UNANSWERED, is_empty, to_wire
from chatglass.chat.wire_record import Attempt
from chatglass.models.deltas import as_list, as_object, as_text
from chatglass.store.records import CompactionRow, MessageRow, Parameters, ToolCallRow
from chatglass.values.figures import counted

Origin = Literal["stored", "system", "summary", "changed", "added"]
"""Of a sent message: as it is stored; the system prompt; a compaction's summary; a stored one in
another form; one that is not stored at all."""

ChangeKind = Literal["left out", "summary", "changed", "added", "cut", "dropped"]


@dataclass(frozen=True, slots=True)
class Change:
    """Something that was sent otherwise than the transcript has it."""

    kind: ChangeKind
    text: str


def origins(
    messages: Sequence[Mapping[str, Any]], path: Sequence[MessageRow]
) -> list[tuple[Origin, MessageRow | None]]:
    """What each sent message is of the path. Both go the same way, so that each search begins
    where the last one ended."""
    wires = [to_wire(row) for row in path]
    found: list[tuple[Origin, MessageRow | None]] = []
    at = 0
    for number, message in enumerate(messages):
        same = next((i for i in range(at, len(path)) if wires[i] == message), None)
        if same is not None:
            found.append(("stored", path[same]))
            at = same + 1
            continue
        like = next((i for i in range(at, len(path)) if _is_like(wires[i], message)), None)
        if like is not None:
            found.append(("changed", path[like]))
            at = like + 1
        elif number == 0 and message.get("role") in ("system", "developer"):
            found.append(("system", None))
        else:
            found.append(("added", None))
    return found


def _is_like(wire: Mapping[str, Any], message: Mapping[str, Any]) -> bool:
    """Whether `message` is `wire` in the form that some endpoint takes."""
    if wire.get("role") != message.get("role"):
        return False
    if wire["role"] == "tool":
        same_call = wire.get("tool_call_id") == message.get("tool_call_id")
        return same_call and message.get("content") != UNANSWERED
    if wire.get("tool_calls") or message.get("tool_calls"):
        return wire.get("tool_calls") == message.get("tool_calls")
    one, other = text_of(wire), text_of(message)
    return bool(one) and (one == other or other.endswith(one) or one in other)


def text_of(message: Mapping[str, Any]) -> str:
    content = message.get("content")
    if isinstance(content, str):
        return content
    return "".join(as_text(as_object(part).get("text")) for part in as_list(content))


def left_out(
    path: Sequence[MessageRow], sent_ids: Collection[str | None], compaction: CompactionRow | None
) -> list[Change]:
    gone = [row for row in path if row.id not in sent_ids]
    changes: list[Change] = []
    first = None if compaction is None else compaction.first_kept_id
    before = next((i for i, row in enumerate(path) if row.id == first), 0)
    compacted = {row.id for row in path[:before]}
    if compacted and compaction is not None:
        rows = [row for row in gone if row.id in compacted]
        turns = len({row.turn_id for row in rows})
        size = sum(len(row.content.encode()) for row in rows)
        count = (
            f"{counted(len(rows), 'message')} of {counted(turns, 'turn')} ({counted(size, 'byte')})"
        )
        instead = "a summary stands for them" if compaction.summary else "nothing stands for them"
        changes.append(
            Change("left out", f"{count}, by the compaction {compaction.strategy}: {instead}")
        )
        if compaction.summary:
            tokens = f"{compaction.tokens_before:,} → {compaction.tokens_after:,} tokens"
            changes.append(
                Change("summary", f"{counted(len(compaction.summary), 'character')} ({tokens})")
            )
    for row in gone:
        if row.id in compacted:
            continue
        why = "it is empty" if is_empty(to_wire(row)) else "the list would not be valid with it"
        changes.append(Change("left out", f"{row.role} message {row.content[:60]!r}: {why}"))
    return changes


def other_forms(
    messages: Sequence[Mapping[str, Any]], origins: Sequence[tuple[Origin, MessageRow | None]]
) -> list[Change]:
    changes: list[Change] = []
    for number, (message, (origin, row)) in enumerate(zip(messages, origins, strict=True), 1):
        if origin == "added" and message.get("content") == UNANSWERED:
            changes.append(Change("added", f"message {number}: an answer to a call that has none"))
        if origin != "changed" or row is None:
            continue
        wire = to_wire(row)
        less = [key for key in wire if key not in message]
        more = [key for key in message if key not in wire]
        other = [key for key in wire if key in message and wire[key] != message[key]]
        said = [
            *(f"without {key}" for key in less),
            *(f"with {key}" for key in more),
            *(_difference(key, wire[key], message[key]) for key in other),
        ]
        changes.append(Change("changed", f"message {number} ({row.role}): {', '.join(said)}"))
    return changes


def _difference(key: str, stored: object, sent: object) -> str:
    if isinstance(stored, str) and isinstance(sent, str):
        if stored in sent:
            return f"{key} with {counted(len(sent) - len(stored), 'character')} more around it"
        return f"{key} of {counted(len(sent), 'character')} instead of {len(stored):,}"
    return f"{key} in another form"


def cut_results(
    messages: Sequence[Mapping[str, Any]], calls: Mapping[str, ToolCallRow]
) -> list[Change]:
    changes: list[Change] = []
    for number, message in enumerate(messages, 1):
        call = calls.get(as_text(message.get("tool_call_id")))
        if message.get("role") == "tool" and call and call.seen_bytes != call.result_bytes:
            sizes = f"{call.seen_bytes:,} of {call.result_bytes:,} bytes that it produced"
            changes.append(Change("cut", f"message {number}: {call.name} shows {sizes}"))
    return changes


def dropped(
    body: Mapping[str, Any],
    before: Mapping[str, Any] | None,
    parameters: Parameters,
    attempts: Sequence[Attempt],
) -> list[Change]:
    changes = [
        Change("dropped", attempt.failure)
        for attempt in attempts[:-1]
        if attempt.failure and attempt.status is not None and 400 <= attempt.status < 429
    ]
    for name, value, keys in (
        ("temperature", parameters.temperature, ("temperature",)),
        (
            "max_output_tokens",
            parameters.max_output_tokens,
            ("max_tokens", "max_completion_tokens"),
        ),
        ("reasoning_effort", parameters.reasoning_effort, ("reasoning_effort",)),
    ):
        if value is not None and not any(key in body for key in keys):
            changes.append(Change("dropped", f"{name}: the session has {value}, the body has none"))
    if "stream_options" not in body:
        changes.append(Change("dropped", "stream_options: the endpoint takes none, or refused it"))
    if before is not None and "tools" in before and "tools" not in body:
        changes.append(Change("dropped", "tools: the request before had them"))
    return changes
