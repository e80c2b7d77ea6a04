"""Cuts a text of any size into the rows of a screen.

A row is a slice of the text, so that rows cost four bytes each and copying needs no puzzle: row
`i` goes from `starts[i]` to `starts[i + 1]`, less the newline. The table grows in slices of time.
"""

from __future__ import annotations

import time
from array import array
from bisect import bisect_right
from itertools import accumulate, repeat
from operator import add

from rich.cells import get_character_cell_size

from chatglass.values.text import visible

TAB = "    "
LONGEST_ROW = 4096
"""Characters of a row where lines aren't wrapped: a line of 5 MB must not be one row."""
_BLOCK = 16_384
"""Characters cut at once: 0.1 ms where all are ASCII, 3 ms where each must be measured."""


class _Shown(dict[str, str]):
    """Character → what stands for it on screen; filled as characters come."""

    def __missing__(self, character: str) -> str:
        shown = self[character] = TAB if character == "\t" else visible(character)
        return shown


class _Cells(dict[str, int]):
    """Character → cells it takes on screen."""

    def __missing__(self, character: str) -> int:
        shown = SHOWN[character]
        cells = len(shown) if shown != character else get_character_cell_size(character)
        self[character] = cells
        return cells


SHOWN = _Shown()
_CELLS = _Cells()
# Variation selector 16 widens the character before it.
_CELLS["\ufe0f"] = 1


def shown(text: str) -> tuple[str, list[int] | None]:
    """A row as it stands on screen, and where each of its characters begins in that.

    The places have one entry more than `text` has characters; None where they are 0, 1, 2, …
    """
    if text.isprintable():
        return text, None
    parts = [SHOWN[character] for character in text]
    places = [0, *accumulate(map(len, parts))]
    joined = "".join(parts)
    return joined, None if joined == text else places


class DisplayRows:
    """The rows of `text`, at most `width` cells each where `wrap`, else at most LONGEST_ROW characters.

    `by_word` prefers to cut wrapped lines behind a blank, which may then stand one cell beyond.
    """

    def __init__(self, text: str, width: int, *, wrap: bool, by_word: bool) -> None:
        self.text = text
        self.width = max(1, width)
        self.wrap = wrap
        self.by_word = by_word
        self.starts = array("Q")
        self.widest = 0
        """Cells of the widest row so far where lines aren't wrapped, else 0."""
        self._done = 0
        self.complete = False

    def __len__(self) -> int:
        return len(self.starts)

    def span(self, index: int) -> tuple[int, int]:
        """Where row `index` begins and ends in the text, without its newline."""
        start = self.starts[index]
        end = self.starts[index + 1] if index + 1 < len(self.starts) else self._done
        if end > start and self.text[end - 1] == "\n":
            end -= 1
        return start, end

    def row_at(self, offset: int) -> int:
        """The row that holds the character at `offset`; the last one there is for those beyond."""
        return max(0, bisect_right(self.starts, offset) - 1)

    def grow(self, seconds: float | None = None) -> bool:
        """Go on for about that long, or to the end; True once all rows are there."""
        # Of our own time: a busy machine would make many slices of a few rows.
        deadline = None if seconds is None else time.thread_time() + seconds
        while not self.complete:
            self._grow_block()
            if deadline is not None and time.thread_time() >= deadline:
                break
        return self.complete

    def _grow_block(self) -> None:
        """Cut the lines that end in the next block, and all of the line that goes on beyond it
        as far as the block's end."""
        text, start = self.text, self._done
        end = min(start + _BLOCK, len(text))
        last = end == len(text)
        if not last:
            newline = text.rfind("\n", start, end)
            # A line longer than a block is cut where a row ends, which `_cut_line` tells.
            end = newline + 1 if newline >= 0 else end
        block = text[start:end]
        lines = block.split("\n")
        whole = block.endswith("\n")
        if whole:
            lines.pop()
        lengths = list(map(len, lines))
        simple = block.isascii() and "\t" not in block
        if (
            simple
            and max(lengths) <= (self.width if self.wrap else LONGEST_ROW)
            and (whole or last)
        ):
            self.starts.extend(accumulate(map(add, lengths[:-1], repeat(1)), initial=start))
            if not self.wrap:
                self.widest = max(self.widest, max(lengths))
            self._done = end
        else:
            self._cut_lines(lines, start, open_end=not (whole or last))
        if last and self._done >= len(text):
            self.complete = True

    def _cut_lines(self, lines: list[str], start: int, *, open_end: bool) -> None:
        """Cut `lines`, the first at offset `start`; the last goes on beyond where `open_end`."""
        for number, line in enumerate(lines):
            final = number == len(lines) - 1
            taken = self._cut_line(line, start, open_end=open_end and final)
            start += taken if open_end and final else len(line) + 1
        self._done = min(start, len(self.text))

    def _cut_line(self, line: str, offset: int, *, open_end: bool) -> int:
        """Add the rows of one line; the characters used up, which are all unless `open_end`."""
        simple = line.isascii() and "\t" not in line
        length = len(line)
        if not self.wrap:
            self._widen(line, simple)
            cut = self._ends_by_count(length, LONGEST_ROW)
        elif simple and not self.by_word:
            cut = self._ends_by_count(length, self.width)
        else:
            cut = self._ends_by_cells(line, simple)
        if open_end and len(cut) > 1:
            cut.pop()
        self.starts.append(offset)
        self.starts.extend(offset + end for end in cut[:-1])
        return cut[-1]

    def _widen(self, line: str, simple: bool) -> None:
        if len(line) * (1 if simple else len(TAB)) > self.widest:
            rows = (line[at : at + LONGEST_ROW] for at in range(0, len(line), LONGEST_ROW))
            widest = max(
                (len(r) if simple else sum(map(_CELLS.__getitem__, r)) for r in rows), default=0
            )
            self.widest = max(self.widest, widest)

    @staticmethod
    def _ends_by_count(length: int, count: int) -> list[int]:
        return [*range(count, length, count), length]

    def _ends_by_cells(self, line: str, simple: bool) -> list[int]:
        ends: list[int] = []
        at, length, width = 0, len(line), self.width
        while True:
            if simple:
                end = at + width
            else:
                cells = list(accumulate(map(_CELLS.__getitem__, line[at : at + width])))
                end = at + max(1, bisect_right(cells, width))
            if end >= length:
                ends.append(length)
                return ends
            if self.by_word:
                # A blank at the edge hangs over it unseen, instead of beginning the next row.
                blank = end if line[end] == " " else line.rfind(" ", at + width // 2, end)
                end = blank + 1 if blank >= 0 else end
                if end == length:
                    ends.append(length)
                    return ends
            ends.append(end)
            at = end
