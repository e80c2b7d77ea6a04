"""A scroll bar that costs little: whole cells, styles that are kept."""

from __future__ import annotations

from functools import lru_cache
from math import ceil

from rich.console import Console, ConsoleOptions, RenderResult
from rich.segment import Segment, Segments
from rich.style import Style
from textual.scrollbar import ScrollBarRender


class LightScrollBar(ScrollBarRender):
    """A thin thumb (`▐`); assign it to `ScrollBar.renderer`."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        size = options.height or console.height
        style = console.get_style(self.style)
        first, last = thumb(size, int(self.virtual_size), self.window_size, self.position)
        above = _cell(style, " ", "scroll_up")
        handle = _cell(style, "▐", "grab")
        below = _cell(style, " ", "scroll_down")
        yield Segments(
            [above] * first + [handle] * (last - first) + [below] * (size - last), new_lines=True
        )


@lru_cache(64)
def _cell(style: Style, text: str, action: str) -> Segment:
    """A cell; the metadata is what Textual's ScrollBar acts on."""
    return Segment(text, style + Style(meta={"@mouse.down": action}))


def thumb(size: int, total: int, window: int, position: float) -> tuple[int, int]:
    """(first row, one behind the last) of the thumb in a bar of `size` rows; (0, 0) for none.

    It touches an end of the bar only where the view does.
    """
    if total <= window or size <= 0 or window <= 0:
        return 0, 0
    length = min(size, max(1, ceil(size * window / total)))
    free = size - length
    first = round(free * position / (total - window))
    if free > 1:
        first = max(first, 1) if position > 0 else 0
        first = min(first, free - 1) if position < total - window else free
    return first, first + length
