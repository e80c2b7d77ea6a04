"""CallDetail: the sections of one tool call, one at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from chatglass.tui.inspector.section_pane import SectionPane
from chatglass.tui.inspector.sections.call_facts import CallFacts
from chatglass.tui.inspector.sections.catalog import SECTIONS

if TYPE_CHECKING:
    from chatglass.store.records import ToolCallRow
    from chatglass.tui.inspector.call_source import CallSource


class CallDetail(SectionPane[CallFacts]):
    """Shows a call that it is given (`show_call`, `update_call`)."""

    def __init__(self, source: CallSource, *, now: Callable[[], int]) -> None:
        super().__init__(SECTIONS)
        self._source = source
        self._now = now

    @property
    def call(self) -> ToolCallRow | None:
        """The call that is shown."""
        return self.facts.call if self.facts else None

    def show_call(self, call: ToolCallRow | None, nothing: str = "") -> None:
        """Show that call; where there is none, say `nothing`."""
        self.show_facts(CallFacts(call, self._source, self._now()) if call else None, nothing)

    def show_section(self, section: str) -> None:
        if section != self.section and self.facts is not None:
            # What later requests add to is read again with every look.
            self.facts.round = self.facts.tokens = None
        super().show_section(section)

    def update_call(self, call: ToolCallRow) -> None:
        """The new state of the call that is shown."""
        facts = self.facts
        if facts is None or call == facts.call:
            return
        before = facts.call
        if (before.state, before.result_bytes) != (call.state, call.result_bytes):
            self.show_call(call)
            return
        facts.call, facts.now = call, self._now()
        if not self.shows_result:
            self.show_again()
