"""One message's Markdown as strips: parsed line by line, rendered again only where it grows."""

from __future__ import annotations

import re
import sys
from collections import deque
from dataclasses import dataclass

from rich.cells import cell_len
from rich.segment import Segment
from textual.strip import Strip

from chatglass.tui.markdown.blocks import Code, Heading, Leaf, Paragraph, Rule, Table
from chatglass.tui.markdown.code import CodeView
from chatglass.tui.markdown.flow import FlowView
from chatglass.tui.markdown.look import MarkdownLook
from chatglass.tui.markdown.margin import Margin, margin_of, segments
from chatglass.tui.markdown.parser import BlockParser, Mark
from chatglass.tui.markdown.table import TableView
from chatglass.tui.markdown.wrap import Row
from chatglass.values.text import storable, visible

_DEFINITION = re.compile(r"\n(?=\[[^\]\n]+\]:(?:\s|$))")
# A last line of nothing but these may become a bullet, a rule, a fence, an underline or a table:
# it waits for its next character, so that nothing is shown as what it will not be.
_UNDECIDED = re.compile(r"[ \t>]*[-+*=_~`#|: \t]+")


@dataclass(frozen=True, slots=True)
class CodeBlock:
    """A code block as it is shown: control characters as symbols, tabs as tabs."""

    language: str
    text: str
    first_line: int = 0
    """Index of its first row in `lines()`, and of the row after its last; 0, 0 before `lines()`."""
    last_line: int = 0


@dataclass(slots=True, eq=False)
class _Shown:
    """What is on screen of one leaf: rows `start` to `end`, of which `gap` blank ones lead."""

    leaf: Leaf
    margin: Margin
    view: FlowView | CodeView | TableView | None
    start: int = 0
    gap: int = 0
    end: int = 0
    final: bool = False


class MarkdownDocument:
    """One message's Markdown, rendered to strips; grows by `push`."""

    def __init__(
        self, text: str = "", *, complete: bool = True, colours_at_once: int | None = None
    ) -> None:
        """`colours_at_once`: as many lines of finished code blocks get their colours in one `lines`,
        and the others by `colour`; None: all."""
        self._source: list[str] = []
        self._pending: list[str] = []  # pushed and not yet parsed
        self._held = ""  # the start of a character or line end that came in two
        self._partial = ""  # the last line, still without an end
        self._mark: Mark | None = None  # where the parser stood before it was fed `_partial`
        self._finishing = self._finished = False
        self._parser = BlockParser()
        self._width = 0
        self._look: MarkdownLook | None = None
        self._lines: list[Strip] = []
        self._shown: list[_Shown] = []
        self._final = 0  # how many of `_shown` never change again
        self._colours_at_once = self._colours_left = colours_at_once or sys.maxsize
        self._without_colours: deque[tuple[_Shown, CodeView]] = deque()
        if text:
            self.push(text)
        if complete:
            self.finish()

    @property
    def source(self) -> str:
        """All that was pushed, as it was pushed."""
        self._source = ["".join(self._source)]
        return self._source[0] + "".join(self._pending)

    def push(self, delta: str) -> None:
        """Append to the source; nothing is parsed until it is asked for."""
        if self._finishing:
            raise RuntimeError("this MarkdownDocument is finished; make a new one for more text")
        if delta:
            self._pending.append(delta)

    def finish(self) -> None:
        """No more text comes: settle the open block."""
        self._finishing = True

    def lines(self, width: int, look: MarkdownLook) -> tuple[list[Strip], int]:
        """All lines, each at most `width` cells, and the index of the first that may differ from
        the call before with the same width and look (their number, where nothing changed).

        The list is the document's own and changes with the next call: don't keep or change it.
        """
        width = max(1, width)
        changed = self._take()
        self._colours_left = self._colours_at_once
        if width != self._width or (look is not self._look and look != self._look):
            self._width, self._look = width, look
            self._lines, self._shown, self._final = [], [], 0
            self._without_colours.clear()
        elif not changed:
            return self._lines, len(self._lines)
        return self._lines, self._render(width, look)

    def colour(self) -> tuple[int, int] | None:
        """Colour the next lines of code that `lines` left without; first and last of them, None where
        there are no more. About 5 ms of work for each call."""
        while self._without_colours:
            shown, view = self._without_colours[0]
            assert isinstance(shown.leaf, Code)
            at, rows = view.colour(shown.leaf)
            if rows:
                first = shown.start + shown.gap + at
                strips = self._strips(shown.margin, rows, at, self._width)
                self._lines[first : first + len(rows)] = strips
                return first, first + len(rows) - 1
            self._without_colours.popleft()
        return None

    def code_blocks(self) -> list[CodeBlock]:
        """All code blocks up to now, in order."""
        self._take()
        found: list[CodeBlock] = []
        for index, leaf in enumerate(self._parser.leaves):
            if isinstance(leaf, Code):
                rows = (0, 0)
                if index < len(self._shown) and self._shown[index].leaf is leaf:
                    rows = self._shown[index].start + self._shown[index].gap, self._shown[index].end
                found.append(CodeBlock(leaf.language, "\n".join(leaf.shown), *rows))
        return found

    @staticmethod
    def estimate_height(text: str, width: int) -> int:
        """About how many lines `text` takes; nothing is parsed."""
        width = max(1, width)
        height = blank = 0
        for line in text.split("\n"):
            cells = len(line) if line.isascii() else cell_len(line)
            if cells:
                height += -(-cells // width) + blank
            blank = int(not cells)
        return max(1, height)

    # -- source to leaves

    def _take(self) -> bool:
        """Feed what came to the parser; whether there was anything."""
        ends = self._finishing and not self._finished
        if not self._pending and not ends:
            return False
        delta = "".join(self._pending)
        self._source.append(delta)
        self._pending = []
        text, self._held = self._held + delta, ""
        if not self._finishing and text and (text[-1] == "\r" or "\ud800" <= text[-1] <= "\udbff"):
            text, self._held = text[:-1], text[-1]
        if self._mark is not None:
            self._parser.undo(self._mark)
            self._mark = None
        first, *more = visible(storable(text)).split("\n")
        self._partial += first
        for line in more:
            self._parser.feed(self._partial)
            self._partial = line
        if self._finishing:
            self._finished = True
            if self._partial:
                self._parser.feed(self._partial)
            self._parser.close()
        elif self._partial and not _UNDECIDED.fullmatch(self._partial):
            self._mark = self._parser.mark()
            self._parser.feed(self._partial)
        return True

    # -- leaves to lines

    def _render(self, width: int, look: MarkdownLook) -> int:
        leaves, mark = self._parser.leaves, self._mark
        # Leaves before `closed` hold still while the last line grows; the one before the last may
        # yet be replaced by a line that makes it a heading or a table.
        count = mark.leaves if mark else len(leaves)
        is_open = mark.open if mark else self._parser.open
        closed = len(leaves) if self._finished else count - is_open
        at = self._shown[self._final - 1].end if self._final else 0
        first = at  # below it the lines stay
        tail: list[Strip] | None = None
        for index in range(self._final, len(leaves)):
            leaf = leaves[index]
            shown = self._place(index, leaf, width, look)
            settled = mark.lines if mark and index == count - 1 else len(leaf.lines)
            if index >= count:
                settled = 0
            kept, rows = self._update(shown, settled, index < closed)
            gap = int(shown.margin.gap is not None)
            moved = shown.start != at or shown.gap != gap
            old = shown.start + shown.gap
            if tail is None and moved | bool(rows) | (shown.end != old + kept):
                first = at if moved else at + gap + kept
                tail = []
                if moved:
                    tail += self._gap_strips(shown.margin) + self._lines[old : old + kept]
            elif tail is not None:
                tail += self._gap_strips(shown.margin) + self._lines[old : old + kept]
            if tail is not None:
                tail += self._strips(shown.margin, rows, kept, width)
            shown.start, shown.gap, shown.end = at, gap, at + gap + kept + len(rows)
            at = shown.end
        del self._shown[len(leaves) :]
        if tail is None:
            first = min(at, len(self._lines))
        del self._lines[first:]
        self._lines += tail or []
        self._settle(len(leaves) if self._finished else min(closed, count - 1))
        return first

    def _settle(self, until: int) -> None:
        for index in range(self._final, until):
            self._shown[index].view = None
        self._final = max(self._final, until)

    def _place(self, index: int, leaf: Leaf, width: int, look: MarkdownLook) -> _Shown:
        """The record of the leaf at `index`, with its view where that can go on."""
        before = self._parser.leaves[index - 1] if index else None
        margin = margin_of(leaf, index, before, width, look)
        if index < len(self._shown):
            shown = self._shown[index]
            if shown.leaf is leaf and shown.margin == margin:
                return shown
            if shown.margin == margin and not shown.final and _goes_on(shown.leaf, leaf):
                shown.leaf = leaf
                return shown
            shown = _Shown(leaf, margin, self._view(leaf, margin, width, look))
            self._shown[index] = shown
            return shown
        self._shown.append(_Shown(leaf, margin, self._view(leaf, margin, width, look)))
        return self._shown[index]

    @staticmethod
    def _view(
        leaf: Leaf, margin: Margin, width: int, look: MarkdownLook
    ) -> FlowView | CodeView | TableView | None:
        room = max(1, width - margin.cells)
        if isinstance(leaf, Paragraph):
            return FlowView(room, look.text, look)
        if isinstance(leaf, Heading):
            return FlowView(room, look.mix(look.text, look.headings[leaf.level - 1]), look)
        if isinstance(leaf, Code):
            return CodeView(room, look)
        if isinstance(leaf, Table):
            return TableView(room, look)
        return None

    def _update(self, shown: _Shown, settled: int, closed: bool) -> tuple[int, list[Row]]:
        leaf, view = shown.leaf, shown.view
        if shown.final and closed:
            return shown.end - shown.start - shown.gap, []
        shown.final = closed
        if isinstance(view, FlowView):
            return view.update(_flow_text(leaf)[len(shown.margin.task) :])
        if isinstance(view, CodeView):
            assert isinstance(leaf, Code)
            if closed and shown.start == shown.end and self._is_too_long(leaf):
                self._without_colours.append((shown, view))
                return 0, view.plain(leaf)
            return view.update(leaf, settled, closed)
        if isinstance(view, TableView):
            assert isinstance(leaf, Table)
            return view.update(leaf, settled, closed)
        assert self._look is not None
        if isinstance(leaf, Rule):
            cells = max(1, self._width - shown.margin.cells)
            return 0, [([Segment("─" * cells, self._look.rule)], cells)]
        return 0, [([], 0)]

    def _is_too_long(self, leaf: Code) -> bool:
        """Whether a block that is laid out for the first time must wait for its colours."""
        if len(leaf.lines) > self._colours_left:
            return True
        self._colours_left -= len(leaf.lines)
        return False

    @staticmethod
    def _gap_strips(margin: Margin) -> list[Strip]:
        if margin.gap is None:
            return []
        return [Strip(segments(margin.gap), sum(cell_len(text) for text, _ in margin.gap))]

    @staticmethod
    def _strips(margin: Margin, rows: list[Row], kept: int, width: int) -> list[Strip]:
        strips: list[Strip] = []
        lead = segments(margin.rest if kept else margin.first)
        for parts, cells in rows:
            strip = Strip(lead + parts, margin.cells + cells)
            strips.append(strip if margin.cells + cells <= width else strip.crop(0, width))
            lead = segments(margin.rest) if not kept and len(strips) == 1 else lead
        return strips


def _goes_on(before: Leaf, leaf: Leaf) -> bool:
    """A view of `before` can go on with `leaf`, read anew from a longer line."""
    if isinstance(before, Heading) and isinstance(leaf, Heading):
        return before.level == leaf.level
    return type(before) is type(leaf)


def _flow_text(leaf: Leaf) -> str:
    """The text of a paragraph or heading; link definitions keep their own lines."""
    text = "\n".join(leaf.lines)
    return _DEFINITION.sub("  \n", text) if len(leaf.lines) > 1 and "\n[" in text else text
