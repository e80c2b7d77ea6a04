"""Tables: aligned columns that shrink to the width, or one line a cell where that is too narrow."""

from __future__ import annotations

from rich.segment import Segment
from rich.style import Style

from chatglass.tui.markdown.blocks import Align, Table
from chatglass.tui.markdown.inline import flat, inline_runs
from chatglass.tui.markdown.look import MarkdownLook
from chatglass.tui.markdown.pipes import row_cells
from chatglass.tui.markdown.wrap import Row, Run, wrap

_GAP, _CROSS = " │ ", "─┼─"
_NARROWEST = 5  # cells of a column; with less room the rows are stacked
_LONGEST_CELL = 2_000  # characters; the markup in a longer one is shown as it is

Cells = list[list[Run]]


class TableView:
    """Rows of one growing table. Finished rows are laid out anew only when a column's width changes."""

    def __init__(self, width: int, look: MarkdownLook) -> None:
        self._width = width
        self._look = look
        self._shape: tuple[str, tuple[Align, ...]] | None = None
        self._begin(0)

    def _begin(self, count: int) -> None:
        self._cells: list[Cells] = []  # of settled rows, the header first
        self._natural = [1] * count  # the widest cell of each column, of settled rows
        self._columns: list[int] | None = None
        self._kept = 0  # rows on screen of settled rows of the table

    def update(self, leaf: Table, settled: int, final: bool) -> tuple[int, list[Row]]:
        """As `CodeView.update`."""
        settled = len(leaf.lines) if final else max(1, min(settled, len(leaf.lines)))
        shape = (leaf.lines[0], leaf.aligns)
        if self._shape != shape or settled < len(self._cells):
            self._begin(len(leaf.aligns))
            self._shape = shape
        known = len(self._cells)
        for line in leaf.lines[known:settled]:
            cells = self._read(line, len(self._cells) == 0, len(leaf.aligns))
            self._cells.append(cells)
            self._natural = list(map(max, self._natural, map(self._cell_width, cells)))
        open_rows = [self._read(line, False, len(leaf.aligns)) for line in leaf.lines[settled:]]
        natural = self._natural
        for cells in open_rows:
            natural = list(map(max, natural, map(self._cell_width, cells)))
        columns = fit_columns(natural, self._width - len(_GAP) * (len(natural) - 1))
        first = known
        if columns != self._columns or known == 0:
            self._columns, self._kept, first = columns, 0, 0
        kept = self._kept
        rows: list[Row] = []
        for index, cells in enumerate(self._cells[first:], first):
            rows += self._lay(cells, index, leaf.aligns)
        self._kept += len(rows)
        for index, cells in enumerate(open_rows, len(self._cells)):
            rows += self._lay(cells, index, leaf.aligns)
        return kept, rows

    def _read(self, line: str, header: bool, count: int) -> Cells:
        base = self._look.text
        if header:
            base = self._look.mix(base, self._look.strong)
        texts = row_cells(line)[:count]
        cells = [
            inline_runs(text, base, self._look)
            if len(text) <= _LONGEST_CELL
            else [(flat(text), base)]
            for text in texts
        ]
        return cells + [[] for _ in range(count - len(cells))]

    def _cell_width(self, cell: list[Run]) -> int:
        """Cells of `cell` on one line, as far as they matter: no column is wider than the table."""
        rows, _ = wrap(cell, self._width)
        return max(cells for _, cells in rows)

    def _lay(self, cells: Cells, index: int, aligns: tuple[Align, ...]) -> list[Row]:
        if self._columns is None:
            return self._stacked(cells, index)
        wrapped = [wrap(cell, room)[0] for cell, room in zip(cells, self._columns, strict=True)]
        height = max(map(len, wrapped))
        rows = [self._side_by_side(wrapped, line, aligns) for line in range(height)]
        if index == 0:
            line = _CROSS.join("─" * room for room in self._columns)
            rows.append(([Segment(line, self._look.border)], len(line)))
        return rows

    def _side_by_side(self, wrapped: list[list[Row]], line: int, aligns: tuple[Align, ...]) -> Row:
        segments: list[Segment] = []
        used = 0
        assert self._columns is not None
        for column, room in enumerate(self._columns):
            if column:
                segments.append(Segment(_GAP, self._look.border))
                used += len(_GAP)
            rows = wrapped[column]
            parts, cells = rows[line] if line < len(rows) else ([], 0)
            spare = room - cells
            left = {"left": 0, "right": spare, "center": spare // 2}[aligns[column]]
            right = spare - left if column < len(self._columns) - 1 else 0
            segments += _blank(left) + parts + _blank(right)
            used += left + cells + right
        return segments, used

    def _stacked(self, cells: Cells, index: int) -> list[Row]:
        """`Header: value` lines; of the header row nothing, unless it is all there is yet."""
        if index == 0:
            rows: list[Row] = []
            for cell in cells:
                rows += wrap(cell, self._width)[0]
            rule = "─" * min(self._width, 12)
            return [*rows, ([Segment(rule, self._look.border)], len(rule))]
        rows = []
        for name, cell in zip(self._cells[0], cells, strict=True):
            if cell:
                colon: list[Run] = [(": ", self._look.text)] if name else []
                rows += wrap([*name, *colon, *cell], self._width)[0]
        rule = "─" * min(self._width, 3)
        return [*rows, ([Segment(rule, self._look.border)], len(rule))]


def fit_columns(natural: list[int], room: int) -> list[int] | None:
    """Widths that add up to at most `room`, the widest columns cut first; None where there is no room."""
    if sum(natural) <= room:
        return natural
    if sum(min(_NARROWEST, cells) for cells in natural) > room:
        return None
    left, most = room, 0
    todo = sorted(natural)
    for index, cells in enumerate(todo):
        most = left // (len(todo) - index)
        if cells > most:
            break
        left -= cells
    columns = [min(cells, most) for cells in natural]
    spare = room - sum(columns)
    for index, cells in enumerate(natural):
        if spare and cells > columns[index]:
            columns[index] += 1
            spare -= 1
    return columns


def _blank(cells: int) -> list[Segment]:
    return [Segment(" " * cells, Style.null())] if cells else []
