"""What was sent: the exact JSON, and its messages with what each takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chatglass.tui.inspector.marked_text import MarkedText
from chatglass.tui.inspector.sections.section import Shown
from chatglass.tui.wire.facts import WireFacts, WireSection
from chatglass.values.figures import counted, size
from chatglass.values.text import one_line

if TYPE_CHECKING:
    from chatglass.chat.wire_view import WireView


class Sent(WireSection):
    name = "sent"
    label = "sent"

    def show(self, facts: WireFacts) -> Shown:
        view = facts.view
        assert view is not None
        if view.body is None:
            return Shown(view.problem, "text", "not known")
        note = f"{size(len(view.body.encode()))}, byte for byte"
        return Shown(view.body, "json", note)


_TEXT = 40
"""Characters of a message's beginning: the line fits 80 columns."""
_WORDS = {
    "stored": "",
    "system": "system prompt",
    "summary": "≠ a summary instead of older messages",
    "changed": "≠ in another form than it is stored",
    "added": "≠ not in the transcript",
}


class Messages(WireSection):
    """Role, size and tokens of each message."""

    name = "messages"
    label = "messages"

    def show(self, facts: WireFacts) -> Shown:
        view = facts.view
        assert view is not None
        if view.body is None:
            return Shown(view.problem, "text", "not known")
        estimated = sum(each.tokens for each in view.messages) + view.tool_tokens
        text = MarkedText()
        reported = _reported(view)
        text.fact("estimated", f"≈{estimated:,} tokens")
        text.fact("reported", reported)
        if view.shared is not None:
            text.fact("same before", f"{view.shared.messages:,} from the first on, see 4")
        text.line()
        text.line(f"{'':>5} {'role':<10}{'tokens':>9}{'size':>9}  text", "note")
        if view.tools:
            names = f"{counted(len(view.tools), 'schema')}: {', '.join(view.tools)}"
            what = one_line(names, _TEXT)
            text.line(f"{'':>5} {'tools':<10}{f'≈{view.tool_tokens:,}':>9}{'':>9}  {what}")
        for number, each in enumerate(view.messages, 1):
            text.add(f"{number:>5} {each.role:<10}{f'≈{each.tokens:,}':>9}{size(each.size):>9}  ")
            text.add(one_line(each.start, _TEXT))
            words = _WORDS[each.origin]
            if words:
                text.add(f"  {words}", "note" if each.origin == "system" else "added")
            text.line()
        note = f"{counted(len(view.messages), 'message')} · ≈{estimated:,} tokens · reported {reported}"
        return Shown(text.text, "text", note, marks=text.marks)


def _reported(view: WireView) -> str:
    usage = view.request.usage
    if usage is None or usage.source != "reported":
        return "—"
    cached = f", {usage.cached_tokens:,} of them cached" if usage.cached_tokens else ""
    return f"{usage.prompt_tokens:,} tokens{cached}"
