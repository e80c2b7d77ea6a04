"""When things happened to a call, and who decided about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chatglass.tui.inspector.call_words import STATE_WORDS, running_ms, seen_note
from chatglass.tui.inspector.sections.call_facts import CallFacts, RowSection
from chatglass.tui.inspector.sections.section import Shown
from chatglass.values.figures import clock, date, duration, size

if TYPE_CHECKING:
    from chatglass.store.records import ToolCallRow


class Times(RowSection):
    name = "times"
    label = "times"

    def show(self, facts: CallFacts) -> Shown:
        return Shown(times_text(facts.call, facts.now), "text", facts.call.name)


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
