"""Rows of calls and requests for tests, at times that are easy to count with."""

from __future__ import annotations

import json
from typing import Any

from chatglass.chat.calls.rerun_row import RerunRow
from chatglass.store.records import RequestRow, ToolCallRow

START = 1_700_000_000_000


def at(seconds: float) -> int:
    return START + round(seconds * 1_000)


def call(name: str, times: tuple[float | None, ...] = (0, 0, 0, 1), **changes: Any) -> ToolCallRow:
    """`times` are proposed, decided, started and finished, in seconds."""
    proposed, decided, started, finished = (None if t is None else at(t) for t in times)
    values: dict[str, Any] = {
        "id": changes.get("id", f"call-{name}"),
        "session_id": "session",
        "turn_id": "turn-1",
        "request_id": "request-1",
        "message_id": "message",
        "call_id": name,
        "position": 0,
        "name": name,
        "arguments": json.dumps({"path": f"src/{name}.py"}),
        "proposed_at": proposed,
        "decided_at": decided,
        "started_at": started,
        "finished_at": finished,
        "state": "ok" if finished is not None else "running" if started is not None else "asking",
        "decided_by": "user",
        "result_bytes": 100,
        "seen_bytes": 100,
    }
    return ToolCallRow(**(values | changes))


def rerun(of: ToolCallRow, times: tuple[float | None, ...] = (0, 0, 0, 1)) -> RerunRow:
    row = call(of.name, times, id=f"again-{of.id}")
    return RerunRow(**{name: getattr(row, name) for name in ToolCallRow.__slots__}, rerun_of=of.id)


def request(
    number: int, start: float, first: float | None, end: float | None, turn: str = "turn-1"
) -> RequestRow:
    return RequestRow(
        id=f"request-{number}",
        session_id="session",
        turn_id=turn,
        message_id=f"message-{number}",
        purpose="answer",
        endpoint="demo",
        base_url="",
        model="demo-fast",
        started_at=at(start),
        first_token_at=None if first is None else at(first),
        finished_at=None if end is None else at(end),
        status="running" if end is None else "complete",
    )
