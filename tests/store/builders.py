"""Rows with all that a test doesn't care about filled in."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from chatglass.store.protocol import SessionStore
from chatglass.store.records import (
    MessageRow,
    QueuedPrompt,
    RequestRow,
    SessionQuery,
    SessionRow,
    ToolCallRow,
    ToolResult,
)
from chatglass.values.ids import new_id
from chatglass.values.usage import Usage

ALL = SessionQuery(include_archived=True)


def session(**fields: Any) -> SessionRow:
    given: dict[str, Any] = {
        "id": new_id(), "title": "A title", "root": "/work", "endpoint": "demo", "model": "demo-1",
        "created_at": 1_000, "updated_at": 1_000,
    }  # fmt: skip
    return SessionRow(**given | fields)


def message(session_id: str, parent_id: str | None = None, **fields: Any) -> MessageRow:
    given: dict[str, Any] = {
        "id": new_id(), "session_id": session_id, "parent_id": parent_id, "turn_id": "turn",
        "role": "user", "content": "Why does it fail?", "created_at": 2_000,
    }  # fmt: skip
    return MessageRow(**given | fields)


def answer(session_id: str, parent_id: str | None, **fields: Any) -> MessageRow:
    return message(session_id, parent_id, **{"role": "assistant", "content": "Since …"} | fields)


def request(session_id: str, **fields: Any) -> RequestRow:
    given: dict[str, Any] = {
        "id": new_id(), "session_id": session_id, "turn_id": "turn", "message_id": None,
        "purpose": "answer", "endpoint": "demo", "base_url": "http://127.0.0.1/v1",
        "model": "demo-1", "started_at": 2_500,
    }  # fmt: skip
    return RequestRow(**given | fields)


def finished(row: RequestRow, cost: str | None = "0.0041", tokens: int = 100) -> dict[str, Any]:
    """The fields that change when `row` is answered."""
    return {
        "status": "complete",
        "finished_at": row.started_at + 100,
        "usage": Usage(prompt_tokens=tokens - 10, completion_tokens=10, raw="{}"),
        "cost": None if cost is None else Decimal(cost),
    }


def tool_call(session_id: str, **fields: Any) -> ToolCallRow:
    given: dict[str, Any] = {
        "id": new_id(), "session_id": session_id, "turn_id": "turn", "request_id": new_id(),
        "message_id": new_id(), "call_id": "call_1", "position": 0, "name": "read_file",
        "arguments": '{"path": "tests/test_parse.py"}', "proposed_at": 3_000,
    }  # fmt: skip
    return ToolCallRow(**given | fields)


def queued(session_id: str, **fields: Any) -> QueuedPrompt:
    given: dict[str, Any] = {
        "id": new_id(), "session_id": session_id, "text": "and then?", "created_at": 4_000,
    }  # fmt: skip
    return QueuedPrompt(**given | fields)


async def new_session(store: SessionStore, **fields: Any) -> SessionRow:
    row = session(**fields)
    await store.create_session(row)
    return row


async def talk(store: SessionStore, session_id: str, length: int) -> list[MessageRow]:
    """`length` messages on one path, appended."""
    rows: list[MessageRow] = []
    for at in range(length):
        make = answer if at % 2 else message
        rows.append(make(session_id, rows[-1].id if rows else None, content=f"message {at}"))
        await store.append_message(rows[-1])
    return rows


async def whole_session(store: SessionStore, **fields: Any) -> SessionRow:
    """A session with a row of every kind."""
    row = await new_session(store, **fields)
    first, second = await talk(store, row.id, 2)
    blob = await store.put_blob(f"system prompt of {row.id}")
    sent = request(row.id, message_id=second.id, parts=(("blob", blob), ("message", first.id)))
    await store.add_request(sent)
    call = tool_call(row.id, request_id=sent.id, message_id=second.id)
    await store.add_tool_calls([call])
    await store.update_tool_call(call, ToolResult("produced", "seen"))
    await store.enqueue_prompt(queued(row.id))
    return await store.get_session(row.id)
