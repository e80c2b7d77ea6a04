"""What the inspector says about a call: its state, one-line arguments, how much the model saw."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING

from chatglass.values.figures import share, size
from chatglass.values.text import one_line

if TYPE_CHECKING:
    from chatglass.store.records import ToolCallRow, ToolCallState, ToolResult

STATE_WORDS: dict[ToolCallState, str] = {
    "proposed": "proposed",
    "asking": "asks for approval",
    "approved": "approved, waits for its turn",
    "running": "running",
    "ok": "ok",
    "error": "error",
    "denied": "denied",
    "cancelled": "cancelled",
    "unknown": "unknown: it was running when chatglass ended, and may have taken effect",
}

OPEN_STATES: frozenset[ToolCallState] = frozenset({"proposed", "asking", "approved", "running"})


def counts_text(total: int, at_work: Iterable[ToolCallState]) -> str:
    """How many calls there are, and how many of them run or wait for an answer; `at_work` are the
    states of those that have not ended."""
    if not total:
        return ""
    states = Counter(at_work)
    counted = ((states["running"], "running"), (states["asking"], "asking"))
    return " · ".join([f"{total:,}", *(f"{count} {word}" for count, word in counted if count)])


def running_ms(row: ToolCallRow, now: int) -> int | None:
    """How long it ran, or has been running; None if it never did."""
    if row.duration_ms is not None:
        return row.duration_ms
    if row.state == "running" and row.started_at is not None:
        return max(0, now - row.started_at)
    return None


def short_arguments(row: ToolCallRow, limit: int) -> str:
    """The values of the arguments in one line."""
    text = row.edited_arguments if row.edited_arguments is not None else row.arguments
    text = text[: limit * 6].strip()
    if text.startswith("{"):
        text = text[1:-1] if text.endswith("}") else text[1:]
    return one_line(text, limit)


def seen_note(row: ToolCallRow, result: ToolResult | None = None) -> str:
    """How much of what was produced the model saw."""
    if row.state in OPEN_STATES:
        return "nothing sent to the model yet"
    if row.seen_bytes == row.result_bytes and (result is None or result.seen == result.produced):
        return f"whole: {size(row.seen_bytes)}"
    if row.seen_bytes < row.result_bytes:
        part = share(row.seen_bytes, row.result_bytes)
        return f"cut: the model saw {size(row.seen_bytes)} of {size(row.result_bytes)} ({part})"
    return f"differs: {size(row.result_bytes)} produced, the model saw {size(row.seen_bytes)}"
