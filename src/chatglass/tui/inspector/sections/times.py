"""When things happened to a call, and who decided about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chatglass.tui.inspector.call_words import STATE_WORDS, running_ms, seen_note
from chatglass.tui.inspector.marked_text import MarkedText
from chatglass.tui.inspector.sections.call_facts import CallFacts
from chatglass.tui.inspector.sections.section import Shown
from chatglass.values.figures import clock, date, duration, size

if TYPE_CHECKING:
    from chatglass.chat.call_round import CallRound
    from chatglass.store.records import ToolCallRow


class Times:
    name = "times"
    label = "times"
    of_result = False

    def is_ready(self, facts: CallFacts) -> bool:
        return facts.round is not None

    async def read(self, facts: CallFacts) -> None:
        facts.round = await facts.source.round(facts.call)

    def show(self, facts: CallFacts) -> Shown:
        assert facts.round is not None
        text = times_text(facts.call, facts.now, facts.round)
        return Shown(text.text, "text", facts.call.name, marks=text.marks)


_BAR = 30
"""Cells of all steps together."""


def _add_steps(text: MarkedText, row: ToolCallRow, now: int, around: CallRound) -> None:
    """Each step with its share of the whole as a bar, where it stands in it."""
    back = around.taken_back_by
    ends = (
        ("approval", row.proposed_at, row.decided_at),
        ("queue", row.decided_at or row.proposed_at, row.started_at),
        ("run", row.started_at, row.finished_at),
        ("return", row.finished_at, back.started_at if back else None),
    )
    last = max(at for _, start, end in ends for at in (start, end, row.proposed_at) if at)
    whole = max(1, (last if row.finished_at else now) - row.proposed_at)
    for name, start, end in ends:
        is_open = start is not None and end is None and not row.finished_at
        if start is None or (end is None and not is_open):
            continue
        until = end if end is not None else now
        left = min(_BAR - 1, (start - row.proposed_at) * _BAR // whole)
        width = max(1, min(_BAR - left, round((until - start) * _BAR / whole)))
        text.add(f"{name:<13}", "note").add(" " * left).add("█" * width, "good" if end else "bad")
        text.line(" " * (_BAR - left - width) + f"  {duration(max(0, until - start))}")
        if is_open:
            break


def _add_attempts(text: MarkedText, around: CallRound) -> None:
    request = around.request
    if request is not None and request.attempts > 1:
        text.fact("request", f"answered at attempt {request.attempts}")
    for number, before in enumerate(around.before, 1):
        text.fact(f"attempt {number}", f"{clock(before.proposed_at)}  {before.state}")
    if around.before:
        text.fact(f"attempt {len(around.before) + 1}", "this one: the same tool and arguments")
    else:
        text.fact("attempts", "the first with these arguments")


def times_text(row: ToolCallRow, now: int, around: CallRound) -> MarkedText:
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
    text = MarkedText()
    _add_steps(text, row, now, around)
    text.line()
    for label, words in lines:
        if label:
            text.fact(label, words)
        else:
            text.line()
    text.line()
    _add_attempts(text, around)
    return text
