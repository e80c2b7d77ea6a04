"""A row of the meter: styled pieces, to be tested as data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from rich.cells import cell_len

Tone = Literal[
    "",
    "label",
    "value",
    "good",
    "warning",
    "error",
    # The parts of the context, in the bar and in its legend.
    "system",
    "tools",
    "summary",
    "history",
    "results",
    "draft",
]


@dataclass(frozen=True, slots=True)
class Row:
    """One line. `rank` says how soon it goes where the height is short: the greatest first."""

    rank: int
    pieces: tuple[tuple[str, Tone], ...]

    @property
    def text(self) -> str:
        return "".join(text for text, _ in self.pieces)


def pair(rank: int, label: str, value: str, width: int, tone: Tone = "value") -> Row:
    """Label left, value right; the label gives way."""
    room = max(0, width - cell_len(value) - 1)
    label = label[:room]
    gap = max(1, width - cell_len(label) - cell_len(value))
    return Row(rank, ((label, "label"), (" " * gap, ""), (value, tone)))
