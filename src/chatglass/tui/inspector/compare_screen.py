"""CompareScreen: two tool calls beside each other, what they were given and what they gave."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar

from rich.segment import Segment
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import Screen
from textual.strip import Strip
from textual.timer import Timer
from textual.widget import Widget

from chatglass.chat.calls.call_filter import took_ms
from chatglass.chat.calls.comparing import compare_apart
from chatglass.chat.calls.line_diff import Compared, compare
from chatglass.chat.calls.rerun_row import RerunRow
from chatglass.tui.actions.footer import FooterLine, way_out
from chatglass.tui.actions.registry import ACTIONS
from chatglass.tui.approval.panel import ApprovalPanel
from chatglass.tui.approval.words import CallWords
from chatglass.tui.component_style import component_style
from chatglass.tui.inspector.call_words import OPEN_STATES, STATE_WORDS
from chatglass.tui.inspector.compare_view import SIDE_BY_SIDE, CompareView, Part
from chatglass.tui.state_marks import STATE_MARKS
from chatglass.values.clock import now_ms
from chatglass.values.figures import clock, counted, duration, size
from chatglass.values.text import one_line

if TYPE_CHECKING:
    from chatglass.store.records import ToolCallRow, ToolResult
    from chatglass.tui.inspector.call_source import CallSource

_TICK_SECONDS = 0.25


class _Facts(Widget):
    """What each of the two calls is: beside each other, or one below the other."""

    DEFAULT_CSS = """
    _Facts { height: 2; padding: 0 1; }
    _Facts.-wide { height: 1; }
    _Facts > .facts--call { text-style: bold; }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {"facts--call"}

    def __init__(self) -> None:
        super().__init__()
        self._texts = ("", "")

    def show(self, left: str, right: str) -> None:
        if (left, right) != self._texts:
            self._texts = (left, right)
            self.refresh()

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        style = component_style(self, "facts--call")
        if self.has_class("-wide"):
            half = (width - 4) // 2
            left, right = (one_line(text, half) for text in self._texts)
            text = f"{left:<{half}}   {right}"
        else:
            text = one_line(self._texts[y], width) if y < 2 else ""
        return Strip([Segment(text, style)]).adjust_cell_length(width).apply_style(self.rich_style)


class CompareScreen(Screen[None]):
    """`right` may still run, as one that was run again just now: `update_call` brings its end."""

    ACTION_PLACE = "compare"
    AUTO_FOCUS = "CompareView"
    DEFAULT_CSS = """
    CompareScreen > Vertical { border: round $accent; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        *ACTIONS.bindings("screen", "compare"),
    ]

    def __init__(
        self,
        left: ToolCallRow,
        right: ToolCallRow,
        source: CallSource,
        *,
        words: CallWords | None = None,
        now: Callable[[], int] = now_ms,
    ) -> None:
        super().__init__()
        self.left, self.right = left, right
        self._source = source
        self._now = now
        self.approval = ApprovalPanel(words, id="approval")
        self.view = CompareView()
        self._facts = _Facts()
        self._on_screen = False
        self._ticker: Timer | None = None

    def compose(self) -> ComposeResult:
        with Vertical() as panel:
            again = isinstance(self.right, RerunRow) and self.right.rerun_of == self.left.id
            panel.border_title = Content("Run again" if again else "Two calls compared")
            yield self._facts
            yield self.view
        yield self.approval
        yield FooterLine(place="compare", first=way_out(), target=self)

    def on_mount(self) -> None:
        self._on_screen = True
        self._read()

    def on_unmount(self) -> None:
        self._on_screen = False

    def on_resize(self) -> None:
        self._facts.set_class(self.size.width - 2 >= SIDE_BY_SIDE, "-wide")

    def update_call(self, row: ToolCallRow) -> None:
        """The new state of one of the two."""
        if row.id == self.left.id and row != self.left:
            self.left = row
        elif row.id == self.right.id and row != self.right:
            self.right = row
        else:
            return
        self._read()

    # -- reading

    def _read(self) -> None:
        if not self._on_screen:
            return
        self._tell()
        self._tick_while_open()
        self.run_worker(self._compare, group="compare", exclusive=True, exit_on_error=False)

    async def _compare(self) -> None:
        from chatglass.store.protocol import StoreError

        left, right = self.left, self.right
        parts = [Part("arguments", compare(_arguments(left), _arguments(right)))]
        self.view.load([*parts, Part("result", Compared(()), self._open_words(right))])
        try:
            old = await self._source.result(left.id)
            new = await self._source.result(right.id)
        except StoreError as error:
            self.view.load([*parts, Part("result", Compared(()), str(error))])
            return
        if right.state in OPEN_STATES or left.state in OPEN_STATES:
            return
        compared = await compare_apart(_produced(old), _produced(new))
        missing = [
            f"no result of the {side} one was kept"
            for side, result in (("left", old), ("right", new))
            if result is None
        ]
        self.view.load([*parts, Part("result", compared, "; ".join(missing))])
        self._tell()

    def _open_words(self, row: ToolCallRow) -> str:
        if row.state == "asking":
            return "waits for your answer below"
        return f"{STATE_WORDS[row.state]} …" if row.state in OPEN_STATES else "…"

    # -- facts

    def _tick_while_open(self) -> None:
        is_open = self.right.state in OPEN_STATES
        if is_open and self._ticker is None:
            self._ticker = self.set_interval(_TICK_SECONDS, self._tell)
        elif not is_open and self._ticker is not None:
            self._ticker.stop()
            self._ticker = None

    def _tell(self) -> None:
        now = self._now()
        self._facts.show(_words(self.left, now), _words(self.right, now))
        count = self.view.differences
        place = f"{self.view.current} of " if self.view.current else ""
        told = f"{place}{counted(count, 'difference')}"
        panel = self.query_one(Vertical)
        panel.border_subtitle = Content(told if self.right.state not in OPEN_STATES else "…")

    # -- keys

    def action_step(self, step: int) -> None:
        self.view.step(step)
        self._tell()

    def action_fold(self) -> None:
        self.view.toggle_folded()

    def action_close(self) -> None:
        self.dismiss(None)


def _words(row: ToolCallRow, now: int) -> str:
    ran = took_ms(row, now)
    facts = [
        f"{STATE_MARKS[row.state]} {row.name}",
        "yours" if isinstance(row, RerunRow) else "",
        clock(row.proposed_at),
        row.state if row.state != "ok" else "",
        duration(ran) if ran is not None else "",
        size(row.result_bytes) if row.finished_at is not None else "",
    ]
    return " · ".join(fact for fact in facts if fact)


def _arguments(row: ToolCallRow) -> str:
    return row.arguments if row.edited_arguments is None else row.edited_arguments


def _produced(result: ToolResult | None) -> str:
    return "" if result is None else result.produced
