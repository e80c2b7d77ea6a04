"""Strategies for whole sessions: trees of messages with all that can hang on them."""

from __future__ import annotations

import hashlib
import json
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from chatglass.store.records import (
    CompactionRow,
    MessageRow,
    Parameters,
    QueuedPrompt,
    RequestRow,
    SessionRow,
    ToolCallRow,
    ToolResult,
    WholeSession,
)
from chatglass.values.ids import new_id
from chatglass.values.usage import Usage

TEXT = st.text(max_size=30) | st.sampled_from(["", "\0", "a\u2028b\r\n", "```\n", '"\\'])
COUNT = st.integers(0, 2**40)
COST = st.integers(0, 10**15).map(lambda pico: Decimal(pico).scaleb(-12))


def optional(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | strategy


@st.composite
def whole_sessions(draw: st.DrawFn) -> WholeSession:
    session_id = new_id()
    messages: list[MessageRow] = []
    calls: list[ToolCallRow] = []
    for _ in range(draw(st.integers(0, 6))):
        parent = draw(st.sampled_from([None, *(row.id for row in messages)]))
        messages.append(draw(message(session_id, parent)))
    blobs = draw(st.lists(TEXT.filter(bool), max_size=3, unique=True))
    hashes = {hashlib.sha256(text.encode()).hexdigest(): text for text in blobs}
    requests = [
        draw(request(session_id, messages, list(hashes))) for _ in range(draw(st.integers(0, 3)))
    ]
    for row in messages:
        if row.role == "assistant" and draw(st.booleans()):
            calls.append(draw(call(session_id, row.id)))
    results = {
        row.id: draw(st.builds(ToolResult, TEXT, TEXT)) for row in calls if draw(st.booleans())
    }
    used = {digest for row in requests for digest in named(row)}
    return WholeSession(
        session=draw(session(session_id, messages)),
        messages=tuple(messages),
        requests=tuple(requests),
        tool_calls=tuple(calls),
        results=results,
        compactions=tuple(
            draw(compaction(session_id, row.id)) for row in messages[: draw(st.integers(0, 2))]
        ),
        queued=tuple(
            QueuedPrompt(
                id=new_id(), session_id=session_id, text=draw(TEXT), created_at=draw(COUNT)
            )
            for _ in range(draw(st.integers(0, 2)))
        ),
        blobs={digest: text for digest, text in hashes.items() if digest in used},
    )


def named(row: RequestRow) -> list[str]:
    parts = [ref for kind, ref in row.parts if kind == "blob"]
    return [digest for digest in (row.tools_hash, row.body_hash, row.wire_hash, *parts) if digest]


@st.composite
def session(draw: st.DrawFn, id_: str, messages: list[MessageRow]) -> SessionRow:
    return SessionRow(
        id=id_,
        title=draw(TEXT),
        root=draw(TEXT),
        endpoint=draw(TEXT),
        model=draw(TEXT),
        created_at=draw(COUNT),
        updated_at=draw(COUNT),
        title_by_user=draw(st.booleans()),
        leaf_id=draw(st.sampled_from([None, *(row.id for row in messages)])),
        parameters=Parameters(
            system_prompt=draw(optional(TEXT)),
            temperature=draw(optional(st.floats(0, 2))),
            max_output_tokens=draw(optional(COUNT)),
            reasoning_effort=draw(optional(TEXT)),
        ),
        draft=draw(TEXT),
        pinned=draw(st.booleans()),
        archived=draw(st.booleans()),
        tags=tuple(draw(st.lists(TEXT, max_size=3))),
        forked_from=draw(optional(st.just(("session", "message")))),
    )


@st.composite
def message(draw: st.DrawFn, session_id: str, parent: str | None) -> MessageRow:
    role = draw(st.sampled_from(["system", "user", "assistant", "tool"]))
    is_json = role == "user" and draw(st.booleans())
    text = draw(TEXT)
    calls = [{"id": "c", "type": "function", "function": {"name": text, "arguments": text}}]
    return MessageRow(
        id=new_id(),
        session_id=session_id,
        parent_id=parent,
        turn_id=draw(TEXT),
        role=role,
        content=json.dumps([{"type": "text", "text": text}]) if is_json else text,
        created_at=draw(COUNT),
        status=draw(st.sampled_from(["complete", "partial", "interrupted", "error"])),
        content_is_json=is_json,
        reasoning=draw(TEXT),
        reasoning_ms=draw(COUNT),
        tool_calls=json.dumps(calls) if role == "assistant" and draw(st.booleans()) else None,
        tool_call_id=draw(optional(TEXT)),
        tool_name=draw(optional(TEXT)),
        endpoint=draw(optional(TEXT)),
        model=draw(optional(TEXT)),
        error=draw(optional(TEXT)),
    )


@st.composite
def request(
    draw: st.DrawFn, session_id: str, messages: list[MessageRow], hashes: list[str]
) -> RequestRow:
    digest = st.sampled_from([None, *hashes])
    path = st.sampled_from(
        [("path", f"{row.id} {row.id}") for row in messages] or [("path", "x y")]
    )
    blob = st.sampled_from([("blob", each) for each in hashes]) if hashes else st.nothing()
    return RequestRow(
        id=new_id(),
        session_id=session_id,
        turn_id=draw(TEXT),
        message_id=draw(st.sampled_from([None, *(row.id for row in messages)])),
        purpose=draw(st.sampled_from(["answer", "compaction"])),
        endpoint=draw(TEXT),
        base_url=draw(TEXT),
        model=draw(TEXT),
        started_at=draw(COUNT),
        status=draw(st.sampled_from(["running", "complete", "interrupted", "error"])),
        parts=tuple(draw(st.lists(path | blob, max_size=140))),
        tools_hash=draw(digest),
        body_hash=draw(digest),
        wire_hash=draw(digest),
        first_token_at=draw(optional(COUNT)),
        finished_at=draw(optional(COUNT)),
        finish_reason=draw(optional(TEXT)),
        attempts=draw(st.integers(1, 9)),
        usage=draw(optional(usage())),
        cost=draw(optional(COST)),
        price_source=draw(TEXT),
        prompt_cost=draw(optional(COST)),
        error=draw(optional(TEXT)),
    )


def usage() -> st.SearchStrategy[Usage]:
    return st.builds(
        Usage,
        prompt_tokens=COUNT,
        completion_tokens=COUNT,
        cached_tokens=COUNT,
        cache_write_tokens=COUNT,
        reasoning_tokens=COUNT,
        source=st.sampled_from(["reported", "estimated"]),
        raw=optional(TEXT),
    )


@st.composite
def call(draw: st.DrawFn, session_id: str, message_id: str) -> ToolCallRow:
    return ToolCallRow(
        id=new_id(),
        session_id=session_id,
        turn_id=draw(TEXT),
        request_id=draw(TEXT),
        message_id=message_id,
        call_id=draw(TEXT),
        position=draw(st.integers(0, 9)),
        name=draw(TEXT),
        arguments=draw(TEXT),
        proposed_at=draw(COUNT),
        server=draw(TEXT),
        state=draw(st.sampled_from(["proposed", "running", "ok", "error", "denied", "unknown"])),
        edited_arguments=draw(optional(TEXT)),
        decided_by=draw(TEXT),
        reason=draw(TEXT),
        decided_at=draw(optional(COUNT)),
        started_at=draw(optional(COUNT)),
        finished_at=draw(optional(COUNT)),
        result_bytes=draw(COUNT),
        seen_bytes=draw(COUNT),
        error=draw(optional(TEXT)),
    )


@st.composite
def compaction(draw: st.DrawFn, session_id: str, message_id: str) -> CompactionRow:
    return CompactionRow(
        id=new_id(),
        session_id=session_id,
        anchor_id=message_id,
        first_kept_id=message_id,
        strategy=draw(TEXT),
        created_at=draw(COUNT),
        summary=draw(TEXT),
        request_id=draw(optional(TEXT)),
        tokens_before=draw(COUNT),
        tokens_after=draw(COUNT),
        elided_through=draw(optional(TEXT)),
        replaces=draw(optional(TEXT)),
        undone=draw(st.booleans()),
    )
