"""The result of a call, whole."""

from __future__ import annotations

from chatglass.tui.inspector.call_words import OPEN_STATES
from chatglass.tui.inspector.sections.call_facts import CallFacts, ResultSection
from chatglass.tui.inspector.sections.section import Shown
from chatglass.values.figures import size


class Result(ResultSection):
    name = "result"
    label = "result"

    def show(self, facts: CallFacts) -> Shown:
        if facts.result is None:
            return no_result(facts)
        return Shown(facts.result.produced, "auto", size(facts.call.result_bytes))


def no_result(facts: CallFacts) -> Shown:
    ended = facts.call.state not in OPEN_STATES
    return Shown("", "text", "no result was kept" if ended else "no result yet")
