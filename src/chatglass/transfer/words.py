"""Figures and names as an export for people says them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from chatglass.spending.report import cost_of_session
from chatglass.store.records import MessageRow, RequestRow, SessionRow, ToolCallRow
from chatglass.values import figures
from chatglass.values.usage import Usage, UsageSum

SPEAKERS = {"system": "System", "user": "You", "assistant": "Assistant", "tool": "Tool"}
MARKS = {"ok": "✓", "error": "✗", "denied": "⊘", "cancelled": "⊘", "unknown": "?"}
STATUSES = {"partial": "not finished", "interrupted": "interrupted", "error": "error"}


def time_of(ms: int) -> str:
    """Local date and time to the minute; nothing for a time that is not known."""
    return datetime.fromtimestamp(ms / 1000).strftime("%Y-%m-%d %H:%M") if ms > 0 else ""


def heading(row: MessageRow) -> str:
    """Who said it, with which model, when."""
    facts = [SPEAKERS[row.role], row.model or "", time_of(row.created_at)]
    facts.append(STATUSES.get(row.status, ""))
    return " · ".join(fact for fact in facts if fact)


def size(count: int) -> str:
    """Bytes in decimal units: `812 B`, `3.1 kB`, `5.2 MB`."""
    if count < 1000:
        return f"{count} B"
    value = float(count)
    for unit in ("kB", "MB", "GB"):
        value /= 1000
        if value < 999.95 or unit == "GB":
            return f"{value:.1f} {unit}"
    raise AssertionError("the last unit returns")


def call_facts(call: ToolCallRow) -> str:
    """State, duration and size of a tool call, and who decided."""
    facts = [call.state]
    if call.duration_ms is not None:
        facts.append(f"{call.duration_ms / 1000:.2f} s")
    if call.finished_at is not None:
        facts.append(size(call.result_bytes))
    if call.decided_by:
        facts.append(f"decided by {call.decided_by}" + (f" ({call.reason})" if call.reason else ""))
    return " · ".join(facts)


def used(usage: Usage) -> str:
    """Tokens in and out; `≈` where they are our estimate."""
    about = "≈ " if usage.source == "estimated" else ""
    cached = f" ({usage.cached_tokens:,} cached)" if usage.cached_tokens else ""
    return f"{about}{usage.prompt_tokens:,} tokens in{cached}, {usage.completion_tokens:,} out"


def request_facts(rows: Iterable[RequestRow]) -> str:
    """Tokens and cost of the requests of one answer; nothing where none is known."""
    known = [row for row in rows if row.usage is not None]
    if not known:
        return ""
    total = UsageSum()
    for row in known:
        if row.usage is not None:
            total.add(row.usage, row.cost)
    cost = figures.cost(total.known_cost, about=total.estimated, unpriced=total.unpriced)
    return f"{used(total.usage)} · {cost}"


def session_facts(row: SessionRow) -> list[tuple[str, str]]:
    """What the head of an export says, as (name, value)."""
    facts = [
        ("Id", row.id),
        ("Begun", time_of(row.created_at)),
        ("Model", " · ".join(filter(None, (row.model, row.endpoint)))),
        ("Directory", row.root),
        ("Messages", f"{row.messages:,}"),
        ("Tool calls", f"{row.tool_calls:,}"),
        ("Tokens", f"{row.total_tokens:,}"),
        ("Cost", cost_of_session(row)),
        ("Tags", ", ".join(row.tags)),
        ("Forked from", _origin_of(row)),
    ]
    return [(name, value) for name, value in facts if value]


def _origin_of(row: SessionRow) -> str:
    if row.forked_from is None:
        return ""
    session_id, message_id = row.forked_from
    return f"session {session_id} at message {message_id}; what it cost up to there counts there"


def title_of(row: SessionRow) -> str:
    return row.title or row.excerpt or "Untitled session"
