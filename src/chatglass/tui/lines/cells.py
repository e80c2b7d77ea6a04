"""Fitting text into cells of a row. Texts given here are already one visible line."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Literal

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

Cell = tuple[str, Style | None]
"""A piece of a row and its style; None is the row's own."""

Layer = tuple[int, int, Style]
"""A stretch of a row, from and to which character, and the style laid over it."""


def fit(text: str, width: int, align: Literal["left", "right"] = "left") -> str:
    """`text` in exactly `width` cells: padded, or cut with an ellipsis."""
    if width <= 0:
        return ""
    cells = cell_len(text)
    if cells > width:
        return set_cell_size(text, width - 1) + "…"
    return " " * (width - cells) + text if align == "right" else text + " " * (width - cells)


def row(cells: Iterable[Cell]) -> Strip:
    """The pieces side by side."""
    return Strip([Segment(text, style) for text, style in cells if text])


def layered(text: str, layers: Sequence[Layer]) -> Strip:
    """`text` with the layers laid over each other, later ones on top."""
    if not layers:
        return Strip([Segment(text)]) if text else Strip([])
    cuts = sorted({0, len(text), *(min(edge, len(text)) for a, b, _ in layers for edge in (a, b))})
    segments: list[Segment] = []
    for left, right in pairwise(cuts):
        style = Style.null()
        for a, b, layer in layers:
            if a <= left and right <= b:
                style += layer
        segments.append(Segment(text[left:right], style))
    return Strip(segments)
