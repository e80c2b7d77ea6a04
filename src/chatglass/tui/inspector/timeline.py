"""Timeline: the requests and calls of a session as bars on a time axis, one line each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, ClassVar, Literal

from rich.style import Style
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.strip import Strip
from textual.timer import Timer

from chatglass.chat.calls.call_filter import took_ms
from chatglass.chat.calls.rerun_row import RerunRow
from chatglass.chat.calls.waterfall import (
    RERUNS,
    CallLine,
    Group,
    Phase,
    RequestLine,
    Span,
    groups,
)
from chatglass.tui.inspector.call_words import short_arguments
from chatglass.tui.inspector.time_scale import WHOLE, TimeScale, View, grown, panned, zoomed
from chatglass.tui.lines.cells import Cell, fit, row
from chatglass.tui.lines.line_list import LineList
from chatglass.tui.state_marks import STATE_MARKS
from chatglass.values.clock import now_ms
from chatglass.values.figures import clock, duration
from chatglass.values.text import one_line

if TYPE_CHECKING:
    from chatglass.store.records import RequestRow, ToolCallRow

Scale = Literal["turn", "session"]
"""Each turn as wide as the axis, or all of them on one."""

TICK_SECONDS = 0.25
SIGNS: dict[Phase, str] = {
    "approval": "▒",
    "queue": "·",
    "run": "█",
    "return": "─",
    "wait": "┈",
    "stream": "━",
}
"""What each phase is drawn with: they differ without colours too."""
_BRACKETS = {"alone": " ", "first": "┌", "middle": "│", "last": "└"}
_FAILED = ("error", "unknown", "denied", "cancelled")
_WIDE = 60

Line = Group | CallLine | RequestLine


class Timeline(LineList):
    """Rows are turns, requests and calls; the ids of calls are theirs, others begin with `turn:` or
    `request:`."""

    DEFAULT_CSS = """
    Timeline > .timeline--turn { text-style: bold; color: $text-primary; }
    Timeline > .timeline--detail { color: $foreground 70%; }
    Timeline > .timeline--approval { color: $text-warning; }
    Timeline > .timeline--queue { color: $foreground 70%; }
    Timeline > .timeline--run { color: $text-success; }
    Timeline > .timeline--running { color: $text-accent; }
    Timeline > .timeline--failed { color: $text-error; }
    Timeline > .timeline--return { color: $foreground 45%; }
    Timeline > .timeline--wait { color: $foreground 45%; }
    Timeline > .timeline--stream { color: $text-primary; }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        f"timeline--{part}" for part in ("turn", "detail", "running", "failed", *SIGNS)
    }
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("plus,equals_sign", "zoom(2.0)", "Zoom in"),
        Binding("minus", "zoom(0.5)", "Zoom out"),
        Binding("less_than_sign", "pan(-0.25)", "Earlier"),
        Binding("greater_than_sign", "pan(0.25)", "Later"),
        Binding("z", "next_scale", "Fit the turn, or the session"),
        Binding("0", "fit", "Fit all of it again"),
    ]

    class Scaled(Message):
        """Another part of an axis is in view, or another axis."""

    def __init__(self, *, now: Callable[[], int] = now_ms, id: str | None = None) -> None:
        super().__init__(id=id)
        self._now = now
        self._groups: list[Group] = []
        self._lines: list[Line] = []
        self._group_of: list[Group] = []
        """The group of each line."""
        self._index: dict[str, int] = {}
        self._views: dict[str, View] = {}
        """Where zoomed in: by the group's id, or `session`."""
        self._scales: dict[str, TimeScale] = {}
        """Those made since the last change, by the same keys."""
        self._scaled_width = 0
        self._ticker: Timer | None = None
        self.scale: Scale = "turn"

    # -- what is shown

    @property
    def groups(self) -> Sequence[Group]:
        return self._groups

    @property
    def lines(self) -> Sequence[Line]:
        return self._lines

    def show(
        self,
        calls: Sequence[ToolCallRow],
        requests: Sequence[RequestRow],
        accepts: Callable[[ToolCallRow], bool] | None = None,
    ) -> None:
        """Show these instead of those before; with `accepts` only what concerns such calls."""
        self._groups = groups(calls, requests, accepts)
        self._lines, self._group_of = [], []
        for group in self._groups:
            self._lines += [group, *group.lines]
            self._group_of += [group] * (1 + len(group.lines))
        self._index = {line.id: place for place, line in enumerate(self._lines)}
        self._scales.clear()
        self.rows_changed()
        self._tick_while_open()

    @property
    def is_live(self) -> bool:
        """Whether something in it goes on."""
        return any(group.end is None for group in self._groups)

    def set_scale(self, scale: Scale) -> None:
        self.scale = scale
        self._views.clear()
        self._rescaled()

    # -- the axis

    def action_next_scale(self) -> None:
        self.set_scale("session" if self.scale == "turn" else "turn")

    def action_fit(self) -> None:
        self._views.clear()
        self._rescaled()

    def action_zoom(self, factor: float) -> None:
        """Around the line under the cursor."""
        line = self._cursor_line()
        if line is None:
            return
        key, scale = self._key(self._group_of[self.cursor]), self._scale_at(self.cursor)
        begin, end = _core(line, self._now())
        around = scale.fraction((begin + end) // 2)
        self._views[key] = zoomed(self._views.get(key, WHOLE), factor, around)
        self._rescaled()

    def action_pan(self, part: float) -> None:
        if self._cursor_line() is None:
            return
        key = self._key(self._group_of[self.cursor])
        self._views[key] = panned(self._views.get(key, WHOLE), part)
        self._rescaled()

    def _rescaled(self) -> None:
        self._scales.clear()
        self.refresh()
        self.post_message(self.Scaled())

    def zoom_of(self, index: int) -> View:
        """What part of its axis is in view of the line at `index`."""
        return self._views.get(self._key(self._group_of[index]), WHOLE)

    def _cursor_line(self) -> Line | None:
        return self._lines[self.cursor] if self.cursor < len(self._lines) else None

    def _key(self, group: Group) -> str:
        return group.id if self.scale == "turn" else "session"

    def _scale_at(self, index: int) -> TimeScale:
        width = self._columns(self.text_width)[1]
        if width != self._scaled_width:
            self._scales.clear()
            self._scaled_width = width
        key = self._key(self._group_of[index])
        scale = self._scales.get(key)
        if scale is None:
            stretches = self._stretches(self._group_of[index])
            scale = self._scales[key] = TimeScale(stretches, width, self._views.get(key, WHOLE))
        return scale

    def _stretches(self, group: Group) -> list[tuple[int, int]]:
        now = self._now()
        if self.scale == "turn" and group.turn_id != RERUNS:
            return [_stretch(group, now)]
        chosen = self._groups if self.scale == "session" else [group]
        whole: list[tuple[int, int]] = []
        for each in chosen:
            # What the user ran again may be hours apart.
            parts = each.lines if each.turn_id == RERUNS else [each]
            whole += [_extent(part, now) for part in parts]
        whole.sort()
        found: list[tuple[int, int]] = []
        for start, end in whole:
            if found and start <= found[-1][1]:
                found[-1] = (found[-1][0], max(end, found[-1][1]))
            else:
                found.append((start, end))
        return found

    # -- while something goes on

    def _tick_while_open(self) -> None:
        live = self.is_live and self.is_attached and self.display
        if live and self._ticker is None:
            self._ticker = self.set_interval(TICK_SECONDS, self._tick)
        elif not live and self._ticker is not None:
            self._ticker.stop()
            self._ticker = None

    def on_mount(self) -> None:
        self._tick_while_open()

    def on_show(self) -> None:
        self._tick_while_open()

    def on_hide(self) -> None:
        self._tick_while_open()

    def _tick(self) -> None:
        self._scales.clear()
        if self.scale == "session":
            self.refresh()
            return
        top = round(self.scroll_y)
        for index in range(top, min(top + self.size.height, len(self._lines))):
            if self._group_of[index].end is None:
                self.repaint_line(index)

    # -- LineList

    def row_count(self) -> int:
        return len(self._lines)

    def row_id(self, index: int) -> str:
        return self._lines[index].id

    def index_of(self, row_id: str) -> int | None:
        return self._index.get(row_id)

    @staticmethod
    def _columns(width: int) -> tuple[int, int, int]:
        """Cells of the label, the bars and the duration."""
        right = 8
        label = max(20, min(44, width // 3)) if width >= _WIDE else min(16, width // 3)
        return label, max(4, width - label - right - 1), right

    def render_row(self, index: int, width: int, selected: bool) -> Strip:
        line = self._lines[index]
        label, bars, right = self._columns(width)
        now = self._now()
        if isinstance(line, Group):
            return self._turn_row(line, now, label, bars, right)
        begin, end = _extent(line, now)
        if isinstance(line, RequestLine):
            words = line.request.model if line.request.purpose == "answer" else "compaction"
            cells: list[Cell] = [(fit(f"  {one_line(words, 60)}", label), self._style("detail"))]
            took = duration(end - begin)
        else:
            cells = self._call_label(line.call, _BRACKETS[line.beside], label)
            ran = took_ms(line.call, now)
            took = duration(ran) if ran is not None else line.call.state[:right]
        cells += [(" ", None), *self._bars(index, line, bars, now)]
        cells.append((fit(took, right, "right"), self._style("detail")))
        return row(cells)

    def _turn_row(self, group: Group, now: int, label: int, bars: int, right: int) -> Strip:
        name = f"turn {group.number}" if group.number else "run by you"
        long = f"{name} {clock(group.start)[:8]}"
        cells: list[Cell] = [
            (fit(long if len(long) <= label else name, label), self._style("turn")),
            (" ", None),
        ]
        begin, end = _extent(group, now)
        whole = max(1, end - begin)
        shares = group.shares(now)
        if group.number:
            named = (
                ("model", shares.model),
                ("tools", shares.tools),
                ("you", shares.asked),
                ("else", shares.other),
            )
            facts = [f"{name} {100 * part / whole:.0f}%" for name, part in named if part]
            while len("  ".join(facts)) > bars and len(facts) > 1:
                facts.pop()
        else:
            facts = [f"{len(group.lines)} run again; never sent to the model"]
        cells.append((fit("  ".join(facts), bars), self._style("detail")))
        took = duration(whole) if group.number else ""
        cells.append((fit(took, right, "right"), self._style("turn")))
        return row(cells)

    def _call_label(self, call: ToolCallRow, bracket: str, label: int) -> list[Cell]:
        failed = call.state in _FAILED
        look = self._style("failed" if failed else _run_look(call))
        yours = "↻" if isinstance(call, RerunRow) else ""
        room = label - 3 - len(yours)
        name = one_line(call.name, 40)
        cells: list[Cell] = [
            (bracket, self._style("detail")),
            (f"{STATE_MARKS[call.state]} {yours}", look),
        ]
        if room - len(name) < 8:
            return [*cells, (fit(name, room), None)]
        rest = room - len(name) - 1
        arguments = fit(short_arguments(call, rest), rest)
        return [*cells, (f"{name} ", None), (arguments, self._style("detail"))]

    # -- bars

    def _bars(self, index: int, line: CallLine | RequestLine, width: int, now: int) -> list[Cell]:
        scale = self._scale_at(index)
        signs, looks = [" "] * width, [""] * width
        look = _run_look(line.call) if isinstance(line, CallLine) else ""
        # What it did last of all, so that no other phase hides a short run.
        for span in sorted(line.spans, key=lambda span: span.phase in ("run", "stream")):
            start, end = _cells(span, scale, width, now)
            for at in range(start, end):
                signs[at] = SIGNS[span.phase]
                looks[at] = look if span.phase == "run" else span.phase
        begin, until = _extent(line, now)
        if scale.column(until) < 0:
            signs[0], looks[0] = "‹", "detail"
        elif scale.column(begin) > width:
            signs[-1], looks[-1] = "›", "detail"
        return [(text, self._style(part) if part else None) for text, part in _runs(signs, looks)]

    def _style(self, part: str) -> Style:
        return self.part_style(f"timeline--{part}")


def _run_look(call: ToolCallRow) -> str:
    if call.state == "running":
        return "running"
    return "failed" if call.state in _FAILED else "run"


def _extent(line: Line, now: int) -> tuple[int, int]:
    """From when to when; until now where it goes on."""
    if isinstance(line, Group):
        return line.start, max(line.start, line.end if line.end is not None else now)
    ends = [span.end if span.end is not None else now for span in line.spans]
    begin = line.spans[0].start
    return begin, max(begin, *ends)


def _core(line: Line, now: int) -> tuple[int, int]:
    """From when to when a call ran, where it did; else as `_extent`."""
    spans = [] if isinstance(line, Group) else line.spans
    runs = [(span.start, span.end or now) for span in spans if span.phase == "run"]
    return runs[0] if runs else _extent(line, now)


def _stretch(group: Group, now: int) -> tuple[int, int]:
    start, end = _extent(group, now)
    return start, start + (grown(end - start) if group.end is None else max(1, end - start))


def _cells(span: Span, scale: TimeScale, width: int, now: int) -> tuple[int, int]:
    """From and to which cell a phase is drawn; a run takes one at least, others half of one."""
    first = scale.column(span.start)
    last = scale.column(span.end if span.end is not None else max(now, span.start))
    start, end = round(first), round(last)
    if span.phase in ("run", "stream") and end <= start and 0 <= first <= width:
        start = min(int(first), width - 1)
        end = start + 1
    return max(0, start), min(width, end)


def _runs(signs: Sequence[str], looks: Sequence[str]) -> list[tuple[str, str]]:
    """Neighbours that look the same, joined."""
    found: list[tuple[str, str]] = []
    for sign, look in zip(signs, looks, strict=True):
        if found and found[-1][1] == look:
            found[-1] = (found[-1][0] + sign, look)
        else:
            found.append((sign, look))
    return found
