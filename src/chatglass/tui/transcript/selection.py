"""Text selected with the mouse, across messages.

Textual keeps a selection as offsets (x, y). Here y is a place, `place(item, line)`, that grows
with the lines but does not move when heights above it are corrected; x counts characters of the
line without its gutter.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from rich.cells import cell_len
from textual.geometry import Offset
from textual.selection import Selection

from chatglass.tui.transcript.view import View

MOST_LINES = 20_000
"""Lines that are copied at most: laying out what is off screen takes time."""

_LINES = 1 << 24
"""More lines than an item can have."""

_MARKUP = re.compile(r"\[([^\]]*)\](\([^)]*\))|[*_`~]+")


def place(item: int, line: int) -> int:
    return item * _LINES + line


def item_and_line(y: int) -> tuple[int, int]:
    return divmod(y, _LINES)


def bounded(selection: Selection, first: int, last: int) -> tuple[Offset, Offset]:
    """The ends of a selection; an open end (the pointer left the transcript) is the first or
    last place on screen, which is what is shown as selected."""
    start = selection.start if selection.start is not None else Offset(0, first)
    end = selection.end if selection.end is not None else Offset(_LINES, last)
    return (start, end) if (start.y, start.x) <= (end.y, end.x) else (end, start)


def span_in(start: Offset, end: Offset, y: int, length: int) -> tuple[int, int] | None:
    """The characters selected in the line at place `y`, which has `length` of them."""
    if not start.y <= y <= end.y:
        return None
    first = start.x if y == start.y else 0
    last = min(length, end.x) if y == end.y else length
    return (first, last) if first < last else None


def selected_text(
    start: Offset,
    end: Offset,
    view_at: Callable[[int], View],
    source_at: Callable[[int], str],
    items: int,
) -> str:
    """The text between two ends; lines that were only wrapped are joined again."""
    pieces: list[str] = []
    previous = ""
    previous_item = -1
    source = ""
    width = 0
    for item, text, whole in _lines(start, end, view_at, items):
        if item != previous_item:
            source = _plain(source_at(item))
            width = view_at(item).setting.width
        if not pieces:
            pieces.append(text)
        elif item == previous_item and whole is not None:
            joint = _joint(previous, whole, source, width)
            if joint is None:
                pieces.append("\n" + text)
            else:
                pieces.append(joint + text.lstrip())
        else:
            pieces.append("\n" + text)
        previous, previous_item = whole or "", item
    return "".join(pieces)


def _lines(
    start: Offset, end: Offset, view_at: Callable[[int], View], items: int
) -> Iterator[tuple[int, str, str | None]]:
    """(item, selected text of the line, all of its text) of each line from `start` to `end`."""
    item, line = item_and_line(start.y)
    last_item, last_line = item_and_line(end.y)
    budget = MOST_LINES
    while item < items and (item, line) <= (last_item, last_line) and budget:
        view = view_at(item)
        stop = min(view.height - 1, last_line) if item == last_item else view.height - 1
        while line <= stop and budget:
            text = view.line(line).text
            y = place(item, line)
            first = start.x if y == start.y else 0
            last = end.x if y == end.y else len(text)
            yield item, text[first:last].rstrip(), text.rstrip()
            line += 1
            budget -= 1
        item, line = item + 1, 0


def _plain(source: str) -> str:
    """Markdown as it is on screen: without most marks, and with the targets of links behind them."""
    return _MARKUP.sub(lambda match: f"{match[1]} {match[2]}" if match[2] else "", source)


def _joint(above: str, below: str, source: str, width: int) -> str | None:
    """What stood between two lines in the source if they are one that was wrapped, else None.

    A wrapped line is one whose next word had no room, and whose words go on in the source without
    a line break.
    """
    upper, lower = above.split(), below.split()
    if not upper or not lower:
        return None
    full = cell_len(above) + 1 + cell_len(lower[0]) > width
    if full and f"{' '.join(upper[-2:])} {' '.join(lower[:2])}" in source:
        return " "
    if cell_len(above) >= width - 1 and upper[-1] + lower[0] in source:
        return ""
    return None


def word_at(text: str, column: int) -> tuple[int, int]:
    """(first character, one behind the last) of the word in a column of cells; equal for none."""
    index = 0
    while index < len(text) and column >= (size := cell_len(text[index])):
        column -= size
        index += 1
    for match in re.finditer(r"[\w./:@~%+-]+", text):
        if match.start() <= index < match.end():
            return match.span()
    return index, index
