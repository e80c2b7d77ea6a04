"""JsonView: a text of any size as lines, JSON laid out and coloured."""

from __future__ import annotations

import asyncio
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Coroutine, Sequence
from operator import attrgetter
from typing import Any, ClassVar, Literal, Protocol

from rich.segment import Segment
from textual.binding import Binding, BindingType
from textual.geometry import Offset
from textual.message import Message
from textual.selection import Selection
from textual.strip import Strip
from textual.worker import Worker, WorkerState

from chatglass.tui.component_style import component_style
from chatglass.tui.inspector.display_rows import DisplayRows, shown
from chatglass.tui.inspector.json_layout import LaidOut, lay_out_tree
from chatglass.tui.inspector.json_marks import LineMarks
from chatglass.tui.inspector.layout_process import INLINE_CHARACTERS, lay_out_apart
from chatglass.tui.inspector.marked_text import Mark
from chatglass.tui.inspector.matches import Matches
from chatglass.tui.inspector.text_search import find_all
from chatglass.tui.lines.cells import Layer, layered
from chatglass.tui.lines.line_view import LineView
from chatglass.values.figures import size
from chatglass.values.text import storable

Kind = Literal["auto", "json", "text", "laid_out"]
"""`auto`: JSON where it is an object or array, else text; `json`: the same, said by the caller;
`laid_out`: coloured as JSON line by line, but shown as it is."""

_START = attrgetter("start")
_COUNTED = 4 * 1024 * 1024
SLICE_SECONDS = 0.008
"""How long the rows of a large text may be worked on before the event loop gets its turn."""


def _clean(text: str) -> str:
    text = text if text.isascii() else storable(text)
    return text.replace("\r\n", "\n") if "\r" in text else text


def count_lines(text: str) -> int:
    """In slices, so that a thread that counts lets others run."""
    starts = range(0, len(text), _COUNTED)
    return sum(text.count("\n", start, start + _COUNTED) for start in starts) + 1


class Rows(Protocol):
    """The rows on screen: a DisplayRows, or what folds leave of one."""

    def __len__(self) -> int: ...
    def span(self, index: int, /) -> tuple[int, int]: ...
    def row_at(self, offset: int, /) -> int: ...


class JsonView(LineView):
    """Shows one text. `load` may be called at any time; an earlier load that still works is dropped.

    Texts up to INLINE_CHARACTERS are there when `load` returns. Larger JSON is laid out in a child
    process, and the rows of large texts are made in slices; meanwhile it shows what it does.
    """

    ALLOW_SELECT = True
    DEFAULT_CSS = """
    JsonView > .json-view--key { color: $text-primary; }
    JsonView > .json-view--string { color: $text-success; }
    JsonView > .json-view--number { color: $text-warning; }
    JsonView > .json-view--literal { color: $text-secondary; text-style: bold; }
    JsonView > .json-view--punctuation { color: $foreground 70%; }
    JsonView > .json-view--heading { text-style: bold; }
    JsonView > .json-view--added { background: $success-muted; color: $text-success; }
    JsonView > .json-view--removed { background: $error-muted; color: $text-error; }
    JsonView > .json-view--note { color: $foreground 70%; }
    JsonView > .json-view--good { color: $text-success; }
    JsonView > .json-view--bad { color: $text-error; text-style: bold; }
    JsonView > .json-view--match { background: $warning 40%; }
    JsonView > .json-view--current-match { background: $warning; color: $background; text-style: bold; }
    JsonView > .json-view--waiting { color: $foreground 70%; text-style: italic; }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        f"json-view--{part}"
        for part in (
            *("key", "string", "number", "literal", "punctuation"),
            *("match", "current-match", "waiting"),
            *("heading", "added", "removed", "note", "good", "bad"),
        )
    }
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "next_match(1)", "Next match", show=False, id="text.next_match"),
        Binding("N,shift+n", "next_match(-1)", "Match before", show=False, id="text.match_before"),
        Binding("w", "toggle_wrap", "Wrap lines", show=False, id="text.wrap"),
    ]

    class Changed(Message):
        """The text, its rows or its matches are others now; `control` is the view."""

        def __init__(self, view: JsonView) -> None:
            super().__init__()
            self.view = view

        @property
        def control(self) -> JsonView:
            return self.view

    def __init__(
        self, *, name: str | None = None, id: str | None = None, classes: str | None = None
    ) -> None:
        super().__init__(name=name, id=id, classes=classes)
        self.wrap = True
        self.is_json = False
        """Whether what is shown was laid out as JSON."""
        self.matches = Matches()
        """Where the searched text stands in `shown_text`."""
        self.waiting = ""
        """What it works on while the text isn't there yet."""
        self._source = ""
        self._text = ""
        self._text_lines = 1
        self._coloured = False
        self._marks = LineMarks("")
        self._rows = DisplayRows("", 80, wrap=True, by_word=True)
        self._rows.grow()
        self._generation = 0
        self._marked: Sequence[Mark] = ()
        self._unsized: Kind | None = None
        """The kind of a text that was loaded before the widget had a size."""

    # -- the text

    @property
    def source(self) -> str:
        """The text as it was given to `load`."""
        return self._source

    @property
    def shown_text(self) -> str:
        """The text as it is laid out."""
        return self._text

    @property
    def text_lines(self) -> int:
        """Lines of the text as it is laid out, however they are wrapped."""
        return self._text_lines

    @property
    def ready(self) -> bool:
        """All rows of the last text are there."""
        return not self.waiting and self._rows.complete

    def load(self, text: str, kind: Kind = "auto", marks: Sequence[Mark] = ()) -> None:
        """Show `text` from its beginning. `marks` are for a text that is shown as it is."""
        self._generation += 1
        self._marked = marks
        self._source = text
        self.matches.forget()
        if not self.size.width:
            self._unsized = kind
            return
        self.workers.cancel_group(self, "text")
        self.jump_to(x=0, y=0)
        may_be_json = kind in ("auto", "json") and text.lstrip()[:1] in ("{", "[")
        if len(text) <= INLINE_CHARACTERS:
            text = _clean(text)
            laid_out = lay_out_tree(text) if may_be_json else None
            self._take_text(text, laid_out, kind)
            self._rows.grow()
            self.lines_changed()
            self._start_search()
            return
        self.waiting = f"… {size(len(text))}"
        self._take_rows(DisplayRows("", 1, wrap=True, by_word=False))
        self._run(lambda: self._load_large(text, kind, may_be_json, self._generation), "text")

    async def _load_large(self, text: str, kind: Kind, may_be_json: bool, generation: int) -> None:
        text = await asyncio.to_thread(_clean, text)
        laid_out = await lay_out_apart(text) if may_be_json else None
        lines = await asyncio.to_thread(count_lines, laid_out.text if laid_out else text)
        if generation != self._generation:
            return
        self._take_text(text, laid_out, kind, lines)
        self._start_search()
        await self._grow(self._rows, generation)

    def _take_text(
        self, text: str, laid_out: LaidOut | None, kind: Kind, lines: int | None = None
    ) -> None:
        """`lines`: how many the text that is shown has, where that was counted."""
        self.waiting = ""
        self.is_json = laid_out is not None
        self._coloured = self.is_json or kind == "laid_out"
        self._text = text if laid_out is None else laid_out.text
        self._text_lines = count_lines(self._text) if lines is None else lines
        self._marks = LineMarks(self._text)
        self._take_rows(self._new_rows())

    def _new_rows(self) -> DisplayRows:
        by_word = not self._coloured
        return DisplayRows(self._text, self.text_width, wrap=self.wrap, by_word=by_word)

    @property
    def rows(self) -> Rows:
        """What stands on screen, row by row."""
        return self._rows

    def _take_rows(self, rows: DisplayRows) -> None:
        self._rows = rows
        if self.is_attached and self.text_selection is not None:
            # Its offsets count rows, which are others now.
            self.screen.clear_selection()
        self.lines_changed()

    async def _grow(self, rows: DisplayRows, generation: int) -> None:
        """Make all of `rows`, a slice at a time; shows them as they come where they are in use."""
        while not rows.grow(SLICE_SECONDS):
            if rows is self._rows:
                self.lines_changed()
            await asyncio.sleep(0)
            if generation != self._generation:
                return
        if rows is self._rows:
            self.lines_changed()
            self._reveal_match()
            self.post_message(self.Changed(self))

    def _run(self, work: Callable[[], Coroutine[Any, Any, None]], group: str) -> None:
        async def run() -> None:
            await work()

        # A function of its own: Textual describes a worker by its `repr`, with all its arguments.
        self.run_worker(run, group=group, exclusive=True, exit_on_error=False)

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """Work that broke must not leave the reader waiting."""
        event.stop()
        if event.state is WorkerState.ERROR:
            self._take_text(f"This text can't be shown: {event.worker.error!r}", None, "text")
            self._rows.grow()
            self.lines_changed()

    # -- width

    def on_resize(self) -> None:
        if self._unsized is not None and self.size.width:
            kind, self._unsized = self._unsized, None
            self.load(self._source, kind, self._marked)
        elif self._rows.width != self.text_width and not self.waiting:
            if self.wrap:
                self._lay_rows_again()
            else:
                self._rows.width = self.text_width
        self.lines_changed()

    def action_toggle_wrap(self) -> None:
        """Wrap long lines at the edge, or let them run beyond it."""
        self.wrap = not self.wrap
        if not self.waiting:
            self.jump_to(x=0)
            self._lay_rows_again()

    def _lay_rows_again(self) -> None:
        rows = self._new_rows()
        if len(self._text) <= INLINE_CHARACTERS:
            rows.grow()
            self._show_rows_from(rows, self._top_offset())
        else:
            self._run(lambda: self._lay_rows_again_in_slices(rows, self._generation), "text")

    async def _lay_rows_again_in_slices(self, rows: DisplayRows, generation: int) -> None:
        await self._grow(rows, generation)
        if generation == self._generation:
            self._show_rows_from(rows, self._top_offset())

    def _top_offset(self) -> int:
        """The character at the top of the screen."""
        top = round(self.scroll_y)
        return self.rows.span(top)[0] if 0 < top < len(self.rows) else 0

    def _show_rows_from(self, rows: DisplayRows, offset: int) -> None:
        self._take_rows(rows)
        self.jump_to(y=self.rows.row_at(offset) if offset else 0)
        self.post_message(self.Changed(self))

    # -- finding

    def find(self, query: str) -> None:
        """Mark where `query` occurs and go to the first from the top of the screen on.

        Its case counts only where it has a capital. An empty one takes the marks away. `Changed`
        says when it is done.
        """
        self.matches.seek(query)
        self.refresh()
        if not self.waiting:
            self._start_search()

    def _start_search(self) -> None:
        if self.matches.sought:
            self._run(lambda: self._search(self._generation), "search")
        else:
            self.post_message(self.Changed(self))

    async def _search(self, generation: int) -> None:
        query = self.matches.sought
        found = await find_all(self._text, query)
        if generation != self._generation or query != self.matches.sought:
            return
        self.matches.take(found, self._top_offset())
        self._reveal_match()
        self.refresh()
        self.post_message(self.Changed(self))

    def action_next_match(self, step: int) -> None:
        """Go to the next match, or with -1 to the one before; round the ends."""
        if self.matches.step(step):
            self._reveal_match()
            self.refresh()
            self.post_message(self.Changed(self))

    def _reveal_match(self) -> None:
        offset = self.matches.current
        if offset is None:
            return
        row = self.rows.row_at(offset)
        self.reveal(row, margin=2)
        if not self.wrap:
            column = offset - self.rows.span(row)[0]
            if (
                not self.scroll_x
                <= column
                < self.scroll_x + self.text_width - len(self.matches.sought)
            ):
                self.jump_to(x=column - self.text_width // 2)

    # -- selecting

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """The text under the selection, with the line ends of the text and not of the screen."""
        if self.waiting or not len(self.rows):
            return None
        start = self._offset_at(selection.start) if selection.start is not None else 0
        end = self._offset_at(selection.end) if selection.end is not None else len(self._text)
        return self._text[start:end], "\n"

    def _offset_at(self, place: Offset) -> int:
        """Selection offsets count characters as shown; ours those of the text."""
        column, row = place
        if row >= len(self.rows):
            return len(self._text)
        start, end = self.rows.span(row)
        _, places = shown(self._text[start:end])
        within = column if places is None else bisect_left(places, column)
        return min(start + max(0, within), end)

    # -- LineView

    def line_count(self) -> int:
        return 1 if self.waiting else len(self.rows)

    def widest_line(self) -> int:
        return 0 if self.wrap else self._rows.widest

    def offset_line(self, strip: Strip, y: int) -> Strip:
        return strip if self.waiting else strip.apply_offsets(0, y)

    def paint_line(self, y: int, width: int) -> Strip:
        if self.waiting:
            return Strip([Segment(self.waiting, self.part_style("json-view--waiting"))])
        start, end = self.rows.span(y)
        text, places = shown(self._text[start:end])
        layers = self._layers(y, start, end)
        if places is not None:
            layers = [(places[a], places[b], style) for a, b, style in layers]
        span = self.text_selection.get_span(y) if self.text_selection is not None else None
        if span is not None:
            left, right = span
            selected = component_style(self.screen, "screen--selection")
            layers.append((left, len(text) if right < 0 else right, selected))
        return layered(text, layers)

    def _layers(self, y: int, start: int, end: int) -> list[Layer]:
        """Styled stretches of row `y`, from the lowest layer up, counted from the row's start."""
        layers: list[Layer] = []
        if self._coloured:
            for a, b, kind in self._marks.parts(start, end):
                layers.append((a - start, b - start, self.part_style(f"json-view--{kind}")))
        for mark in self._marked[max(0, bisect_right(self._marked, start, key=_START) - 1) :]:
            if mark.start >= end:
                break
            left, right = max(0, mark.start - start), min(end, mark.end) - start
            if left < right:
                layers.append((left, right, self.part_style(f"json-view--{mark.part}")))
        for left, right, is_current in self.matches.between(start, end):
            name = "current-match" if is_current else "match"
            layers.append((left, right, self.part_style(f"json-view--{name}")))
        return layers
