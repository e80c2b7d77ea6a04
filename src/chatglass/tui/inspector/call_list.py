"""CallList: every tool call of a session, one line each, newest at the bottom."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, ClassVar

from rich.cells import cell_len
from textual.strip import Strip
from textual.timer import Timer

from chatglass.chat.calls.rerun_row import RerunRow
from chatglass.tui.inspector.call_words import running_ms, short_arguments
from chatglass.tui.lines.cells import Cell, fit, row
from chatglass.tui.lines.line_list import LineList
from chatglass.tui.state_marks import STATE_MARKS
from chatglass.tui.transcript.from_rows import short_arguments as arguments_of_card
from chatglass.values.clock import now_ms
from chatglass.values.figures import duration, size
from chatglass.values.text import one_line

if TYPE_CHECKING:
    from chatglass.store.records import ToolCallRow, ToolCallState

TICK_SECONDS = 0.25
"""How often the duration of a running call is drawn again; no timer runs where no call does."""

_LEAST_ARGUMENTS = 4
"""Cells; fewer say nothing."""

_SMALL_ARGUMENTS = 2_000
"""Characters; more are not parsed at every painting."""

_LOOKS: dict[ToolCallState, str] = {
    "proposed": "waiting",
    "asking": "asking",
    "approved": "waiting",
    "running": "running",
    "ok": "ok",
    "error": "failed",
    "denied": "denied",
    "cancelled": "denied",
    "unknown": "failed",
}


class CallList(LineList):
    """State, name, arguments, duration and bytes of each call."""

    DEFAULT_CSS = """
    CallList > .call-list--ok { color: $text-success; }
    CallList > .call-list--failed { color: $text-error; text-style: bold; }
    CallList > .call-list--running { color: $text-accent; text-style: bold; }
    CallList > .call-list--asking { color: $text-warning; text-style: bold; }
    CallList > .call-list--denied { color: $text-warning; }
    CallList > .call-list--waiting { color: $foreground 70%; }
    CallList > .call-list--detail { color: $foreground 70%; }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        f"call-list--{part}" for part in ("detail", *set(_LOOKS.values()))
    }

    def __init__(
        self,
        *,
        now: Callable[[], int] = now_ms,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        super().__init__(id=id, classes=classes)
        self._now = now
        self._calls: list[ToolCallRow] = []
        self._index: dict[str, int] = {}
        self._at_work: set[str] = set()
        self._pinned: str | None = None
        self._ticker: Timer | None = None

    @property
    def calls(self) -> Sequence[ToolCallRow]:
        return self._calls

    def call(self, tool_call_id: str) -> ToolCallRow | None:
        index = self._index.get(tool_call_id)
        return None if index is None else self._calls[index]

    def show(self, calls: Sequence[ToolCallRow]) -> None:
        """Replace all calls, oldest first."""
        at_end = not self._calls or self.cursor == len(self._calls) - 1
        held = self.cursor_id
        self._calls = list(calls)
        self._index = {call.id: index for index, call in enumerate(self._calls)}
        self._at_work = {call.id for call in self._calls if call.state == "running"}
        if at_end and held not in self._index and self._calls:
            self.lines_changed()
            self.move_cursor(len(self._calls) - 1)
        else:
            self.rows_changed()
        self._tick_while_running()

    def put(self, call: ToolCallRow, *, follow: bool) -> None:
        """Show a call's new state in its place, or add it at the bottom.

        With `follow` the cursor goes along to an added one if it stood on the last.
        """
        if call.state == "running":
            self._at_work.add(call.id)
        else:
            self._at_work.discard(call.id)
        index = self._index.get(call.id)
        if index is not None:
            self._calls[index] = call
            self.repaint_line(index)
        else:
            follow = follow and self.cursor >= len(self._calls) - 1
            self._index[call.id] = len(self._calls)
            self._calls.append(call)
            self.lines_changed()
            if follow or len(self._calls) == 1:
                self.move_cursor(len(self._calls) - 1)
        self._tick_while_running()

    def show_pinned(self, tool_call_id: str | None) -> None:
        """Mark that call as the one that the next pinned one is compared with."""
        self._pinned = tool_call_id
        self.refresh()

    @property
    def running(self) -> int:
        return len(self._at_work)

    def _tick_while_running(self) -> None:
        running = self.running > 0
        if running and self._ticker is None and self.is_attached:
            self._ticker = self.set_interval(TICK_SECONDS, self._tick)
        elif not running and self._ticker is not None:
            self._ticker.stop()
            self._ticker = None

    def on_mount(self) -> None:
        self._tick_while_running()

    def _tick(self) -> None:
        top = round(self.scroll_y)
        for index in range(top, min(top + self.size.height, len(self._calls))):
            if self._calls[index].state == "running":
                self.repaint_line(index)

    # -- LineList

    def row_count(self) -> int:
        return len(self._calls)

    def row_id(self, index: int) -> str:
        return self._calls[index].id

    def index_of(self, row_id: str) -> int | None:
        return self._index.get(row_id)

    def render_row(self, index: int, width: int, selected: bool) -> Strip:
        call = self._calls[index]
        look = self.part_style(f"call-list--{_LOOKS[call.state]}")
        detail = self.part_style("call-list--detail")
        ran = running_ms(call, self._now())
        took = duration(ran) if ran is not None else ("" if call.state == "ok" else call.state)
        weight = size(call.result_bytes) if call.finished_at is not None else ""
        name = one_line(call.name, 40)
        right = f"{took:>9}" + (f"{weight:>9}" if width >= 44 else "")
        room = max(0, width - 2 - len(right) - 1)
        sign = "↻" if isinstance(call, RerunRow) else "◆" if call.id == self._pinned else " "
        cells: list[Cell] = [(STATE_MARKS[call.state] + sign, look)]
        name_width = min(max(14, width // 4) if width >= 60 else cell_len(name), room)
        left = room - name_width - 1
        if left < _LEAST_ARGUMENTS:
            name_width, left = room, 0
        cells.append((fit(name, name_width), None))
        if left:
            # Where there is little room, the values alone, as the transcript has them.
            whole = call.edited_arguments or call.arguments
            bare = width < 60 and len(whole) <= _SMALL_ARGUMENTS
            words = arguments_of_card(whole) if bare else short_arguments(call, left)
            cells.append((" " + fit(one_line(words, left), left), detail))
        cells.append((" " + right, look if call.state == "running" else detail))
        return row(cells)
