"""Code blocks: highlighted, on a background, long lines wrapped with a sign."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pygments.token import Token
from rich.segment import Segment

from chatglass.tui.markdown.blocks import Code
from chatglass.tui.markdown.highlight import LONGEST_LINE, find_lexer, lex
from chatglass.tui.markdown.look import MarkdownLook
from chatglass.tui.markdown.wrap import Row, Run, chop

if TYPE_CHECKING:
    from pygments.lexer import Lexer

_TAB = 4
_CONTINUED = "↪ "
_PADDED_FROM = 12  # cells; a narrower block has no margin inside
# Lines are lexed in chunks, alike while streaming and at once: a chunk ends at the first blank
# line from the 24th on, or the 60th line, that stands in no string or comment; at the latest at
# the 200th. Each try comes when the lines are half as many again. So neither a frame nor the end of a long block costs more than one chunk.
_CHUNK_FROM, _CHUNK_ANYWHERE, _CHUNK_TO = 24, 60, 200


class CodeView:
    """Rows of one growing code block."""

    def __init__(self, width: int, look: MarkdownLook) -> None:
        self._width = width
        self._look = look
        self._margin = 1 if width >= _PADDED_FROM else 0
        self._info: str | None = None
        self._begin()

    def _begin(self) -> None:
        self._done = 0  # lines in finished chunks
        self._tested = 0  # the chunk is known not to end before this line
        self._kept = 0  # rows of the label and of finished chunks
        self._fresh: list[list[Row]] = []  # rows of each settled line of the open chunk
        self._lexed = 0  # how many of them were lexed together
        # Of a last line too long to be lexed: its number, the text in full rows, and these.
        self._long_at, self._long, self._long_rows = 0, "", 0

    def update(self, leaf: Code, settled: int, final: bool) -> tuple[int, list[Row]]:
        """`settled`: how many lines can't change any more. As `FlowView.update`."""
        lines = leaf.shown
        settled = len(lines) if final else min(settled, len(lines))
        rows: list[Row] = []
        kept = self._kept
        if leaf.info != self._info or settled < self._done + len(self._fresh):
            self._begin()
            self._info = leaf.info
            rows = self._label_rows()
            kept, self._kept = 0, len(rows)
        lexer = find_lexer(leaf.language)
        while (found := self._chunk(lines, settled, lexer)) is not None:
            chunk = [row for line in found for row in self._rows(line)]
            rows += chunk
            self._kept += len(chunk)
            self._done += len(found)
            self._fresh, self._lexed = [], 0
        same = self._extend(lines, settled, lexer, final)
        if not rows:
            kept += sum(len(line) for line in self._fresh[:same])
            rows = [row for line in self._fresh[same:] for row in line]
        else:
            rows += [row for line in self._fresh for row in line]
        if rows or self._long_at != settled or settled == len(lines):
            self._long, self._long_rows, self._long_at = "", 0, settled
        for line in lines[settled:]:
            kept += self._long_rows
            rows += self._open_line(_spaced(line), lexer)
        if not lines and not self._info:
            rows += self._rows([])
        return kept, rows

    def plain(self, leaf: Code) -> list[Row]:
        """All rows of a finished block, without colours but as many as with them; `colour` goes on."""
        self._begin()
        self._info = leaf.info
        rows = self._label_rows()
        self._kept = len(rows)
        style = self._look.token(Token)
        for line in leaf.shown:
            rows += self._rows([(_spaced(line), style)])
        return rows

    def colour(self, leaf: Code) -> tuple[int, list[Row]]:
        """The next rows of a block that was laid out `plain`, in colours, and how many come before
        them; none once all have theirs."""
        lines, at = leaf.shown, self._kept
        lexer = find_lexer(leaf.language)
        found = self._chunk(lines, len(lines), lexer)
        if found is None:
            found, _ = lex([_spaced(line) for line in lines[self._done :]], lexer, self._look)
        rows = [row for line in found for row in self._rows(line)]
        self._done += len(found)
        self._kept += len(rows)
        return at, rows

    def _chunk(self, lines: list[str], settled: int, lexer: Lexer | None) -> list[list[Run]] | None:
        """The lexed lines of the chunk that begins at `_done`, if it has ended."""
        at = max(self._done + _CHUNK_FROM, self._tested)
        while at <= settled:
            size = at - self._done
            if size >= _CHUNK_TO or size >= _CHUNK_ANYWHERE or not lines[at - 1].strip():
                found, inside = lex(
                    [_spaced(line) for line in lines[self._done : at]], lexer, self._look
                )
                if not inside or size >= _CHUNK_TO:
                    self._tested = at
                    return found
                at = min(at + size // 2, self._done + _CHUNK_TO)
            else:
                at += 1
        self._tested = at
        return None

    def _extend(self, lines: list[str], settled: int, lexer: Lexer | None, final: bool) -> int:
        """Bring `_fresh` up to `settled`; how many of its lines stay as they were.

        New lines are lexed alone, and together with the chunk when it has doubled and at the end.
        """
        open_lines = [_spaced(line) for line in lines[self._done : settled]]
        count = len(open_lines)
        if count == len(self._fresh) and (not final or self._lexed == count):
            return count
        if final or count >= 2 * max(1, self._lexed):
            found, _ = lex(open_lines, lexer, self._look)
            self._fresh = [self._rows(runs) for runs in found]
            self._lexed = count
            return 0
        same = len(self._fresh)
        for line in open_lines[same:]:
            self._fresh += [self._rows(runs) for runs in lex([line], lexer, self._look)[0]]
        return same

    def _label_rows(self) -> list[Row]:
        if not self._info:
            return []
        style = self._look.mix(self._look.code_block, self._look.dim)
        return self._framed(chop([(self._info.replace("\t", " "), style)], self._inner()), False)

    def _inner(self) -> int:
        return max(1, self._width - 2 * self._margin)

    def _open_line(self, line: str, lexer: Lexer | None) -> list[Row]:
        """The rows of the line that still grows, without the `_long_rows` that were full before."""
        if len(line) <= LONGEST_LINE or self._inner() < 2:
            return self._rows(lex([line], lexer, self._look)[0][0])
        rows = self._cut([(line[len(self._long) :], self._look.token(Token))], self._long_rows > 0)
        framed = self._framed(rows, self._long_rows > 0)
        full = "".join(segment.text for segments, _ in rows[:-1] for segment in segments)
        self._long += full
        self._long_rows += len(rows) - 1
        return framed

    def _rows(self, runs: list[Run]) -> list[Row]:
        return self._framed(self._cut(runs, False), False)

    def _cut(self, runs: list[Run], continued: bool) -> list[Row]:
        """A line as rows; all but the first, which `continued` leaves out, have room for the sign."""
        inner = self._inner()
        if not self._signed():
            return chop(runs, inner)
        if continued:
            return chop(runs, inner - len(_CONTINUED))
        rows = chop(runs, inner)
        if len(rows) > 1:
            rows[1:] = chop(_after(runs, rows[0]), inner - len(_CONTINUED))
        return rows

    def _signed(self) -> bool:
        return self._inner() > 2 * len(_CONTINUED)

    def _framed(self, rows: list[Row], continued: bool) -> list[Row]:
        ground = self._look.code_block
        framed: list[Row] = []
        for index, (segments, cells) in enumerate(rows):
            parts = [Segment(" " * self._margin, ground)] if self._margin else []
            used = self._margin + cells
            if self._signed() and (index or continued):
                sign = self._look.mix(ground, self._look.dim)
                parts.append(Segment(_CONTINUED, sign))
                used += len(_CONTINUED)
            parts += segments
            if used < self._width:
                parts.append(Segment(" " * (self._width - used), ground))
            framed.append((parts, max(used, self._width)))
        return framed


def _spaced(line: str) -> str:
    return line.expandtabs(_TAB)


def _after(runs: list[Run], head: Row) -> list[Run]:
    """`runs` without the characters of `head`."""
    skip = sum(len(segment.text) for segment in head[0])
    rest: list[Run] = []
    for text, style in runs:
        if skip < len(text):
            rest.append((text[skip:], style))
        skip = max(0, skip - len(text))
    return rest
