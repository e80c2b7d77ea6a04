"""A picture in cells: each shows two pixels, one above the other, as `▀` in two colours."""

from __future__ import annotations

import io
from itertools import groupby

from rich.color import Color
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from chatglass.values.images import look_at

_FORMATS = ("PNG", "JPEG", "GIF", "WEBP", "BMP")
_MOST_PIXELS = 50_000_000
"""Of a picture that is decoded: 200 MB."""
_LONGEST_SIDE = 30_000
"""Each row costs Pillow memory of its own: 1 × 50,000,000 pixels, a PNG of 97 kB, took 4 GB."""

Pixel = tuple[int, int, int]


class NoPicture(Exception):
    """There is no preview. `str()` says why."""


def may_be_shown(wide: int, high: int) -> bool:
    """Whether a picture of so many pixels is decoded."""
    return 0 < wide * high <= _MOST_PIXELS and max(wide, high) <= _LONGEST_SIDE


def fitted(wide: int, high: int, most_columns: int, most_rows: int) -> tuple[int, int]:
    """The columns and the lines of pixels, two to a row of cells, in which a picture of that many
    pixels is shown: as large as fits, and no larger than it is."""
    share = min(most_columns / wide, most_rows * 2 / high, 1.0)
    return max(1, round(wide * share)), max(1, round(high * share))


def scaled(data: bytes, most_columns: int, most_rows: int) -> list[list[Pixel]]:
    """Rows of pixels, an even number of them, that fit into that many cells. For a thread; its
    decoder lets other threads run. Raises NoPicture."""
    try:
        from PIL import Image, UnidentifiedImageError
    except ImportError:
        raise NoPicture("A preview needs Pillow: install chatglass[images].") from None
    try:
        # Before Pillow, which warns on stderr of some sizes.
        if facts := look_at(data):
            _check(facts.width, facts.height)
        with Image.open(io.BytesIO(data), formats=_FORMATS) as image:
            wide, high = image.size
            _check(wide, high)
            columns, lines = fitted(wide, high, most_columns, most_rows)
            image.draft("RGB", (columns, lines))
            # Converting the whole of it would take four bytes a pixel once more.
            coarse = image.resize(
                (min(image.width, columns * 4), min(image.height, lines * 4)),
                Image.Resampling.NEAREST,
            )
            flat = coarse.convert("RGBA").resize((columns, lines))
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:  # fmt: skip
        raise NoPicture(f"It can't be shown: {error}") from error
    ground = Image.new("RGBA", flat.size, (128, 128, 128, 255))
    raw = Image.alpha_composite(ground, flat).convert("RGB").tobytes()
    rows = [
        [(raw[at], raw[at + 1], raw[at + 2]) for at in range(start, start + columns * 3, 3)]
        for start in range(0, len(raw), columns * 3)
    ]
    return rows if len(rows) % 2 == 0 else [*rows, [(0, 0, 0)] * columns]


def _check(wide: int, high: int) -> None:
    """Raises NoPicture."""
    if not may_be_shown(wide, high):
        raise NoPicture(f"{wide:,} × {high:,} pixels are too many for a preview.")


def strips(rows: list[list[Pixel]], indent: int = 0) -> list[Strip]:
    """Lines of cells, a pair of rows in each, behind so many blank ones."""
    return [
        Strip([Segment(" " * indent), *_cells(above, below)] if indent else _cells(above, below))
        for above, below in zip(rows[::2], rows[1::2], strict=True)
    ]


def _cells(above: list[Pixel], below: list[Pixel]) -> list[Segment]:
    return [
        Segment(
            "▀" * sum(1 for _ in same),
            Style(color=Color.from_rgb(*upper), bgcolor=Color.from_rgb(*lower)),
        )
        for (upper, lower), same in groupby(zip(above, below, strict=True))
    ]
