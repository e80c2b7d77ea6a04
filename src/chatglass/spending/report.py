"""Sums of spending as tables: for CSV, JSON and people. The one place that names their columns."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Any

from chatglass.spending.totals import known_cost, sum_of
from chatglass.store.records import SessionRow
from chatglass.store.usage_records import UsageBy, UsageRow
from chatglass.values import figures

BYS: tuple[UsageBy, ...] = ("day", "model", "tool", "session")

_KEYS: dict[UsageBy, tuple[str, ...]] = {
    "day": ("day",),
    "model": ("endpoint", "model"),
    "tool": ("tool", "calls"),
    "session": ("session_id", "title"),
}
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def as_json(by: UsageBy, rows: Sequence[UsageRow]) -> dict[str, Any]:
    """The rows and their total. Costs are USD, None where none is known."""
    return {
        "by": by,
        "rows": [{**_keys(by, row), **_figures(row)} for row in rows],
        "total": _figures(sum_of(rows)),
    }


def as_csv(by: UsageBy, rows: Sequence[UsageRow]) -> str:
    """One line for each row under a line of names, with CRLF as RFC 4180 has it.

    A text that a spreadsheet would take for a formula gets an apostrophe in front.
    """
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([*_KEYS[by], *_figures(UsageRow(name=""))])
    for row in rows:
        keys = [_harmless(value) for value in _keys(by, row).values()]
        values = _figures(row)
        cost = known_cost(row)
        values["cost_usd"] = "" if cost is None else f"{cost:f}"
        writer.writerow([*keys, *values.values()])
    return out.getvalue()


def as_table(by: UsageBy, rows: Sequence[UsageRow]) -> list[tuple[str, ...]]:
    """The same for people: a line of names, the rows, and their total."""
    head = (by, "requests", "in", "cached", "out", "reasoning", "cost")
    lines = [head if by != "tool" else (by, "calls", "sent in", "tokens", "cost")]
    lines += [_line(by, row, name_of(by, row)) for row in rows]
    if len(rows) != 1:
        lines.append(_line(by, sum_of(rows), "total"))
    return lines


def name_of(by: UsageBy, row: UsageRow) -> str:
    """How a row is called on screen."""
    if by == "session":
        return f"{row.name[-8:]} {row.title}".rstrip()
    return f"{row.name} · {row.endpoint}" if row.endpoint else row.name


def cost_of_session(row: SessionRow) -> str:
    """The same of a session by its own totals; `—` where nothing was used."""
    return figures.cost(
        row.known_cost, about=bool(row.estimated_requests), unpriced=row.unpriced_requests
    )


def cost_of(row: UsageRow, *, about: bool = False) -> str:
    """`$0.0183`, `free`, `—`, or with `+` where a part of it is unpriced."""
    if not row.total_tokens:
        return ""
    return figures.cost(
        known_cost(row),
        about=about or bool(row.estimated_requests),
        unpriced=row.unpriced_requests,
    )


def _line(by: UsageBy, row: UsageRow, name: str) -> tuple[str, ...]:
    if by == "tool":
        about = f"{figures.ABOUT} " if row.prompt_tokens else ""
        return (
            name,
            f"{row.calls:,}",
            f"{row.requests:,}",
            about + figures.tokens(row.prompt_tokens),
            cost_of(row, about=True),
        )
    counts = (row.prompt_tokens, row.cached_tokens, row.completion_tokens, row.reasoning_tokens)
    return (name, f"{row.requests:,}", *map(figures.tokens, counts), cost_of(row))


def _keys(by: UsageBy, row: UsageRow) -> dict[str, Any]:
    match by:
        case "day":
            return {"day": row.name}
        case "model":
            return {"endpoint": row.endpoint, "model": row.name}
        case "tool":
            return {"tool": row.name, "calls": row.calls}
        case "session":
            return {"session_id": row.name, "title": row.title}


def _figures(row: UsageRow) -> dict[str, Any]:
    cost = known_cost(row)
    return {
        "requests": row.requests,
        "prompt_tokens": row.prompt_tokens,
        "cached_tokens": row.cached_tokens,
        "cache_write_tokens": row.cache_write_tokens,
        "completion_tokens": row.completion_tokens,
        "reasoning_tokens": row.reasoning_tokens,
        "total_tokens": row.total_tokens,
        "cost_usd": None if cost is None else float(cost),
        "unpriced_requests": row.unpriced_requests,
        "free_requests": row.free_requests,
        "estimated_requests": row.estimated_requests,
    }


def _harmless(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
