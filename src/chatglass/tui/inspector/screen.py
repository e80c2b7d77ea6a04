"""InspectorScreen: the inspector over the whole screen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen

from chatglass.store.records import RequestRow, ToolCallRow
from chatglass.tui.actions.footer import FooterLine, way_out
from chatglass.tui.actions.registry import ACTIONS
from chatglass.tui.approval.panel import ApprovalPanel
from chatglass.tui.approval.words import CallWords
from chatglass.tui.inspector.call_source import CallSource
from chatglass.tui.inspector.calls_head import View
from chatglass.tui.inspector.inspector import Inspector
from chatglass.values.clock import now_ms

WIDE = 110
"""Columns from which the list stands beside the text instead of above it."""


class InspectorScreen(Screen[str | None]):
    """Ends with the id of the call that was looked at last, None where there was none.

    The messages of `Inspector` bubble through it to the app.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        *ACTIONS.bindings("screen"),
        Binding("ctrl+o", "close", "Close", show=False),
    ]

    def __init__(
        self,
        source: CallSource,
        rows: Sequence[ToolCallRow],
        *,
        requests: Sequence[RequestRow] = (),
        view: View = "list",
        open_id: str | None = None,
        section: str = "arguments",
        words: CallWords | None = None,
        now: Callable[[], int] = now_ms,
    ) -> None:
        super().__init__()
        self._rows = rows
        self._open_id = open_id
        self._section: str = section
        self._requests = requests
        self._view: View = view
        self.inspector = Inspector(source, now=now)
        self.approval = ApprovalPanel(words, id="approval")

    def compose(self) -> ComposeResult:
        yield self.inspector
        yield self.approval
        yield FooterLine(place="inspector", first=way_out(), target=self.inspector)

    def on_mount(self) -> None:
        self.inspector.show_view(self._view)
        self.inspector.calls_panel.show_requests(self._requests)
        self.inspector.show_calls(self._rows)
        self.inspector.show_section(self._section)
        if self._open_id is None or not self.inspector.open_call(self._open_id):
            self.inspector.calls_panel.focus_calls()

    def on_resize(self, event: events.Resize) -> None:
        self.inspector.set_class(event.size.width >= WIDE, "-wide")

    def show_calls(self, rows: Sequence[ToolCallRow]) -> None:
        self.inspector.show_calls(rows)

    def update_call(self, row: ToolCallRow) -> None:
        self.inspector.update_call(row)

    def action_close(self) -> None:
        self.dismiss(self.inspector.chosen)
