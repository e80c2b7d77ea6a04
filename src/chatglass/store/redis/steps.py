"""Every write of `SessionStore` as steps of the writing script (`write.lua`)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from typing import Any

from chatglass.store.records import (
    CompactionRow,
    MessageRow,
    QueuedPrompt,
    RequestRow,
    SessionRow,
    ToolCallRow,
    ToolResult,
)
from chatglass.store.redis import rows
from chatglass.store.redis.indexing import index_step, name
from chatglass.store.sqlite.messages import plain_text
from chatglass.store.sqlite.requests import digests
from chatglass.values.text import one_line, storable

Step = tuple[str, Sequence[str | bytes | int]]
Steps = list[Step]

_EXCERPT = 200
_CHUNK = 128
"""Parts in a blob. The next request of a session begins with the same ones, so these are shared."""
PREVIEW_CHARS = 65_536
"""Of a result that is indexed, where nothing else is said."""
OPEN_CALLS = frozenset({"proposed", "asking", "approved", "running"})


def create(row: SessionRow, *, hidden: bool = False) -> Steps:
    fields = rows.session_fields(row)
    steps: Steps = [
        ("no_session", (row.id,)),
        ("create", (row.id, row.updated_at, "1" if hidden else "0", *fields)),
    ]
    return [*steps, *_title(row.id, row.title)] if row.title else steps


def change(session_id: str, **changes: Any) -> Steps:
    """Set fields of one session."""
    flat: list[str] = []
    for field, value in changes.items():
        flat += [field, rows.session_value(field, value)]
    return [("session", (session_id,)), ("set", (session_id, *flat))]


def rename(session_id: str, title: str, by_user: bool) -> Steps:
    return [
        *change(session_id, title=title, title_by_user=by_user),
        ("set", (session_id, "folded_title", rows.folded(title))),
        *_title(session_id, title),
    ]


def _title(session_id: str, title: str) -> Steps:
    if not title:
        return [("unindex", (session_id, name("title", session_id)))]
    return [index_step("title", session_id, session_id, "", title)]


def set_leaf(session_id: str, leaf_id: str | None) -> Steps:
    return [
        ("session", (session_id,)),
        ("parent", (session_id, leaf_id or "")),
        ("set", (session_id, "leaf_id", leaf_id or "")),
    ]


def delete(session_id: str, token: str) -> Steps:
    return [
        ("session", (session_id,)),
        ("not_held", (session_id, token)),
        ("delete", (session_id,)),
    ]


def append(row: MessageRow, queued_id: str | None = None) -> Steps:
    plain = plain_text(row)
    excerpt = one_line(plain, _EXCERPT) if row.role == "user" else ""
    parent = row.parent_id or ""
    steps: Steps = [
        ("session", (row.session_id,)),
        ("parent", (row.session_id, parent)),
        ("absent", ("m", "message", row.id)),
        (
            "append",
            (
                row.session_id, row.id, parent, row.role, row.status, row.created_at,
                rows.encode(row), excerpt, storable(row.content), plain, queued_id or "",
            ),
        ),
    ]  # fmt: skip
    return [*steps, *_index_message(row, plain)]


def checkpoint(message_id: str, content: str, reasoning: str) -> Steps:
    return [("checkpoint", (message_id, rows.dumps([content, reasoning])))]


def finish(row: MessageRow) -> Steps:
    return [
        (
            "finish",
            (row.session_id, row.id, row.parent_id or "", row.status, rows.encode(row)),
        ),
        *_index_message(row, plain_text(row)),
    ]


def _index_message(row: MessageRow, plain: str) -> Steps:
    # A tool message repeats the result of its call, which is indexed by itself.
    if row.status == "partial" or row.role == "tool":
        return []
    return [index_step("message", row.session_id, row.id, row.id, plain)]


def digest_of(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def put_blob(text: str) -> tuple[str, Steps]:
    """`text` as it is kept has the hash that is returned."""
    text = storable(text)
    digest = digest_of(text)
    return digest, [("put_blob", (digest, text))]


def keep_blobs(session_id: str, texts: Iterable[tuple[str, str]]) -> Steps:
    """Keep texts (by their hash) to which requests of the session refer."""
    return [("keep_blob", (session_id, digest, text)) for digest, text in texts]


def add_request(row: RequestRow) -> Steps:
    return [
        ("session", (row.session_id,)),
        ("absent", ("r", "request", row.id)),
        *_refer(row),
        *_write_request("add_request", row, keep_parts=False),
    ]


def finish_request(row: RequestRow) -> Steps:
    return [
        ("owned", ("r", "request", row.id, row.session_id)),
        *_refer(row),
        *_write_request("finish_request", row, keep_parts=not row.parts),
    ]


def _refer(row: RequestRow) -> Steps:
    named = list(dict.fromkeys(digests(row)))
    slices = [named[at : at + 1000] for at in range(0, len(named), 1000)]
    return [
        *(("blobs", tuple(each)) for each in slices),
        *(("refer", (row.session_id, *each)) for each in slices),
    ]


def _write_request(step: str, row: RequestRow, *, keep_parts: bool) -> Steps:
    # First, since nothing is to be sent where the cost can't be kept.
    text, spent = rows.encode_request(row), rows.spent(row)
    kept, parts = ([], "") if keep_parts else _parts(row)
    is_open = "1" if row.status == "running" else "0"
    ids = (row.session_id, row.id)
    if step == "add_request":
        args = (*ids, row.started_at, is_open, text, parts, storable(row.model), spent)
    else:
        time = row.finished_at or row.started_at
        args = (*ids, time, is_open, text, parts, row.started_at, spent)
    return [*keep_blobs(row.session_id, kept), (step, args)]


def _parts(row: RequestRow) -> tuple[list[tuple[str, str]], str]:
    """Blobs of so many parts each, and what the request keeps: their hashes, and the rest."""
    whole = len(row.parts) - len(row.parts) % _CHUNK
    texts = [json.dumps(row.parts[at : at + _CHUNK]) for at in range(0, whole, _CHUNK)]
    kept = [(digest_of(text), text) for text in texts]
    return kept, rows.dumps([[digest for digest, _ in kept], row.parts[whole:]])


def add_calls(calls: Sequence[ToolCallRow]) -> Steps:
    steps: Steps = []
    for row in calls:
        steps += [
            ("session", (row.session_id,)),
            ("absent", ("c", "tool call", row.id)),
        ]
    for row in calls:
        steps += [
            ("add_call", (*_call(row)[:4], storable(row.name), *_call(row)[4:])),
            _index_arguments(row),
        ]
    return steps


def change_call(
    row: ToolCallRow,
    result: ToolResult | None = None,
    *,
    preview_chars: int,
    other_words: bool,
) -> Steps:
    steps: Steps = [
        ("owned", ("c", "call", row.id, row.session_id)),
        ("change_call", _call(row)),
    ]
    if other_words:
        steps.append(_index_arguments(row))
    if result is None:
        return steps
    produced, seen = storable(result.produced), storable(result.seen)
    same = produced == seen
    steps.append(("result", (row.id, produced, "" if same else seen, "1" if same else "0")))
    if produced:
        steps.append(
            index_step(
                "result", row.session_id, row.id, row.message_id, produced, most=preview_chars
            )
        )
    else:
        steps.append(("unindex", (row.session_id, name("result", row.id))))
    return steps


def _call(row: ToolCallRow) -> tuple[str | int, ...]:
    is_open = "1" if row.state in OPEN_CALLS else "0"
    ran = rows.dumps([row.id, row.session_id, row.request_id, row.name, row.proposed_at])
    return row.session_id, row.id, is_open, rows.encode(row), row.proposed_at, ran


def words_of(row: ToolCallRow) -> str:
    """What of a call is found beside its result."""
    return f"{row.name} {row.arguments}"


def _index_arguments(row: ToolCallRow) -> Step:
    return index_step("arguments", row.session_id, row.id, row.message_id, words_of(row))


def add_compaction(row: CompactionRow) -> Steps:
    return [
        ("session", (row.session_id,)),
        ("absent", ("x", "compaction", row.id)),
        ("add_compaction", (row.session_id, row.id, rows.encode(row))),
    ]


def enqueue(prompt: QueuedPrompt) -> Steps:
    return [
        ("session", (prompt.session_id,)),
        ("absent", ("q", "queued prompt", prompt.id)),
        ("enqueue", (prompt.session_id, prompt.id, rows.encode(prompt))),
    ]


def unqueue(prompt_id: str) -> Steps:
    return [("unqueue", (prompt_id,))]


def recover(
    session_id: str,
    token: str,
    messages: Sequence[MessageRow],
    requests: Sequence[RequestRow],
    calls: Sequence[ToolCallRow],
) -> Steps:
    """Settle these, if they are as they were read and nobody else holds the session."""
    named = [
        *(f"m{row.id}" for row in messages),
        *(f"r{row.id}" for row in requests),
        *(f"c{row.id}" for row in calls),
    ]
    steps: Steps = [
        ("session", (session_id,)),
        ("unless_held", (session_id, token)),
        ("still_open", (session_id, *named)),
    ]
    for message in messages:
        steps += finish(message)
    for request in requests:
        steps += _write_request("finish_request", request, keep_parts=True)
    for call in calls:
        steps += change_call(call, preview_chars=0, other_words=False)
    return steps


def arguments(steps: Iterable[Step]) -> list[bytes]:
    """Steps as the writing script takes them."""
    flat: list[bytes] = []
    for step, given in steps:
        flat += [step.encode(), str(len(given)).encode()]
        flat += (each if isinstance(each, bytes) else str(each).encode() for each in given)
    return flat
