"""What the inspector says about a call: marks, one-line arguments, the texts of its sections."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from chatglass.tui.inspector.json_layout import lay_out
from chatglass.values.figures import clock, date, duration, share, size
from chatglass.values.text import one_line

if TYPE_CHECKING:
    from chatglass.store.records import ToolCallRow, ToolCallState, ToolResult

Section = Literal["arguments", "result", "seen", "error", "times"]
SECTIONS: tuple[Section, ...] = ("arguments", "result", "seen", "error", "times")

STATE_MARKS: dict[ToolCallState, str] = {
    "proposed": "○",
    "asking": "○",
    "approved": "○",
    "running": "●",
    "ok": "✓",
    "error": "✗",
    "denied": "⊘",
    "cancelled": "⊘",
    "unknown": "?",
}
"""The signs of the transcript's cards. Where two states share one, a word stands beside it."""

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


def counts_text(calls: Sequence[ToolCallRow]) -> str:
    """How many there are, and how many of them are at work or wait for an answer."""
    if not calls:
        return ""
    states = Counter(call.state for call in calls)
    counted = ((states["running"], "running"), (states["asking"], "asking"))
    return " · ".join([f"{len(calls):,}", *(f"{count} {word}" for count, word in counted if count)])


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


def arguments_text(row: ToolCallRow) -> str:
    """The arguments laid out; where they were edited, what ran and what the model wrote."""
    written = lay_out(row.arguments) or row.arguments
    if row.edited_arguments is None:
        return written
    ran = lay_out(row.edited_arguments) or row.edited_arguments
    return f"what ran, edited by {row.decided_by or 'someone'}:\n{ran}\n\nas the model wrote it:\n{written}"


def error_text(row: ToolCallRow) -> str:
    if row.error:
        return row.error
    match row.state:
        case "denied":
            return f"denied by {row.decided_by or 'someone'}" + (
                f": {row.reason}" if row.reason else ""
            )
        case "cancelled":
            return "cancelled" + (f": {row.reason}" if row.reason else "")
        case "unknown":
            return STATE_WORDS["unknown"]
        case "error":
            return "It failed without a message."
        case _ if row.state in OPEN_STATES:
            return "no error so far"
        case _:
            return "no error"


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


def times_text(row: ToolCallRow, now: int) -> str:
    """When things happened, who decided and why, how long each step took."""
    lines = [("state", STATE_WORDS[row.state]), ("tool", row.name)]
    if row.server:
        lines.append(("server", row.server))
    lines += [("call id", row.call_id), ("", ""), ("day", date(row.proposed_at)[:10])]
    lines.append(("proposed", clock(row.proposed_at)))
    if row.decided_at is not None:
        waited = duration(row.decided_at - row.proposed_at)
        lines.append(("decided", f"{clock(row.decided_at)}   approval took {waited}"))
    elif row.state == "asking":
        lines.append(("decided", f"not yet; asking for {duration(max(0, now - row.proposed_at))}"))
    if row.started_at is not None:
        since = row.decided_at if row.decided_at is not None else row.proposed_at
        lines.append(
            ("started", f"{clock(row.started_at)}   queued {duration(row.started_at - since)}")
        )
    if row.finished_at is not None:
        ran = row.duration_ms
        took = f"   ran {duration(ran)}" if ran is not None else "   never ran"
        lines.append(("finished", clock(row.finished_at) + took))
    elif (ran := running_ms(row, now)) is not None:
        lines.append(("finished", f"not yet; running for {duration(ran)}"))
    lines.append(("", ""))
    if row.decided_by:
        verdict = "denied by" if row.state == "denied" else "allowed by"
        edited = ", with edited arguments" if row.edited_arguments is not None else ""
        lines.append((verdict, row.decided_by + edited))
    if row.reason:
        lines.append(("reason", row.reason))
    lines.append(("result", f"{size(row.result_bytes)}; {seen_note(row)}"))
    return "\n".join(f"{label:<12}{text}".rstrip() for label, text in lines)
