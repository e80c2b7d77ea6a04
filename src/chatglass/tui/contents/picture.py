"""A picture in cells: each shows two pixels, one above the other, as `▀` in two colours."""

from __future__ import annotations

import io
from collections.abc import Callable

from rich.color import Color
from rich.segment import Segment
from rich.style import Style
from textual import work
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from chatglass.tools.threads import in_thread
from chatglass.values.images import look_at

_FORMATS = ("PNG", "JPEG", "GIF", "WEBP", "BMP")
_MOST_PIXELS = 50_000_000
"""Of a picture that is decoded: 200 MB."""
_LONGEST_SIDE = 30_000
"""Each row costs Pillow memory of its own: 1 × 50,000,000 pixels, a PNG of 97 kB, took 4 GB."""

Pixel = tuple[int, int, int]


class NoPicture(Exception):
    """There is no preview. `str()` says why."""


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
            share = min(most_columns / wide, most_rows * 2 / high, 1.0)
            columns, lines = max(1, round(wide * share)), max(1, round(high * share))
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
    if wide * high > _MOST_PIXELS or max(wide, high) > _LONGEST_SIDE:
        raise NoPicture(f"{wide:,} × {high:,} pixels are too many for a preview.")


def strips(rows: list[list[Pixel]]) -> list[Strip]:
    """Lines of cells, a pair of rows in each."""
    return [
        Strip(
            [
                Segment("▀", Style(color=Color.from_rgb(*upper), bgcolor=Color.from_rgb(*lower)))
                for upper, lower in zip(above, below, strict=True)
            ]
        )
        for above, below in zip(rows[::2], rows[1::2], strict=True)
    ]


class Picture(Widget):
    """Shows a picture as large as fits, and no larger than it is."""

    DEFAULT_CSS = "Picture { height: 1fr; width: 1fr; }"

    class NotShown(Message):
        """There is no preview, and why."""

        def __init__(self, reason: str) -> None:
            super().__init__()
            self.reason = reason

    def __init__(self) -> None:
        super().__init__()
        self._read: Callable[[], bytes] | None = None
        self._lines: list[Strip] = []

    def show(self, read: Callable[[], bytes]) -> None:
        """`read` gives the picture's file, in a thread; it may raise ValueError."""
        self._read = read
        self._lines = []
        self.refresh()
        self._draw()

    def on_resize(self) -> None:
        self._draw()

    @work(exclusive=True, group="picture", exit_on_error=False)
    async def _draw(self) -> None:
        read, (columns, rows) = self._read, self.size
        if read is None or not columns or not rows:
            return
        try:
            pixels = await in_thread(lambda stop: scaled(read(), columns, rows))
        except (NoPicture, ValueError) as error:
            self.post_message(self.NotShown(str(error)))
            return
        self._lines = strips(pixels)
        self.refresh()

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        if y >= len(self._lines):
            return Strip.blank(width, self.rich_style)
        return self._lines[y].adjust_cell_length(width, self.rich_style)
