"""Inspector: every tool call of a session, and all there is to know about the chosen one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.widget import Widget

from chatglass.tui.actions.registry import ACTIONS
from chatglass.tui.inspector.call_detail import CallDetail
from chatglass.tui.inspector.call_list import CallList
from chatglass.tui.inspector.call_words import counts_text
from chatglass.tui.inspector.calls_head import View
from chatglass.tui.inspector.calls_panel import CallsPanel
from chatglass.tui.inspector.json_tree import JsonTree
from chatglass.tui.inspector.sections.catalog import NAMES
from chatglass.values.clock import now_ms

if TYPE_CHECKING:
    from chatglass.store.records import ToolCallRow
    from chatglass.tui.inspector.call_source import CallSource


class Inspector(Widget, can_focus=False):
    """A panel: the calls above, or left where it is wide (`-wide`), the chosen one's sections below.

    The app gives it rows (`show_calls`, `update_call`); all else it reads from `source`.
    """

    DEFAULT_CSS = """
    Inspector {
        layout: vertical;
        height: 1fr;
        border: round $accent 40%;
        & > CallsPanel { height: 2fr; min-height: 3; }
        & > CallDetail { height: 3fr; border-top: solid $accent 40%; }
        &:focus-within { border: round $accent; }
        &.-wide { layout: horizontal; }
        &.-wide > CallsPanel { height: 1fr; width: 2fr; }
        &.-wide > CallDetail {
            height: 1fr; width: 3fr; border-top: none; border-left: solid $accent 40%;
        }
        &.-timeline { layout: vertical; }
        &.-timeline > CallsPanel { height: 3fr; width: 1fr; }
        &.-timeline > CallDetail {
            height: 2fr; width: 1fr; border-top: solid $accent 40%; border-left: none;
        }
    }
    """
    ACTION_PLACE = "inspector"
    BINDINGS: ClassVar[list[BindingType]] = [
        *ACTIONS.bindings("inspector"),
        *(
            Binding(str(number), f"section('{name}')", name.capitalize(), show=False)
            for number, name in enumerate(NAMES, 1)
        ),
        Binding(
            "o",
            "contents",
            "Contents",
            tooltip="Show the images, sounds and resources that the result holds; open or save them",
            id="inspector.contents",
        ),
    ]

    class WireRequested(Message):
        """Show what went over the wire in the request that made the call."""

        def __init__(self, request_id: str) -> None:
            super().__init__()
            self.request_id = request_id

    class CallChosen(Message):
        """Another call is looked at."""

        def __init__(self, tool_call_id: str) -> None:
            super().__init__()
            self.tool_call_id = tool_call_id

    class CopyRequested(Message):
        """Put `text` on the clipboard; `label` says what it is, for the feedback."""

        def __init__(self, text: str, label: str) -> None:
            super().__init__()
            self.text = text
            self.label = label

    class JumpToMessage(Message):
        """Show the message that made the call."""

        def __init__(self, message_id: str) -> None:
            super().__init__()
            self.message_id = message_id

    def __init__(
        self,
        source: CallSource,
        *,
        now: Callable[[], int] = now_ms,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        super().__init__(id=id, classes=classes)
        self._source = source
        self._list = CallsPanel(now=now, find_calls=source.find_calls)
        self.detail = CallDetail(source, now=now)
        self._chosen: str | None = None
        self.border_title = Content("Tool calls")

    def compose(self) -> ComposeResult:
        yield self._list
        yield self.detail

    def on_mount(self) -> None:
        self._tell_counts()
        self._show_chosen()

    # -- what the app calls

    @property
    def calls(self) -> Sequence[ToolCallRow]:
        return self._list.calls

    @property
    def chosen(self) -> str | None:
        """The tool call that is looked at."""
        return self._chosen

    @property
    def section(self) -> str:
        return self.detail.section

    @property
    def view(self) -> JsonTree:
        return self.detail.view

    @property
    def call_list(self) -> CallList:
        return self._list.call_list

    @property
    def calls_panel(self) -> CallsPanel:
        return self._list

    def show_view(self, view: View) -> None:
        """Show the calls as a list, or as a timeline, which is given the whole width."""
        self._list.show_view(view)
        self.set_class(view == "timeline", "-timeline")

    def show_calls(self, rows: Sequence[ToolCallRow]) -> None:
        """Show these calls, oldest first, instead of those before; the chosen one stays if it is there."""
        self._list.show(rows)
        if not rows:
            self._chosen = None
        self._tell_counts()
        if self._list.cursor_id == self._chosen:
            self._show_chosen()

    def update_call(self, row: ToolCallRow) -> None:
        """A call's new state; a call not seen before is added at the bottom."""
        # Who is in the panel reads the call that is open there: it is not taken away.
        self._list.put(row, follow=not self.has_focus_within)
        self._tell_counts()
        if row.id == self._chosen:
            self.detail.update_call(row)

    def open_call(self, tool_call_id: str, *, take_focus: bool = True) -> bool:
        """Choose that call and give its text the focus; False where it isn't among the calls."""
        if not self._list.move_cursor_to_id(tool_call_id):
            return False
        self._choose(tool_call_id)
        if take_focus:
            self.detail.take_focus()
        return True

    def show_section(self, section: str) -> None:
        """Show that section of the chosen call."""
        self.detail.show_section(section)

    # -- the chosen call

    def on_calls_panel_view_chosen(self, event: CallsPanel.ViewChosen) -> None:
        self.set_class(event.view == "timeline", "-timeline")

    def on_calls_panel_pointed(self, event: CallsPanel.Pointed) -> None:
        event.stop()
        self._choose(event.tool_call_id)
        if event.opened:
            self.detail.take_focus()

    def _choose(self, tool_call_id: str) -> None:
        if tool_call_id == self._chosen:
            return
        self._chosen = tool_call_id
        self._show_chosen()
        self.post_message(self.CallChosen(tool_call_id))

    def _show_chosen(self) -> None:
        call = self._list.call(self._chosen) if self._chosen is not None else None
        self.detail.show_call(call, "" if self._list.total else "no tool calls yet")

    def _tell_counts(self) -> None:
        self.border_subtitle = Content(counts_text(self._list.total, self._list.at_work.values()))

    # -- keys

    def action_calls(self, name: str) -> None:
        """What the keys of the list and the timeline do."""
        panel = self._list
        match name:
            case "view":
                panel.toggle_view()
                panel.focus_calls()
            case "filter":
                panel.open_filter()
            case "order":
                panel.next_order()
            case "tool":
                panel.toggle_tool()
            case _:
                panel.toggle_quick(name)

    def action_section(self, name: str) -> None:
        self.show_section(name)

    def action_section_by(self, step: int) -> None:
        self.detail.step_section(step)

    def action_find(self) -> None:
        self.detail.find()

    def action_copy(self) -> None:
        self.detail.copy_section()

    def on_section_pane_copy_requested(self, event: CallDetail.CopyRequested) -> None:
        event.stop()
        self.post_message(self.CopyRequested(event.text, event.label))

    @work(exclusive=True, group="contents", exit_on_error=False)
    async def action_contents(self) -> None:
        from chatglass.tui.contents.screen import show_contents

        if (call := self.detail.call) is not None:
            await show_contents(self.app, self._source, call)

    def action_wire(self) -> None:
        if self.detail.call is not None:
            self.post_message(self.WireRequested(self.detail.call.request_id))

    def action_jump_to_message(self) -> None:
        call = self.detail.call
        if call is not None:
            self.post_message(self.JumpToMessage(call.message_id))
