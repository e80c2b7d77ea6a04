"""A line-by-line CommonMark block parser, with the tables of GFM.

CommonMark's blocks can be found one line at a time (https://spec.commonmark.org/0.31.2/#phase-1-block-structure),
so a growing text costs what its new lines cost. markdown-it-py starts anew at every parse; it is
used for what is inside a block (inline.py). Left out, in every rendering alike: HTML blocks (shown
as text) and link reference definitions (shown as text, since one that comes late would change
blocks long finished).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from chatglass.tui.markdown.blocks import (
    Align,
    Code,
    Empty,
    Frame,
    Heading,
    Item,
    Leaf,
    Paragraph,
    Quote,
    Rule,
    Table,
)
from chatglass.tui.markdown.pipes import delimiter_aligns, row_cells

_MAX_DEPTH = 24  # containers inside one another; deeper markers are text

_ATX = re.compile(r"(#{1,6})(?:[ \t]+|$)")
_FENCE = re.compile(r"(`{3,}|~{3,})(.*)")
_FENCE_END = re.compile(r"(`{3,}|~{3,})[ \t]*")
_RULE = re.compile(r"(?:(?:\*[ \t]*){3,}|(?:-[ \t]*){3,}|(?:_[ \t]*){3,})")
_SETEXT = re.compile(r"(?:=+|-+)[ \t]*")
_LIST = re.compile(r"([-+*]|(\d{1,9})([.)]))(?=[ \t]|$)")
_STARTS = frozenset("#>`~=-_*+|:0123456789")


def _lead(rest: str, column: int) -> tuple[int, int]:
    """Columns and characters of the white space that `rest` begins with, standing at `column`."""
    columns = chars = 0
    for char in rest:
        if char == " ":
            columns += 1
        elif char == "\t":
            columns += 4 - (column + columns) % 4
        else:
            break
        chars += 1
    return columns, chars


def _drop(rest: str, column: int, columns: int) -> str:
    """`rest` without its first `columns` columns of white space; of a tab cut in two the rest is spaces."""
    at = taken = 0
    while taken < columns and at < len(rest):
        taken += 1 if rest[at] == " " else 4 - (column + taken) % 4
        at += 1
    return " " * (taken - columns) + rest[at:]


@dataclass(frozen=True, slots=True)
class Mark:
    """A place to go back to; one line may have been fed since."""

    stack: list[Frame]
    leaves: int
    last: Leaf | None
    lines: int
    lazy: int
    open: bool
    blank: bool


class BlockParser:
    """Turns lines into `leaves`. `open` says whether the last leaf can still grow."""

    def __init__(self) -> None:
        self.leaves: list[Leaf] = []
        self.open = False
        self._stack: list[Frame] = []
        self._blank = False

    def mark(self) -> Mark:
        last = self.leaves[-1] if self.leaves else None
        return Mark(
            list(self._stack),
            len(self.leaves),
            last,
            len(last.lines) if last else 0,
            last.lazy if isinstance(last, Paragraph) else 0,
            self.open,
            self._blank,
        )

    def undo(self, mark: Mark) -> None:
        """Forget the one line fed since `mark`."""
        del self.leaves[max(0, mark.leaves - 1) :]
        if mark.last is not None:
            self.leaves.append(mark.last)
            del mark.last.lines[mark.lines :]
            if isinstance(mark.last, Paragraph):
                mark.last.lazy = mark.lazy
        self._stack = mark.stack
        self.open = mark.open
        self._blank = mark.blank

    def feed(self, line: str) -> None:
        """Take one line, without its line end."""
        rest, column, matched = self._match(line)
        whole = matched == len(self._stack)
        tip = self.leaves[-1] if self.open else None
        if whole and isinstance(tip, Code) and tip.fence:
            self._feed_fence(tip, rest, column)
        elif _lead(rest, column)[1] == len(rest):
            self._feed_blank(rest, column, matched)
        else:
            self._feed_text(rest, column, matched)
            self._blank = False

    def close(self) -> None:
        """The text has ended."""
        self.open = False

    # -- which open containers go on

    def _match(self, line: str) -> tuple[str, int, int]:
        """What is left of `line` inside the open containers it continues, its column, and their number."""
        rest, column, matched = line, 0, 0
        for frame in self._stack:
            columns, chars = _lead(rest, column)
            if isinstance(frame, Quote):
                if columns > 3 or rest[chars : chars + 1] != ">":
                    break
                rest, column = self._after_quote(rest, column, columns, chars)
            elif frame.ended:
                break
            elif chars == len(rest):
                if self._is_empty(matched):
                    self._stack[matched] = replace(frame, ended=True)
                    break
                taken = min(columns, frame.indent)
                rest, column = _drop(rest, column, taken), column + taken
            elif columns >= frame.indent:
                rest, column = _drop(rest, column, frame.indent), column + frame.indent
            else:
                break
            matched += 1
        return rest, column, matched

    def _is_empty(self, depth: int) -> bool:
        last = self.leaves[-1] if self.leaves else None
        return isinstance(last, Empty) and last.frames == tuple(self._stack[: depth + 1])

    @staticmethod
    def _after_quote(rest: str, column: int, columns: int, chars: int) -> tuple[str, int]:
        column += columns + 1
        rest = rest[chars + 1 :]
        if rest[:1] in (" ", "\t"):
            rest, column = _drop(rest, column, 1), column + 1
        return rest, column

    # -- lines of the three kinds

    def _feed_fence(self, tip: Code, rest: str, column: int) -> None:
        columns, chars = _lead(rest, column)
        if columns < 4 and rest[chars : chars + 1] == tip.fence[0]:
            end = _FENCE_END.fullmatch(rest, chars)
            if end and len(end[1]) >= len(tip.fence) and end[1][0] == tip.fence[0]:
                self.open = False
                return
        tip.lines.append(_drop(rest, column, min(columns, tip.indent)))
        self._blank = False

    def _feed_blank(self, rest: str, column: int, matched: int) -> None:
        tip = self.leaves[-1] if self.open else None
        if matched == len(self._stack) and isinstance(tip, Code):
            columns, _ = _lead(rest, column)
            tip.lines.append(_drop(rest, column, min(columns, 4)))
        else:
            self.open = False
            if matched < len(self._stack):
                frame = self._stack[matched]
                del self._stack[matched + (isinstance(frame, Item) and frame.ended) :]
        self._blank = True

    def _feed_text(self, rest: str, column: int, matched: int) -> None:
        whole = matched == len(self._stack)
        tip = self.leaves[-1] if self.open else None
        while True:
            columns, chars = _lead(rest, column)
            if chars == len(rest):
                self._add(Empty(tuple(self._stack), self._blank), matched)
                return
            if columns >= 4:
                if not isinstance(tip, Paragraph):
                    self._feed_indented(_drop(rest, column, 4), matched, whole, tip)
                    return
                break
            if rest[chars] not in _STARTS:
                break
            body = rest[chars:]
            inside = self._open_container(rest, column, matched, tip, whole)
            if inside is not None:
                rest, column = inside
                matched, whole, tip = len(self._stack), True, None
                continue
            if self._start_leaf(body, columns, matched, tip, whole):
                return
            break
        body = rest.lstrip(" \t")
        if isinstance(tip, Paragraph):
            tip.lines.append(body)
            if not whole:
                tip.lazy = len(tip.lines)
        elif whole and isinstance(tip, Table):
            tip.lines.append(body)
        else:
            self._add(Paragraph((), False, [body]), matched, grows=True)

    def _feed_indented(self, text: str, matched: int, whole: bool, tip: Leaf | None) -> None:
        if whole and isinstance(tip, Code):
            tip.lines.append(text)
        else:
            self._add(Code((), False, [text]), matched, grows=True)

    # -- what begins

    def _add(self, leaf: Leaf, matched: int, *, grows: bool = False) -> None:
        del self._stack[matched:]
        self._forget_empty()
        leaf.frames, leaf.gap = tuple(self._stack), self._blank
        self.leaves.append(leaf)
        self.open = grows

    def _forget_empty(self) -> None:
        """What comes now is the first content of the innermost container."""
        if self._stack and self._is_empty(len(self._stack) - 1):
            self._blank = self.leaves.pop().gap

    def _open_container(
        self, rest: str, column: int, matched: int, tip: Leaf | None, whole: bool
    ) -> tuple[str, int] | None:
        """Open the quote or list item that `rest` begins with, and give what is inside it."""
        if matched >= _MAX_DEPTH:
            return None
        columns, chars = _lead(rest, column)
        body = rest[chars:]
        if body[0] == ">":
            self._push(Quote(self._next_leaf(matched)), matched)
            return self._after_quote(rest, column, columns, chars)
        found = _LIST.match(body)
        paragraph = tip if whole and isinstance(tip, Paragraph) else None
        if found is None or _RULE.fullmatch(body):
            return None
        if paragraph and self._underlines(paragraph, body):
            return None
        width = found.end()
        after = column + columns + width
        spaces, blanks = _lead(body[width:], after)
        blank = width + blanks == len(body)
        if paragraph and (blank or (found[2] and int(found[2]) != 1)):
            return None
        taken = spaces if not blank and spaces < 5 else 1
        self._push(self._item(found, matched, columns + width + taken), matched)
        if blank:
            return "", after
        return _drop(body[width:], after, taken), after + taken

    def _item(self, found: re.Match[str], matched: int, indent: int) -> Item:
        marker = found[3] or found[1]
        first = first_of_list = self._next_leaf(matched)
        number = int(found[2]) if found[2] else None
        before = self._stack[matched] if matched < len(self._stack) else None
        if isinstance(before, Item) and before.marker == marker:
            first_of_list = before.first_of_list
            number = None if before.number is None else before.number + 1
        depth = sum(isinstance(frame, Item) for frame in self._stack[:matched])
        return Item(first, first_of_list, marker, number, depth, indent)

    def _next_leaf(self, matched: int) -> int:
        replaced = matched and matched == len(self._stack) and self._is_empty(matched - 1)
        return len(self.leaves) - bool(replaced)

    def _push(self, frame: Frame, matched: int) -> None:
        del self._stack[matched:]
        self._forget_empty()
        self._stack.append(frame)
        self.open = False

    @staticmethod
    def _underlines(paragraph: Paragraph, body: str) -> bool:
        """`body` makes `paragraph` a heading, or its last line that of a table."""
        return bool(_SETEXT.fullmatch(body)) or _header_aligns(paragraph, body) is not None

    def _start_leaf(
        self, body: str, columns: int, matched: int, tip: Leaf | None, whole: bool
    ) -> bool:
        """Add the heading, fence, rule or table that `body` begins, if it does."""
        if found := _ATX.match(body):
            text = _without_closing(body[found.end() :])
            self._add(Heading((), False, [text], level=len(found[1])), matched)
        elif (found := _FENCE.match(body)) and not (body[0] == "`" and "`" in found[2]):
            code = Code((), False, info=found[2].strip(), fence=found[1], indent=columns)
            self._add(code, matched, grows=True)
        elif isinstance(tip, Paragraph) and whole and (aligns := _header_aligns(tip, body)):
            self._start_table(tip, aligns)
        elif isinstance(tip, Paragraph) and whole and _SETEXT.fullmatch(body):
            level = 1 if body[0] == "=" else 2
            self.leaves[-1] = Heading(tip.frames, tip.gap, list(tip.lines), level=level)
            self.open = False
        elif _RULE.fullmatch(body):
            self._add(Rule((), False), matched)
        else:
            return False
        return True

    def _start_table(self, tip: Paragraph, aligns: tuple[Align, ...]) -> None:
        header = tip.lines[-1]
        if len(tip.lines) == 1:
            self.leaves[-1] = Table(tip.frames, tip.gap, [header], aligns)
        else:
            self.leaves[-1] = Paragraph(tip.frames, tip.gap, tip.lines[:-1])
            self.leaves.append(Table(tip.frames, False, [header], aligns))


def _header_aligns(paragraph: Paragraph, body: str) -> tuple[Align, ...] | None:
    header = paragraph.lines[-1]
    if "|" not in header or paragraph.lazy == len(paragraph.lines):
        return None
    aligns = delimiter_aligns(body.rstrip(" \t"))
    return aligns if aligns and len(aligns) == len(row_cells(header)) else None


def _without_closing(text: str) -> str:
    """Heading text without the `#`s that may close it."""
    text = text.rstrip(" \t")
    bare = text.rstrip("#")
    return bare.rstrip(" \t") if bare != text and (not bare or bare[-1] in " \t") else text
