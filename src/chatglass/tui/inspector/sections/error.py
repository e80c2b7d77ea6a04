"""Why a call has no result, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chatglass.tui.inspector.call_words import OPEN_STATES, STATE_WORDS
from chatglass.tui.inspector.sections.call_facts import CallFacts, RowSection
from chatglass.tui.inspector.sections.section import Shown

if TYPE_CHECKING:
    from chatglass.store.records import ToolCallRow


class Error(RowSection):
    name = "error"
    label = "error"

    def show(self, facts: CallFacts) -> Shown:
        return Shown(error_text(facts.call), "text", facts.call.state)


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
