"""JsonTree: a JsonView whose objects and arrays fold, with a cursor that names places in it."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import ClassVar

from rich.segment import Segment
from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.strip import Strip

from chatglass.tui.actions.registry import ACTIONS
from chatglass.tui.inspector.display_rows import DisplayRows
from chatglass.tui.inspector.folding import FoldedRows
from chatglass.tui.inspector.json_layout import LaidOut
from chatglass.tui.inspector.json_marks import KEY
from chatglass.tui.inspector.json_view import JsonView, Kind, Rows
from chatglass.tui.inspector.marked_text import Mark

_PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_MANY = 5_000
"""Containers within one from which on unfolding it is done in slices: 5 ms."""


class JsonTree(JsonView):
    """Text that is no JSON it shows as a JsonView does, without a cursor."""

    DEFAULT_CSS = """
    JsonTree > .json-tree--folded { color: $foreground 70%; text-style: italic; }
    JsonTree > .json-tree--cursor { background: $foreground 12%; }
    JsonTree:focus > .json-tree--cursor { background: $accent 35%; }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {"json-tree--folded", "json-tree--cursor"}
    ACTION_PLACE = "text"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "cursor_by(-1)", "Up", show=False),
        Binding("down,j", "cursor_by(1)", "Down", show=False),
        Binding("pageup", "cursor_page(-1)", "Page up", show=False),
        Binding("pagedown", "cursor_page(1)", "Page down", show=False),
        Binding("home", "cursor_to_end(0)", "First", show=False),
        Binding("end", "cursor_to_end(1)", "Last", show=False),
        *ACTIONS.bindings("text"),
    ]

    class CopyRequested(Message):
        """Put `text` on the clipboard; `label` says what it is."""

        def __init__(self, text: str, label: str) -> None:
            super().__init__()
            self.text = text
            self.label = label

    def __init__(
        self, *, name: str | None = None, id: str | None = None, classes: str | None = None
    ) -> None:
        self._folds: FoldedRows | None = None
        """None where nothing can be folded, or not yet."""
        self._laid_out: LaidOut | None = None
        self.cursor = 0
        self.depth = 33
        """To which all was folded last; 33: not at all."""
        super().__init__(name=name, id=id, classes=classes)

    @property
    def is_tree(self) -> bool:
        """There is a cursor, and there may be folds."""
        return self._folds is not None

    @property
    def rows(self) -> Rows:
        return self._folds if self._folds is not None else self._rows

    # -- the text and its rows

    def load(self, text: str, kind: Kind = "auto", marks: Sequence[Mark] = ()) -> None:
        self._folds, self._laid_out = None, None
        self.cursor, self.depth = 0, 33
        super().load(text, kind, marks)

    def _take_text(
        self, text: str, laid_out: LaidOut | None, kind: Kind, lines: int | None = None
    ) -> None:
        self._laid_out = laid_out
        self._folds = None
        super()._take_text(text, laid_out, kind, lines)

    def _take_rows(self, rows: DisplayRows) -> None:
        if self._folds is not None and self._folds.base is not rows:
            self._folds = None
        super()._take_rows(rows)

    def lines_changed(self) -> None:
        # The rows of a small text are whole before its first painting, those of a large one later.
        if self._folds is None and self._laid_out is not None and self._rows.complete:
            self._folds = FoldedRows(self._rows, self._laid_out.containers)
        super().lines_changed()

    def on_resize(self) -> None:
        held = self._held()
        super().on_resize()
        self._hold(held)

    def action_toggle_wrap(self) -> None:
        held = self._held()
        super().action_toggle_wrap()
        self._hold(held)

    def _held(self) -> tuple[FoldedRows, int] | None:
        """The folds and the character under the cursor, before the rows become others."""
        if self._folds is None or not len(self._folds):
            return None
        return self._folds, self._folds.span(min(self.cursor, len(self._folds) - 1))[0]

    def _hold(self, held: tuple[FoldedRows, int] | None) -> None:
        if held is not None and held[0] is not self._folds:
            self._run(lambda: self._fold_again(*held, self._generation), "folds")

    async def _fold_again(self, before: FoldedRows, offset: int, generation: int) -> None:
        """The folds of before, once the rows that follow the new width are there."""
        for worker in self.workers:
            if worker.node is self and worker.group == "text" and not worker.is_finished:
                await worker.wait()
        if generation != self._generation or not self._rows.complete:
            return
        self._take_folds(await before.over(self._rows), offset)

    def _take_folds(self, folds: FoldedRows, offset: int) -> None:
        if folds.base is not self._rows:
            return
        self._folds = folds
        self.cursor = folds.row_at(offset)
        self._folds_changed()

    def _folds_changed(self) -> None:
        if self.text_selection is not None:
            self.screen.clear_selection()
        self.lines_changed()
        self.reveal(self.cursor)
        self.post_message(self.Changed(self))

    # -- the cursor

    def move_cursor(self, y: int) -> None:
        before = self.cursor
        self.cursor = min(max(0, y), max(0, len(self.rows) - 1))
        self.reveal(self.cursor)
        self.repaint_line(before)
        self.repaint_line(self.cursor)
        if before != self.cursor:
            self.post_message(self.Changed(self))

    def action_cursor_by(self, step: int) -> None:
        if self.is_tree:
            self.move_cursor(self.cursor + step)
        elif step < 0:
            self.action_scroll_up()
        else:
            self.action_scroll_down()

    def action_cursor_page(self, step: int) -> None:
        if self.is_tree:
            self.move_cursor(self.cursor + step * max(1, self.page_height - 1))
        elif step < 0:
            self.action_page_up()
        else:
            self.action_page_down()

    def action_cursor_to_end(self, end: int) -> None:
        if self.is_tree:
            self.jump_to(x=0)
            self.move_cursor(len(self.rows) if end else 0)
        elif end:
            self.action_scroll_end()
        else:
            self.action_scroll_home()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action in ("fold_or_out", "unfold_or_in", "toggle_fold", "copy_value", "copy_path"):
            return self.is_tree
        if action in ("fold_to", "fold_deeper"):
            return self.is_tree
        return super().check_action(action, parameters)

    def on_click(self, event: events.Click) -> None:
        """A click moves the cursor; one on a bracket or a fold's remainder folds or unfolds."""
        if not self.is_tree or self._on_bar(event.x) or event.button != 1:
            return
        y = event.y + round(self.scroll_y)
        if y >= len(self.rows):
            return
        self.move_cursor(y)
        start, end = self.rows.span(y)
        column = event.x + round(self.scroll_x)
        beyond = column >= end - start - 1
        if event.chain == (1 if beyond else 2):
            self.action_toggle_fold()

    # -- folding

    def _line_at_cursor(self) -> tuple[int, int]:
        """The text's line that the cursor is in, however it is wrapped."""
        start, end = self.rows.span(self.cursor)
        line_end = self._text.find("\n", end)
        line_start = self._text.rfind("\n", 0, start) + 1
        return line_start, len(self._text) if line_end < 0 else line_end

    def _index_at_cursor(self) -> int | None:
        """The container whose bracket is in the line at the cursor."""
        if self._folds is None or not len(self.rows):
            return None
        return self._folds.container_at(*self._line_at_cursor())

    def action_toggle_fold(self) -> None:
        index = self._index_at_cursor()
        if self._folds is not None and index is not None:
            self._set_fold(index, not self._folds.is_folded(index))

    def action_fold_or_out(self) -> None:
        """Fold what is at the cursor; where it is folded or no container, go to what it is in."""
        folds = self._folds
        if folds is None:
            return
        index = self._index_at_cursor()
        if index is not None and not folds.is_folded(index):
            self._set_fold(index, True)
            return
        line_start, _ = self._line_at_cursor()
        outer = folds.around(line_start) if index is None else folds.containers.parents[index]
        if outer is not None and outer >= 0:
            self.move_cursor(folds.row_at(folds.containers.opens[outer]))

    def action_unfold_or_in(self) -> None:
        folds = self._folds
        index = self._index_at_cursor()
        if folds is None or index is None:
            return
        if folds.is_folded(index):
            self._set_fold(index, False)
        else:
            self.move_cursor(folds.row_at(folds.containers.opens[index]) + 1)

    def _set_fold(self, index: int, folded: bool) -> None:
        folds = self._folds
        if folds is None:
            return
        offset = folds.containers.opens[index]
        if not folded and folds.inside(index) > _MANY:
            self._run(lambda: self._unfold_many(folds, index, offset), "folds")
            return
        if folded:
            folds.fold(index)
        else:
            folds.unfold(index)
        self._take_folds(folds, offset)

    async def _unfold_many(self, folds: FoldedRows, index: int, offset: int) -> None:
        self._take_folds(await folds.unfolded(index), offset)

    def action_fold_deeper(self, step: int) -> None:
        """Show one level more or less than now."""
        if self._laid_out is None:
            return
        deepest = max(self._laid_out.containers.depths, default=0) + 1
        self.action_fold_to(max(1, min(self.depth, deepest) + step))

    def action_fold_to(self, depth: int) -> None:
        """Show `depth` levels and fold what is deeper."""
        folds = self._folds
        held = self._held()
        if folds is None or held is None:
            return
        self.depth = min(depth, 33)
        self._run(lambda: self._fold_all(folds, held[1]), "folds")

    async def _fold_all(self, folds: FoldedRows, offset: int) -> None:
        if self.depth > 32:
            self._take_folds(FoldedRows(folds.base, folds.containers), offset)
        else:
            self._take_folds(await folds.fold_to(self.depth), offset)

    def _reveal_match(self) -> None:
        folds, offset = self._folds, self.matches.current
        if folds is not None and offset is not None:
            if folds.reveal(offset):
                self.lines_changed()
            self.cursor = folds.row_at(offset)
        super()._reveal_match()

    # -- places

    @property
    def path(self) -> str:
        """Where the cursor is, as a JSONPath; empty where there is no tree."""
        folds = self._folds
        if folds is None or not len(self.rows):
            return ""
        line_start, line_end = self._line_at_cursor()
        found = folds.containers
        index = folds.container_at(line_start, line_end)
        steps: list[str] = []
        if index is None:
            outer = folds.around(line_start)
            if outer is None:
                return "$"
            steps.append(self._step(outer, line_start, folds.ordinal(self._text, line_start)))
            index = outer
        while (outer := found.parents[index]) >= 0:
            begin = self._text.rfind("\n", 0, found.opens[index]) + 1
            steps.append(self._step(outer, begin, found.ordinals[index]))
            index = outer
        return "$" + "".join(reversed(steps))

    def _step(self, parent: int, line_start: int, ordinal: int) -> str:
        """From container `parent` to the element whose line begins at `line_start`."""
        assert self._folds is not None
        if self._text[self._folds.containers.opens[parent]] == "[":
            return f"[{ordinal}]"
        key = KEY.match(self._text, line_start)
        if key is None:
            return f"[{ordinal}]"
        written = key.group(1)
        name = written[1:-1]
        return f".{name}" if _PLAIN_KEY.fullmatch(name) else f"[{written}]"

    @property
    def value(self) -> str:
        """What is at the cursor: a string's own text, else JSON."""
        folds = self._folds
        if folds is None or not len(self.rows):
            return ""
        line_start, line_end = self._line_at_cursor()
        index = folds.container_at(line_start, line_end)
        if index is not None:
            opens = folds.containers.opens[index]
            begin = self._text.rfind("\n", 0, opens) + 1
            indent = re.compile(r" *").match(self._text, begin)
            text = self._text[opens : folds.containers.closes[index] + 1]
            before = indent.group() if indent else ""
            return text.replace(f"\n{before}", "\n") if before else text
        key = KEY.match(self._text, line_start, line_end)
        text = self._text[key.end() if key else line_start : line_end].strip().removesuffix(",")
        return json.loads(text) if text.startswith('"') else text

    def action_copy_value(self) -> None:
        self.post_message(self.CopyRequested(self.value, f"value at {self.path}"))

    def action_copy_path(self) -> None:
        self.post_message(self.CopyRequested(self.path, "path"))

    # -- painting

    def paint_line(self, y: int, width: int) -> Strip:
        strip = super().paint_line(y, width)
        folds = self._folds
        if self.waiting or folds is None:
            return strip
        index = folds.fold_at(y)
        if index is not None:
            close = folds.containers.closes[index]
            comma = "," if self._text[close + 1 : close + 2] == "," else ""
            count = folds.containers.counts[index]
            word = "key" if self._text[close] == "}" else "item"
            what = f" … {self._text[close]}{comma}  {count:,} {word}{'' if count == 1 else 's'}"
            strip = Strip([*strip, Segment(what, self.part_style("json-tree--folded"))])
        if y == self.cursor:
            cursor = self.part_style("json-tree--cursor")
            strip = strip.extend_cell_length(max(width, self.widest_line())).apply_style(cursor)
        return strip
