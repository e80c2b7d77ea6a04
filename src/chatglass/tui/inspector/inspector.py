"""Inspector: every tool call of a session, and all there is to know about the chosen one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.widget import Widget
from textual.worker import Worker, WorkerState

from chatglass.tui.inspector.call_list import CallList
from chatglass.tui.inspector.call_words import (
    OPEN_STATES,
    SECTIONS,
    Section,
    arguments_text,
    counts_text,
    error_text,
    seen_note,
    times_text,
)
from chatglass.tui.inspector.find_bar import FindBar
from chatglass.tui.inspector.json_view import JsonView, Kind
from chatglass.tui.inspector.section_head import SectionHead
from chatglass.tui.lines.line_list import LineList
from chatglass.values.clock import now_ms
from chatglass.values.figures import size

if TYPE_CHECKING:
    from chatglass.store.records import ToolCallRow, ToolResult

LoadResult = Callable[[str], Awaitable["ToolResult | None"]]
"""Tool call id → what it produced and what the model saw; None where nothing is kept (yet)."""


class Inspector(Widget, can_focus=False):
    """A panel: the calls above, or left where it is wide (`-wide`), the chosen one's sections below.

    The app gives it rows (`show_calls`, `update_call`); results are read through `load_result`
    only when their section is looked at, and the result of one call at a time is held.
    """

    DEFAULT_CSS = """
    Inspector {
        layout: vertical;
        height: 1fr;
        border: round $accent 40%;
        & > CallList { height: 2fr; min-height: 2; }
        & > .inspector--detail { height: 3fr; border-top: solid $accent 40%; }
        &:focus-within { border: round $accent; }
        &.-wide { layout: horizontal; }
        &.-wide > CallList { height: 1fr; width: 2fr; }
        &.-wide > .inspector--detail {
            height: 1fr; width: 3fr; border-top: none; border-left: solid $accent 40%;
        }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "section_by(-1)", "Section before", show=False),
        Binding("right", "section_by(1)", "Next section", show=False),
        *(
            Binding(str(number), f"section('{name}')", name.capitalize(), show=False)
            for number, name in enumerate(SECTIONS, 1)
        ),
        Binding(
            "slash",
            "find",
            "Find",
            key_display="/",
            tooltip="Find in the text of this call",
            id="inspector.find",
        ),
        Binding("y", "copy", "Copy", tooltip="Copy this section of the call", id="inspector.copy"),
        Binding(
            "m",
            "jump_to_message",
            "Message",
            tooltip="Show the message that made the call",
            id="inspector.message",
        ),
    ]

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
        load_result: LoadResult,
        *,
        now: Callable[[], int] = now_ms,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        super().__init__(id=id, classes=classes)
        self._load_result = load_result
        self._now = now
        self._list = CallList(now=now)
        self._head = SectionHead()
        self._view = JsonView()
        self._find = FindBar()
        self._section: Section = "arguments"
        self._chosen: str | None = None
        self._result: tuple[str, ToolResult | None] | None = None
        """Tool call id and its result, once read and while it can't change."""
        self._generation = 0
        self._note = ""
        self._shown: tuple[str, Kind] | None = None
        self.border_title = Content("Tool calls")

    def compose(self) -> ComposeResult:
        yield self._list
        with Vertical(classes="inspector--detail"):
            yield self._head
            yield self._view
            yield self._find

    def on_mount(self) -> None:
        self._tell_counts()
        self._show_section()

    # -- what the app calls

    @property
    def calls(self) -> Sequence[ToolCallRow]:
        return self._list.calls

    @property
    def chosen(self) -> str | None:
        """The tool call that is looked at."""
        return self._chosen

    @property
    def section(self) -> Section:
        return self._section

    @property
    def view(self) -> JsonView:
        return self._view

    @property
    def call_list(self) -> CallList:
        return self._list

    def show_calls(self, rows: Sequence[ToolCallRow]) -> None:
        """Show these calls, oldest first, instead of those before; the chosen one stays if it is there."""
        self._result = None
        self._list.show(rows)
        if not rows:
            self._chosen = None
        self._tell_counts()
        if self._list.cursor_id == self._chosen:
            self._show_section()

    def update_call(self, row: ToolCallRow) -> None:
        """A call's new state; a call not seen before is added at the bottom."""
        before = self._list.call(row.id)
        # Who is in the panel reads the call that is open there: it is not taken away.
        self._list.put(row, follow=not self.has_focus_within)
        self._tell_counts()
        if row.id != self._chosen or row == before:
            return
        settled = before is not None and (before.state, before.result_bytes) == (
            row.state,
            row.result_bytes,
        )
        if settled and self._section in ("result", "seen"):
            return
        self._result = None
        self._show_section()

    def open_call(self, tool_call_id: str, *, take_focus: bool = True) -> bool:
        """Choose that call and give its text the focus; False where it isn't among the calls."""
        if not self._list.move_cursor_to_id(tool_call_id):
            return False
        self._choose(tool_call_id)
        if take_focus:
            self._view.focus()
        return True

    def show_section(self, section: Section) -> None:
        """Show that section of the chosen call."""
        if section != self._section:
            self._section = section
            self._show_section()

    # -- the chosen call

    def on_line_list_cursor_moved(self, event: LineList.CursorMoved) -> None:
        event.stop()
        # The cursor may have gone on since; what counts is where it is now.
        if self._list.cursor_id is not None:
            self._choose(self._list.cursor_id)

    def on_line_list_row_chosen(self, event: LineList.RowChosen) -> None:
        event.stop()
        self._choose(event.row_id)
        self._view.focus()

    def _choose(self, tool_call_id: str) -> None:
        if tool_call_id == self._chosen:
            return
        self._chosen = tool_call_id
        self._result = None
        self._show_section()
        self.post_message(self.CallChosen(tool_call_id))

    def _show_section(self) -> None:
        if not self.is_attached:
            return
        self._generation += 1
        self.workers.cancel_group(self, "result")
        call = self._list.call(self._chosen) if self._chosen is not None else None
        if call is None:
            self._show("", "text", "" if self._list.calls else "no tool calls yet")
            return
        match self._section:
            case "arguments":
                note = "edited before it ran" if call.edited_arguments is not None else call.name
                self._show(arguments_text(call), "laid_out", note)
            case "error":
                self._show(error_text(call), "text", call.state)
            case "times":
                self._show(times_text(call, self._now()), "text", call.name)
            case "result" | "seen":
                self._show_result(call)

    def _show_result(self, call: ToolCallRow) -> None:
        if self._result is not None and self._result[0] == call.id:
            self._show_loaded(call, self._result[1])
            return
        self._show("…", "text", "")
        self.run_worker(
            self._read_result(call.id, self._generation),
            group="result",
            exclusive=True,
            exit_on_error=False,
        )

    async def _read_result(self, tool_call_id: str, generation: int) -> None:
        from chatglass.store.protocol import StoreError

        try:
            result = await self._load_result(tool_call_id)
        except StoreError as error:
            if generation == self._generation:
                self._show(str(error), "text", "the result could not be read")
            return
        call = self._list.call(tool_call_id)
        if generation != self._generation or call is None:
            return
        if call.state not in OPEN_STATES:
            self._result = (tool_call_id, result)
        self._show_loaded(call, result)

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """A loader that broke must not leave the reader waiting."""
        if event.state is WorkerState.ERROR and event.worker.group == "result":
            self._show(repr(event.worker.error), "text", "the result could not be read")

    def _show_loaded(self, call: ToolCallRow, result: ToolResult | None) -> None:
        if result is None:
            ended = call.state not in OPEN_STATES
            self._show("", "text", "no result was kept" if ended else "no result yet")
        elif self._section == "result":
            self._show(result.produced, "auto", size(call.result_bytes))
        else:
            self._show(result.seen, "auto", seen_note(call, result))

    def _show(self, text: str, kind: Kind, note: str) -> None:
        self._note = note
        if (text, kind) != self._shown:
            # The same text again, as when a running call reports, keeps its place on screen.
            self._shown = (text, kind)
            self._view.load(text, kind)
        self._tell_note()

    # -- facts on the frame

    def _tell_counts(self) -> None:
        self.border_subtitle = Content(counts_text(self._list.calls))

    def on_json_view_changed(self, event: JsonView.Changed) -> None:
        event.stop()
        self._tell_note()

    def _tell_note(self) -> None:
        view = self._view
        facts: list[str] = []
        if view.sought:
            place = f"{view.match_index + 1}/{len(view.matches):,}" if view.matches else "not found"
            facts.append(f"find {place}")
        if self._note:
            facts.append(self._note)
        if self._section in ("result", "seen") and view.shown_text and not view.waiting:
            if view.is_json:
                facts.append("JSON")
            facts.append(f"{view.text_lines:,} lines")
        self._head.show(self._section, " · ".join(facts))

    # -- keys

    def on_section_head_picked(self, event: SectionHead.Picked) -> None:
        event.stop()
        self.show_section(event.section)

    def action_section(self, name: Section) -> None:
        self.show_section(name)

    def action_section_by(self, step: int) -> None:
        place = (SECTIONS.index(self._section) + step) % len(SECTIONS)
        section: Section = SECTIONS[place]
        self.show_section(section)

    def action_find(self) -> None:
        self._find.open()

    def action_copy(self) -> None:
        """Ask for the section's text to be copied, as it was and not as it is laid out."""
        call = self._list.call(self._chosen) if self._chosen is not None else None
        if call is None or not self._view.source:
            return
        text = self._view.source
        if self._section == "arguments" and call.edited_arguments is None:
            text = call.arguments
        self.post_message(self.CopyRequested(text, f"{self._section} of {call.name}"))

    def action_jump_to_message(self) -> None:
        call = self._list.call(self._chosen) if self._chosen is not None else None
        if call is not None:
            self.post_message(self.JumpToMessage(call.message_id))

    def on_find_bar_sought(self, event: FindBar.Sought) -> None:
        event.stop()
        self._view.find(event.sought)

    def on_find_bar_stepped(self, event: FindBar.Stepped) -> None:
        event.stop()
        self._view.action_next_match(event.step)

    def on_find_bar_closed(self, event: FindBar.Closed) -> None:
        event.stop()
        self._view.find("")
        self._view.focus()
