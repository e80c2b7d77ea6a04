"""What was sent otherwise than the transcript has it, and otherwise than the time before."""

from __future__ import annotations

import asyncio
import difflib

from chatglass.tui.inspector.json_layout import lay_out
from chatglass.tui.inspector.marked_text import MarkedText, Part
from chatglass.tui.inspector.sections.section import Shown
from chatglass.tui.wire.facts import WireFacts, WireSection
from chatglass.values.figures import counted, share, size

_SIGNS = {
    "left out": "−",
    "summary": "+",
    "changed": "≠",
    "added": "+",
    "cut": "✂",
    "dropped": "−",
}
_MOST_LINES = 4_000
"""Of a difference that is shown line by line; the rest is counted."""


class Changes(WireSection):
    """What compaction, truncation and adaptation changed."""

    name = "changes"
    label = "changes"

    def show(self, facts: WireFacts) -> Shown:
        view = facts.view
        assert view is not None
        if view.body is None:
            return Shown(view.problem, "text", "not known")
        text = MarkedText()
        if not view.changes:
            text.line("Every message was sent as the transcript has it, and nothing was dropped.")
        for change in view.changes:
            part = "removed" if change.kind in ("left out", "dropped", "cut") else "added"
            text.add(f"{_SIGNS[change.kind]} {change.kind:<9}", part).line(f"  {change.text}")
        count = len(view.changes)
        note = f"{count} against the transcript" if count else "as the transcript has it"
        return Shown(text.text, "text", note, marks=text.marks)


class Before(WireSection):
    """What differs from the session's request before, and how much of it is the same."""

    name = "before"
    label = "before"

    def is_ready(self, facts: WireFacts) -> bool:
        return facts.view is not None and facts.difference is not None

    async def read(self, facts: WireFacts) -> None:
        await facts.read()
        view = facts.view
        if view is not None and view.body is not None and view.previous_body is not None:
            facts.difference = await asyncio.to_thread(_difference, view.previous_body, view.body)
        else:
            facts.difference = ()

    def show(self, facts: WireFacts) -> Shown:
        view = facts.view
        assert view is not None
        if view.body is None:
            return Shown(view.problem, "text", "not known")
        if view.previous_body is None or view.shared is None:
            return Shown("", "text", "the first request of the session")
        text = MarkedText()
        total = sum(each.tokens for each in view.messages) + view.tool_tokens
        shared = view.shared
        text.fact(
            "same start",
            f"{shared.messages:,} of {counted(len(view.messages), 'message')}, "
            f"≈{shared.tokens:,} tokens ({share(shared.tokens, max(1, total))}): "
            "what a provider can take from its cache",
        )
        text.fact("", f"{size(shared.bytes)} of {size(len(view.body.encode()))} of the JSON")
        if not shared.same_tools:
            text.fact("tools", "≠ other tool schemas: most providers cache nothing then", "bad")
        usage = view.request.usage
        if usage is not None and usage.source == "reported":
            text.fact("reported", f"{usage.cached_tokens:,} cached of {usage.prompt_tokens:,}")
        text.line()
        lines = facts.difference or ()
        for line in lines[:_MOST_LINES]:
            text.line(line, _PARTS.get(line[:1]))
        if len(lines) > _MOST_LINES:
            text.line(f"… {len(lines) - _MOST_LINES:,} more lines of difference", "note")
        note = f"≈{shared.tokens:,} tokens as before"
        return Shown(text.text, "text", note, marks=text.marks)


_PARTS: dict[str, Part] = {"-": "removed", "+": "added", " ": "note"}


def _difference(one: str, other: str) -> list[str]:
    """Both laid out, line by line; what is the same is counted. For a thread: 60 ms a megabyte."""
    before, after = (lay_out(one) or one).split("\n"), (lay_out(other) or other).split("\n")
    first = next((i for i, (a, b) in enumerate(zip(before, after, strict=False)) if a != b), None)
    first = min(len(before), len(after)) if first is None else first
    last = 0
    while last < min(len(before), len(after)) - first and before[-1 - last] == after[-1 - last]:
        last += 1
    old, new = before[first : len(before) - last], after[first : len(after) - last]
    if not old and not new:
        return ["  the JSON is the same"]
    lines = [f"  {counted(first, 'line')} the same"]
    if len(old) + len(new) > _MOST_LINES:
        lines += [*(f"- {line}" for line in old), *(f"+ {line}" for line in new)]
    else:
        for what, a, b, c, d in difflib.SequenceMatcher(None, old, new).get_opcodes():
            if what == "equal":
                lines.append(f"  {counted(b - a, 'line')} the same")
            else:
                lines += [*(f"- {line}" for line in old[a:b]), *(f"+ {line}" for line in new[c:d])]
    return [*lines, f"  {counted(last, 'line')} the same"] if last else lines
