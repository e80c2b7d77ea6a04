"""Building blocks of lines: cutting and wrapping by cells, columns, styles over a span."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import overload

from rich.cells import cell_len, chop_cells, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from chatglass.values.text import visible

Piece = tuple[str, Style]
Span = tuple[int, int, Style]
"""(first character, one behind the last, style)."""

EMPTY = Strip([], 0)

_WORDS = re.compile(r"\s*\S+")


def strip_of(pieces: Iterable[Piece]) -> Strip:
    segments = [Segment(text, style) for text, style in pieces if text]
    return Strip(segments, sum(cell_len(segment.text) for segment in segments))


def cut(text: str, width: int) -> str:
    """`text` in at most `width` cells, with an ellipsis where it was cut."""
    if width <= 0:
        return ""
    if cell_len(text) <= width:
        return text
    if width == 1:
        return "…"
    return set_cell_size(text, width - 1).rstrip() + "…"


def spread(left: Sequence[Piece], right: Sequence[Piece], width: int) -> Strip:
    """`left` and `right` at the two ends of a line; `left` is cut first, then `right` goes."""
    right_width = sum(cell_len(text) for text, _ in right)
    left_width = sum(cell_len(text) for text, _ in left)
    if left_width + right_width + 1 > width and left_width > width // 2:
        room = max(width // 2, width - right_width - 1)
        left = _cut_pieces(left, room)
        left_width = sum(cell_len(text) for text, _ in left)
    if left_width + right_width + (1 if left else 0) > width:
        right = _cut_pieces(right, width - left_width - 1)
        right_width = sum(cell_len(text) for text, _ in right)
    space = " " * max(0, width - left_width - right_width)
    return strip_of([*left, (space, Style.null()), *right])


def _cut_pieces(pieces: Sequence[Piece], width: int) -> list[Piece]:
    result: list[Piece] = []
    for text, style in pieces:
        shown = cut(text, width)
        if shown:
            result.append((shown, style))
        width -= cell_len(shown)
        if shown != text or width <= 0:
            break
    return result


def wrap(text: str, width: int) -> list[str]:
    """One line of text (no newline in it) as lines of at most `width` cells, broken at spaces.

    Spaces at a break are dropped, those at the start of the text stay; a word that is too long is
    broken anywhere.
    """
    text = text.expandtabs(4).rstrip()
    if cell_len(text) <= width:
        return [text]
    lines: list[str] = []
    current = ""
    room = width
    for match in _WORDS.finditer(text):
        word = match.group()
        size = cell_len(word)
        if size <= room:
            current += word
            room -= size
            continue
        if current:
            lines.append(current)
            word = word.lstrip()
            size = cell_len(word)
        if size > width:
            *full, word = chop_cells(word, width)
            lines.extend(full)
            size = cell_len(word)
        current = word
        room = width - size
    lines.append(current)
    return lines


def wrap_all(text: str, width: int) -> list[str]:
    return [line for hard in text.split("\n") for line in wrap(hard, width)]


def restyle(strip: Strip, spans: Sequence[Span]) -> Strip:
    """`strip` with styles laid over spans of characters; spans are in order, later ones win."""
    for first, last, style in spans:
        strip = _restyle(strip, first, last, style)
    return strip


def _restyle(strip: Strip, first: int, last: int, style: Style) -> Strip:
    segments: list[Segment] = []
    position = 0
    for segment in strip:
        text, own, _ = segment
        end = position + len(text)
        if end <= first or position >= last:
            segments.append(segment)
        else:
            low = max(0, first - position)
            high = min(len(text), last - position)
            if low:
                segments.append(Segment(text[:low], own))
            segments.append(Segment(text[low:high], own + style if own else style))
            if high < len(text):
                segments.append(Segment(text[high:], own))
        position = end
    return Strip(segments, strip.cell_length)


class TextLines(Sequence[Strip]):
    """Lines of one style, each a strip when it is asked for: a strip takes 1.1 kB and 3 µs, and a
    pasted text may have 40,000 lines."""

    __slots__ = ("_made", "_style", "_texts")

    def __init__(self) -> None:
        self._texts: list[str] = []
        self._style = Style.null()
        self._made: dict[int, Strip] = {}

    def __len__(self) -> int:
        return len(self._texts)

    @overload
    def __getitem__(self, index: int) -> Strip: ...
    @overload
    def __getitem__(self, index: slice) -> list[Strip]: ...
    def __getitem__(self, index: int | slice) -> Strip | list[Strip]:
        if isinstance(index, slice):
            return [self[place] for place in range(*index.indices(len(self._texts)))]
        if index < 0:
            index += len(self._texts)
        strip = self._made.get(index)
        if strip is None:
            strip = self._made[index] = Strip([Segment(self._texts[index], self._style)])
        return strip

    def replace(self, line: int, texts: Sequence[str], style: Style) -> None:
        """Put `texts` where the lines from `line` on were; with a new style, from 0."""
        del self._texts[line:]
        self._texts += texts
        self._style = style
        self._made = {place: strip for place, strip in self._made.items() if place < line}


class PlainText:
    """Text without markup as visible wrapped lines; text that only grew is wrapped from its last line."""

    __slots__ = ("_last_line", "_last_start", "_lines", "_style", "_text", "_width")

    def __init__(self) -> None:
        self._text = ""
        self._width = 0
        self._style = Style.null()
        self._lines = TextLines()
        self._last_start = 0
        self._last_line = 0

    def lines(self, text: str, width: int, style: Style) -> tuple[TextLines, int]:
        """(all lines, index of the first that is not as it was); they are kept and changed."""
        if width == self._width and style == self._style:
            if text == self._text:
                return self._lines, len(self._lines)
            grown = text.startswith(self._text)
        else:
            grown = False
        start, line = (self._last_start, self._last_line) if grown else (0, 0)
        self._text, self._width, self._style = text, width, style
        wrapped: list[str] = []
        for hard in visible(text[start:].removesuffix("\r")).split("\n"):
            self._last_line = line + len(wrapped)
            wrapped += wrap(hard, width)
        self._lines.replace(line, wrapped, style)
        self._last_start = text.rfind("\n") + 1
        return self._lines, line
