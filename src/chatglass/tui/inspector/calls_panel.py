"""CallsPanel: all calls of a session, as a list or as a timeline, narrowed by one filter."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, ClassVar, Literal

from textual import on
from textual.actions import SkipAction
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.timer import Timer

from chatglass.chat.calls.call_filter import SLOW_MS, CallFilter, parse_filter, took_ms
from chatglass.tui.inspector.call_list import CallList
from chatglass.tui.inspector.call_words import OPEN_STATES
from chatglass.tui.inspector.calls_head import CallsHead, LabelLine, Legend, View
from chatglass.tui.inspector.filter_bar import FilterBar
from chatglass.tui.inspector.time_scale import WHOLE
from chatglass.tui.inspector.timeline import Timeline
from chatglass.tui.lines.line_list import LineList
from chatglass.values.clock import now_ms

if TYPE_CHECKING:
    from chatglass.store.records import RequestRow, ToolCallRow, ToolCallState

Order = Literal["time", "slowest", "largest"]
ORDERS: tuple[Order, ...] = ("time", "slowest", "largest")
FindCalls = Callable[[str], Awaitable[frozenset[str]]]
"""Words → ids of the calls of the session whose arguments or results hold them."""

QUICK = {
    "errors": "is:failed",
    "slow": f"slow>{SLOW_MS // 1000}s",
    "open": "is:open",
    "yours": "is:yours",
}
"""Filters that are one key."""
_REDRAW_SECONDS = 0.05
_FIND_SECONDS = 0.15
"""After the last key, before results are looked into."""


class CallsPanel(Vertical):
    """Holds the calls (`show`, `put`) and shows those that its filter accepts.

    Handles the cursor of both forms: `Pointed` says which call it is on.
    """

    DEFAULT_CSS = """
    CallsPanel > Timeline { display: none; }
    CallsPanel > Legend { display: none; }
    CallsPanel.-timeline > CallList { display: none; }
    CallsPanel.-timeline > Timeline { display: block; }
    CallsPanel.-timeline > Legend { display: block; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "drop_filter", "Drop the filter", show=False)
    ]

    class Pointed(Message):
        """The cursor stands on that call; `opened`: it was chosen by Enter or a click."""

        def __init__(self, tool_call_id: str, opened: bool) -> None:
            super().__init__()
            self.tool_call_id = tool_call_id
            self.opened = opened

    class RequestChosen(Message):
        """Enter, or a click, on a request of the timeline."""

        def __init__(self, request_id: str) -> None:
            super().__init__()
            self.request_id = request_id

    class ViewChosen(Message):
        """The calls are shown in the other form."""

        def __init__(self, view: View) -> None:
            super().__init__()
            self.view: View = view

    def __init__(
        self, *, now: Callable[[], int] = now_ms, find_calls: FindCalls | None = None
    ) -> None:
        super().__init__()
        self._now = now
        self._find_calls = find_calls
        self.call_list = CallList(now=now)
        self.timeline = Timeline(now=now)
        self.filter_bar = FilterBar()
        self._head = CallsHead()
        self._legend = Legend()
        self._calls: dict[str, ToolCallRow] = {}
        self.at_work: dict[str, ToolCallState] = {}
        """The calls that have not ended."""
        self._requests: Sequence[RequestRow] = ()
        self.view: View = "list"
        self.order: Order = "time"
        self.filter: CallFilter = parse_filter("")
        self._found: frozenset[str] | None = None
        """Calls whose results hold the words of the filter, once that is known."""
        self._cursor_id: str | None = None
        self._redraw: Timer | None = None

    def compose(self) -> ComposeResult:
        yield self._head
        yield self.filter_bar
        yield self.call_list
        yield self.timeline
        yield self._legend

    def on_mount(self) -> None:
        self._arrange()

    # -- what the inspector calls

    @property
    def calls(self) -> Sequence[ToolCallRow]:
        """All of them, oldest first, whatever the filter."""
        return list(self._calls.values())

    @property
    def total(self) -> int:
        return len(self._calls)

    def call(self, tool_call_id: str) -> ToolCallRow | None:
        return self._calls.get(tool_call_id)

    @property
    def cursor_id(self) -> str | None:
        """The call that the cursor stands on, or stood on last."""
        return self._cursor_id

    def show(self, rows: Sequence[ToolCallRow]) -> None:
        """Replace all calls, oldest first."""
        self._calls = {row.id: row for row in rows}
        self.at_work = {row.id: row.state for row in rows if row.state in OPEN_STATES}
        if self._cursor_id not in self._calls:
            self._cursor_id = None
        self._arrange()

    def put(self, row: ToolCallRow, *, follow: bool) -> None:
        """A call's new state, or a new call at the bottom."""
        before = self._calls.get(row.id)
        self._calls[row.id] = row
        if row.state in OPEN_STATES:
            self.at_work[row.id] = row.state
        else:
            self.at_work.pop(row.id, None)
        if before == row:
            return
        listed = self.call_list.call(row.id) is not None
        wanted = self._accepts(row)
        if listed != wanted and not (wanted and self.order == "time"):
            self._arrange()
            return
        if wanted:
            self.call_list.put(row, follow=follow)
        self._draw_timeline_soon()
        self._tell()

    def show_requests(self, rows: Sequence[RequestRow]) -> None:
        """The session's requests, that which runs included."""
        self._requests = rows
        self._draw_timeline_soon()

    def move_cursor_to_id(self, tool_call_id: str) -> bool:
        """Point at that call, without the filter if that hides it; False where it isn't there."""
        row = self._calls.get(tool_call_id)
        if row is None:
            return False
        if not self._accepts(row):
            self.set_filter("")
        self._cursor_id = tool_call_id
        self._draw_timeline()
        self.call_list.move_cursor_to_id(tool_call_id)
        self.timeline.move_cursor_to_id(tool_call_id)
        return True

    def focus_calls(self) -> None:
        (self.timeline if self.view == "timeline" else self.call_list).focus()

    @property
    def listed(self) -> int:
        """How many calls the filter lets through."""
        return self.call_list.row_count()

    # -- list or timeline

    def show_view(self, view: View) -> None:
        if view == self.view:
            return
        had_focus = self.call_list.has_focus or self.timeline.has_focus
        self.view = view
        self.set_class(view == "timeline", "-timeline")
        self._draw_timeline()
        if self._cursor_id is not None:
            self.call_list.move_cursor_to_id(self._cursor_id)
            self.timeline.move_cursor_to_id(self._cursor_id)
        if had_focus:
            self.focus_calls()
        self._tell()

    def toggle_view(self) -> None:
        view: View = "list" if self.view == "timeline" else "timeline"
        self.show_view(view)
        self.post_message(self.ViewChosen(view))

    def next_order(self) -> None:
        """By time, the slowest first, the largest first. The timeline is always by time."""
        self.order = ORDERS[(ORDERS.index(self.order) + 1) % len(ORDERS)]
        self._arrange()

    # -- filtering

    def set_filter(self, text: str) -> None:
        """Narrow the calls to what `text` says (`call_filter.FACETS`)."""
        found = parse_filter(text)
        words_changed = found.words != self.filter.words
        self.filter = found
        if words_changed:
            self._found = None
            self._look_into_results()
        self._arrange()

    def toggle_quick(self, name: str) -> None:
        """Add one of the quick filters, or take it out."""
        self._toggle_facet(QUICK[name])

    def toggle_tool(self) -> None:
        """Only calls of the tool that the cursor is on, or all again."""
        row = self._calls.get(self._cursor_id or "")
        if row is not None:
            self._toggle_facet(f"tool:{row.name}")

    def _toggle_facet(self, facet: str) -> None:
        parts = self.filter.text.split()
        if facet in parts:
            parts.remove(facet)
        else:
            parts.append(facet)
        self.set_filter(" ".join(parts))

    def open_filter(self) -> None:
        self.filter_bar.open(self.filter.text)

    def action_drop_filter(self) -> None:
        """Escape: without a filter it is not ours."""
        if not self.filter.text:
            raise SkipAction
        self.set_filter("")

    @on(FilterBar.Typed)
    def _filter_typed(self, event: FilterBar.Typed) -> None:
        event.stop()
        self.set_filter(event.text)

    @on(FilterBar.Closed)
    def _filter_closed(self, event: FilterBar.Closed) -> None:
        event.stop()
        if not event.kept:
            self.set_filter("")
        self.focus_calls()

    def _accepts(self, row: ToolCallRow) -> bool:
        return not self.filter or self.filter.accepts(row, self._now(), self._found)

    def _look_into_results(self) -> None:
        self.workers.cancel_group(self, "find-calls")
        if self._find_calls is not None and self.filter.words and self.is_attached:
            find = partial(self._find, self._find_calls, self.filter.words)
            self.run_worker(find, group="find-calls", exclusive=True, exit_on_error=False)

    async def _find(self, find_calls: FindCalls, words: tuple[str, ...]) -> None:
        from chatglass.store.protocol import StoreError

        await asyncio.sleep(_FIND_SECONDS)
        quoted = " ".join(f'"{word}"' if " " in word else word for word in words)
        try:
            found = await find_calls(quoted)
        except StoreError as error:
            self.app.notify(str(error), severity="warning", markup=False)
            return
        if words == self.filter.words:
            self._found = found
            self._arrange()

    # -- showing

    def _arrange(self) -> None:
        rows = [row for row in self._calls.values() if self._accepts(row)]
        now = self._now()
        match self.order:
            case "time":
                pass
            case "slowest":
                rows.sort(key=lambda row: -(took_ms(row, now) or 0))
            case "largest":
                rows.sort(key=lambda row: -row.result_bytes)
        self.call_list.show(rows)
        self._draw_timeline()
        self._tell()

    def _draw_timeline_soon(self) -> None:
        """Events come in bursts."""
        if self._redraw is None and self.view == "timeline" and self.is_attached:
            self._redraw = self.set_timer(_REDRAW_SECONDS, self._draw_timeline)

    def _draw_timeline(self) -> None:
        if self._redraw is not None:
            self._redraw.stop()
            self._redraw = None
        if self.view == "timeline":
            accepts = self._accepts if self.filter else None
            self.timeline.show(self.calls, self._requests, accepts)
            self._tell_scale()

    def _tell(self) -> None:
        order = "" if self.order == "time" or self.view == "timeline" else f"{self.order} first"
        total, listed = len(self._calls), self.listed
        count = f"{listed:,} of {total:,}" if self.filter else f"{total:,}"
        problem = "?" if self.filter.problems else ""
        note = " · ".join(part for part in (problem, count, order) if part)
        self._head.show(self.view, self.filter.text, note)
        self._head.tooltip = "\n".join(self.filter.problems) or None

    def _tell_scale(self) -> None:
        timeline = self.timeline
        zoom = ""
        if timeline.row_count():
            start, end = timeline.zoom_of(min(timeline.cursor, timeline.row_count() - 1))
            if (start, end) != WHOLE:
                zoom = f" ×{1 / (end - start):,.0f}"
        self._legend.show(timeline.scale, zoom)

    # -- the cursor

    @on(LineList.CursorMoved)
    def _cursor_moved(self, event: LineList.CursorMoved) -> None:
        event.stop()
        # The cursor may have gone on since; what counts is where it is now.
        self._point(event.line_list.cursor_id or event.row_id, event.line_list, opened=False)

    @on(LineList.RowChosen)
    def _row_chosen(self, event: LineList.RowChosen) -> None:
        event.stop()
        if event.row_id.startswith("request:"):
            self.post_message(self.RequestChosen(event.row_id.removeprefix("request:")))
        else:
            self._point(event.row_id, event.line_list, opened=True)

    def _point(self, row_id: str, source: LineList, *, opened: bool) -> None:
        shown = self.timeline if self.view == "timeline" else self.call_list
        if row_id in self._calls and source is shown:
            self._cursor_id = row_id
            self.post_message(self.Pointed(row_id, opened))

    @on(Timeline.Scaled)
    def _scaled(self, event: Timeline.Scaled) -> None:
        event.stop()
        self._tell_scale()

    @on(LabelLine.Picked)
    def _picked(self, event: LabelLine.Picked) -> None:
        event.stop()
        match event.part:
            case "filter":
                self.open_filter()
            case "order":
                self.next_order()
            case "scale":
                self.timeline.action_next_scale()
            case view if view != self.view:
                self.toggle_view()
            case _:
                self.focus_calls()
