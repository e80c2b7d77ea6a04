"""CompareView: two texts line by line, side by side where it is wide, else one below the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from rich.segment import Segment
from rich.style import Style
from textual.binding import Binding, BindingType
from textual.strip import Strip

from chatglass.chat.calls.line_diff import Compared, Row, changed_part
from chatglass.tui.lines.cells import Layer, layered
from chatglass.tui.lines.line_view import LineView
from chatglass.values.figures import counted
from chatglass.values.text import visible

SIDE_BY_SIDE = 96
"""Columns from which both texts stand beside each other."""
AROUND = 3
"""Lines that are the same and are shown around a difference."""
FIRST = 12
"""Lines that are shown of texts that are the same."""
LONGEST = 4_000
"""Characters of a line that can be looked at."""
_STEP = 8

Sign = Literal[" ", "-", "+", "~"]
_LOOKS: dict[Sign, str] = {" ": "", "-": "removed", "+": "added", "~": "changed"}


@dataclass(frozen=True, slots=True)
class Part:
    """What is compared under one heading."""

    title: str
    compared: Compared
    note: str = ""


@dataclass(frozen=True, slots=True)
class _Line:
    """A line of the view: `row` of a comparison, or `text` of its own."""

    look: Literal["title", "note", "fold", "row", "left", "right"]
    text: str = ""
    row: Row | None = None


class CompareView(LineView):
    """Differences are marked by signs (`-` only left, `+` only right, `~` changed) and colours."""

    DEFAULT_CSS = """
    CompareView > .compare--title { text-style: bold; color: $text-primary; }
    CompareView > .compare--note { color: $text-warning; }
    CompareView > .compare--fold { color: $foreground 70%; }
    CompareView > .compare--removed { color: $text-error; }
    CompareView > .compare--added { color: $text-success; }
    CompareView > .compare--changed { color: $text-warning; }
    CompareView > .compare--part { text-style: bold underline; }
    CompareView > .compare--rule { color: $foreground 30%; }
    CompareView > .compare--current { background: $foreground 12%; }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        f"compare--{part}"
        for part in (
            *("title", "note", "fold", "removed", "added", "changed", "part", "rule", "current"),
        )
    }
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "shift(-1)", "Earlier in the lines", show=False),
        Binding("right", "shift(1)", "Later in the lines", show=False),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._parts: Sequence[Part] = ()
        self._lines: list[_Line] = []
        self._starts: list[int] = []
        """The line of each difference's beginning."""
        self._current = -1
        self._shift = 0
        self.folded = True
        self._side_by_side = True

    # -- what is shown

    def load(self, parts: Sequence[Part]) -> None:
        self._parts = parts
        self._lay_out()

    @property
    def differences(self) -> int:
        return sum(part.compared.differences for part in self._parts)

    @property
    def current(self) -> int:
        """Number of the difference that was gone to, from 1; 0 where none was."""
        return self._current + 1

    def toggle_folded(self) -> None:
        """Show the lines that are the same, or only those around differences."""
        self.folded = not self.folded
        self._lay_out()

    def step(self, step: int) -> None:
        """Go to the next difference (1) or the one before (-1), round the ends."""
        if self._starts:
            first = 0 if step > 0 else -1
            self._current = (
                (self._current + step) % len(self._starts)
                if self._current >= 0
                else first % len(self._starts)
            )
            self.jump_to(y=self._starts[self._current] - AROUND)
            self.refresh()

    def action_shift(self, step: int) -> None:
        self._shift = min(max(0, self._shift + step * _STEP), LONGEST)
        self.refresh()

    def on_resize(self) -> None:
        if (self.size.width >= SIDE_BY_SIDE) != self._side_by_side:
            self._lay_out()

    def _lay_out(self) -> None:
        self._side_by_side = self.size.width >= SIDE_BY_SIDE
        self._lines, self._starts, self._current = [], [], -1
        for part in self._parts:
            if self._lines:
                self._lines.append(_Line("note"))
            count = part.compared.differences
            told = "the same" if not count else counted(count, "difference")
            if part.compared.rows:
                self._lines.append(_Line("title", f"{part.title}: {told}"))
            else:
                self._lines.append(_Line("title", part.title))
            notes = [*part.compared.notes, part.note]
            self._lines += [_Line("note", note) for note in notes if note]
            self._lay_out_rows(part.compared.rows)
        self.lines_changed()

    def _lay_out_rows(self, rows: Sequence[Row]) -> None:
        at = 0
        while at < len(rows):
            end = at
            is_same = rows[at].kind == "same"
            while end < len(rows) and (rows[end].kind == "same") == is_same:
                end += 1
            run = rows[at:end]
            if is_same:
                self._same(run, begins=at == 0, ends=end == len(rows))
            else:
                self._starts.append(len(self._lines))
                self._different(run)
            at = end

    def _same(self, run: Sequence[Row], *, begins: bool, ends: bool) -> None:
        before = (FIRST if ends else 0) if begins else AROUND
        after = 0 if ends else AROUND
        hidden = len(run) - before - after
        if not self.folded or hidden < AROUND:
            self._lines += [_Line("row", row=row) for row in run]
            return
        self._lines += [_Line("row", row=row) for row in run[:before]]
        self._lines.append(_Line("fold", f"⋯ {counted(hidden, 'line')} the same"))
        self._lines += [_Line("row", row=row) for row in run[len(run) - after :]]

    def _different(self, run: Sequence[Row]) -> None:
        if self._side_by_side:
            self._lines += [_Line("row", row=row) for row in run]
            return
        self._lines += [_Line("left", row=row) for row in run if row.left is not None]
        self._lines += [_Line("right", row=row) for row in run if row.right is not None]

    # -- LineView

    def line_count(self) -> int:
        return len(self._lines)

    def paint_line(self, y: int, width: int) -> Strip:
        line = self._lines[y]
        if line.row is None:
            style = self.part_style(f"compare--{line.look}")
            return Strip([Segment(visible(line.text), style)]).adjust_cell_length(width)
        strip = self._paint_row(line, line.row, width).adjust_cell_length(width)
        if self._current >= 0 and y == self._starts[self._current]:
            strip = strip.apply_style(self.part_style("compare--current"))
        return strip

    def _paint_row(self, line: _Line, row: Row, width: int) -> Strip:
        left, right = _shown(row.left, self._shift), _shown(row.right, self._shift)
        parts = changed_part(left, right) if row.kind == "changed" else ((0, 0), (0, 0))
        if not self._side_by_side:
            if line.look == "right":
                return self._half("+", right, parts[1], width)
            return self._half(" " if row.kind == "same" else "-", left, parts[0], width)
        half = (width - 3) // 2
        rule = Strip([Segment(" │ ", self.part_style("compare--rule"))], 3)
        signs: tuple[Sign, Sign] = {
            "same": (" ", " "),
            "changed": ("~", "~"),
            "left": ("-", " "),
            "right": (" ", "+"),
        }[row.kind]  # pyright: ignore[reportAssignmentType]
        return Strip.join(
            [
                self._half(signs[0], left, parts[0], half),
                rule,
                self._half(signs[1], right, parts[1], width - half - 3),
            ]
        )

    def _half(self, sign: Sign, text: str, part: tuple[int, int], width: int) -> Strip:
        look = _LOOKS[sign]
        style = self.part_style(f"compare--{look}") if look else Style.null()
        shown = f"{sign} {text}"
        layers: list[Layer] = [(0, len(shown), style)] if look else []
        if part[1] > part[0] and look:
            layers.append((part[0] + 2, part[1] + 2, self.part_style("compare--part")))
        return layered(shown, layers).adjust_cell_length(width)


def _shown(text: str | None, shift: int) -> str:
    if not text:
        return ""
    return visible(text[:LONGEST]).expandtabs(4)[shift:]
