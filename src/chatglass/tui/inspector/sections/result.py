"""The result of a call, whole."""

from __future__ import annotations

from chatglass.tui.inspector.call_words import OPEN_STATES
from chatglass.tui.inspector.sections.call_facts import CallFacts, ResultSection
from chatglass.tui.inspector.sections.section import Shown
from chatglass.values.figures import size
from chatglass.values.text import one_line

_LOOKED_THROUGH = 2_000_000
"""Characters: 5 ms of parsing."""


class Result(ResultSection):
    name = "result"
    label = "result"

    def show(self, facts: CallFacts) -> Shown:
        if facts.result is None:
            return no_result(facts)
        produced = facts.result.produced
        return Shown(produced, "auto", size(facts.call.result_bytes) + _others(produced))


def _others(produced: str) -> str:
    """Which contents of a server's result are no texts, where it is short enough to look."""
    if len(produced) > _LOOKED_THROUGH:
        return ""
    from chatglass.tools.mcp.contents import contents_of

    others = [content for content in contents_of(produced) or () if content.kind != "text"]
    if not others:
        return ""
    kinds = ", ".join(dict.fromkeys(content.mime or content.kind for content in others))
    return f" · o shows {one_line(kinds, 80)}"


def no_result(facts: CallFacts) -> Shown:
    ended = facts.call.state not in OPEN_STATES
    return Shown("", "text", "no result was kept" if ended else "no result yet")
