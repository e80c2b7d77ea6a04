"""What the model saw of a result."""

from __future__ import annotations

from chatglass.tui.inspector.call_words import seen_note
from chatglass.tui.inspector.sections.call_facts import CallFacts, ResultSection
from chatglass.tui.inspector.sections.result import no_result
from chatglass.tui.inspector.sections.section import Shown


class Seen(ResultSection):
    name = "seen"
    label = "seen"

    def show(self, facts: CallFacts) -> Shown:
        if facts.result is None:
            return no_result(facts)
        return Shown(facts.result.seen, "auto", seen_note(facts.call, facts.result))
