"""The arguments of a call: as the model wrote them, and as they ran where they were edited."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chatglass.tui.inspector.json_layout import lay_out
from chatglass.tui.inspector.sections.call_facts import CallFacts, RowSection
from chatglass.tui.inspector.sections.section import Shown

if TYPE_CHECKING:
    from chatglass.store.records import ToolCallRow


class Arguments(RowSection):
    name = "arguments"
    label = "args"

    def show(self, facts: CallFacts) -> Shown:
        call = facts.call
        if call.edited_arguments is None:
            return Shown(call.arguments, "json", call.name)
        return Shown(arguments_text(call), "laid_out", "edited before it ran")


def arguments_text(row: ToolCallRow) -> str:
    """The arguments laid out; where they were edited, what ran and what the model wrote."""
    written = lay_out(row.arguments) or row.arguments
    if row.edited_arguments is None:
        return written
    ran = lay_out(row.edited_arguments) or row.edited_arguments
    return f"what ran, edited by {row.decided_by or 'someone'}:\n{ran}\n\nas the model wrote it:\n{written}"
