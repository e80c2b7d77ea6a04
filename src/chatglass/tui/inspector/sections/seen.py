"""What the model saw of a result, with what was left out of it marked where it was."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from chatglass.tui.inspector.call_words import seen_note
from chatglass.tui.inspector.marked_text import MarkedText
from chatglass.tui.inspector.sections.call_facts import CallFacts, ResultSection
from chatglass.tui.inspector.sections.result import no_result
from chatglass.tui.inspector.sections.section import Shown
from chatglass.values.figures import size

if TYPE_CHECKING:
    from chatglass.chat.seen_difference import Stretch
    from chatglass.store.records import ToolResult

_SHOWN_WHOLE = 400
"""Characters of what was left out that stand in the text itself; of more, its first and last line."""
_OF_AN_END = 120


class Seen(ResultSection):
    name = "seen"
    label = "seen"

    def show(self, facts: CallFacts) -> Shown:
        result = facts.result
        if result is None:
            return no_result(facts)
        note = seen_note(facts.call, result)
        if result.seen == result.produced:
            return Shown(result.seen, "auto", note)
        text, words = _marked(result)
        return Shown(text.text, "text", f"{note} · {words}", copied=result.seen, marks=text.marks)


def _marked(result: ToolResult) -> tuple[MarkedText, str]:
    """The text, and in words how often it differs in what way."""
    from chatglass.chat.seen_difference import difference

    text = MarkedText()
    counts: Counter[str] = Counter()
    for stretch in difference(result.produced, result.seen):
        seen = result.seen[slice(*stretch.seen)]
        if stretch.kind == "same":
            text.add(seen)
            continue
        counts[stretch.kind] += 1
        if stretch.kind != "redacted":
            # What stood where a key was taken out is not repeated beside it.
            _add_left_out(text, result.produced, stretch)
        text.add(f"⟦+{seen}⟧" if seen else "", "added")
    named = (
        ("cut", "left out"),
        ("redacted", "redacted"),
        ("other", "replaced"),
        ("note", "added"),
    )
    return text, ", ".join(f"{counts[kind]} {word}" for kind, word in named if counts[kind])


def _add_left_out(text: MarkedText, produced: str, stretch: Stretch) -> None:
    left_out = produced[slice(*stretch.produced)]
    if not left_out:
        return
    if len(left_out) <= _SHOWN_WHOLE:
        text.add(f"⟦−{left_out}⟧", "removed")
        return
    first = produced.count("\n", 0, stretch.produced[0]) + 1
    count = left_out.count("\n") + 1
    which = f"lines {first:,} to {first + count - 1:,}, {size(len(left_out.encode()))}"
    begins = left_out[:_OF_AN_END].lstrip("\n").partition("\n")[0]
    ends = left_out[-_OF_AN_END:].rstrip("\n").rpartition("\n")[2]
    text.add(f"⟦−{begins}\n", "removed")
    text.add(f"  … left out: {which}; all of it is in the result …\n", "removed")
    text.add(f"{ends}⟧", "removed")
    text.add("\n")
