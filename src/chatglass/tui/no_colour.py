"""NO_COLOR: what is drawn without any colour (https://no-color.org).

Textual's own filter turns colours into greys, which are colours too for a terminal.
"""

from __future__ import annotations

from functools import lru_cache

from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.filter import LineFilter, Monochrome

_STANDS_OUT = 0.2
"""Difference in brightness from which a background says something, such as which row is chosen; it
is drawn reversed then."""


class NoColour(LineFilter):
    """Attributes alone: bold, dim, underlined, reversed."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        base = round(background.brightness, 2)
        return [
            Segment(text, style and _without_colour(style, base), control)
            for text, style, control in segments
        ]


@lru_cache(4096)
def _without_colour(style: Style, base: float) -> Style:
    plain = style.without_color
    if style.bgcolor is None or style.bgcolor.is_default:
        return plain
    there = Color.from_rich_color(style.bgcolor).brightness
    return plain + Style(reverse=not style.reverse) if abs(there - base) > _STANDS_OUT else plain


def filters_without_colour(filters: list[LineFilter]) -> list[LineFilter]:
    """An app's filters with this one in the place of Textual's."""
    return [NoColour() if isinstance(each, Monochrome) else each for each in filters]
