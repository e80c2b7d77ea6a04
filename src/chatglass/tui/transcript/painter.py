"""Laid-out lines as painted lines: gutter, ground, marks, filters; and a cache of them."""

from __future__ import annotations

from collections import OrderedDict

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from chatglass.tui.transcript.look import Look
from chatglass.tui.transcript.strips import Span, restyle
from chatglass.tui.transcript.view import View

KEPT_PAINTED = 1_500
"""Painted lines that are kept, some 30 screens."""

_Key = tuple[int, int]
_Made = tuple[Strip, Look, int, bool, tuple[Span, ...]]


class Painter:
    """Remembers a painted line for as long as its laid-out strip is the same object."""

    def __init__(self) -> None:
        self.painted = 0
        """Lines painted anew so far."""
        self._cache: OrderedDict[_Key, tuple[View, _Made, Strip]] = OrderedDict()
        self._blank: tuple[Look, int, Strip] | None = None

    def line(
        self, view: View, line: int, width: int, *, marked: bool, spans: tuple[Span, ...]
    ) -> Strip:
        """A line of an item in exactly `width` cells; `marked`: the cursor is on it."""
        source = view.line(line)
        look = view.setting.look
        made: _Made = (source, look, width, marked, spans)
        key = (id(view), line)
        kept = self._cache.get(key)
        if kept is not None and kept[0] is view and _same(kept[1], made):
            self._cache.move_to_end(key)
            return kept[2]
        painted = _paint(source, look, width, view.barred(line), marked, spans)
        self.painted += 1
        self._cache[key] = (view, made, painted)
        if len(self._cache) > KEPT_PAINTED:
            self._cache.popitem(last=False)
        return painted

    def blank(self, look: Look, width: int) -> Strip:
        if self._blank is None or self._blank[0] is not look or self._blank[1] != width:
            strip = _filtered(Strip([Segment(" " * width, look.base)], width), look)
            self._blank = (look, width, strip)
        return self._blank[2]

    def centred(self, text: str, look: Look, width: int) -> Strip:
        strip = Strip([Segment(text.center(width), look.base + look.muted)])
        return _filtered(strip.adjust_cell_length(width, look.base), look)


def _same(kept: _Made, made: _Made) -> bool:
    return kept[0] is made[0] and kept[1] is made[1] and kept[2:] == made[2:]


def _paint(
    source: Strip, look: Look, width: int, barred: bool, marked: bool, spans: tuple[Span, ...]
) -> Strip:
    ground = look.prompt if barred else look.base
    if marked:
        gutter = Segment("▌ ", ground + look.marker)
    elif barred:
        gutter = Segment("▎ ", ground + look.bar)
    else:
        gutter = Segment("  ", ground)
    if spans:
        source = restyle(source, spans)
    segments = [gutter]
    segments.extend(
        Segment(text, _over(ground, style) if style else ground) for text, style, _ in source
    )
    strip = Strip(segments, source.cell_length + 2).adjust_cell_length(width, ground)
    return _filtered(strip, look)


_mixed: dict[tuple[Style, Style], Style] = {}


def _over(ground: Style, style: Style) -> Style:
    """`style` over `ground`; remembered, since adding rich styles is most of painting."""
    key = (ground, style)
    mixed = _mixed.get(key)
    if mixed is None:
        if len(_mixed) > 4096:
            _mixed.clear()
        mixed = _mixed[key] = ground + style
    return mixed


def _filtered(strip: Strip, look: Look) -> Strip:
    for line_filter in look.filters:
        strip = strip.apply_filter(line_filter, look.background)
    return strip
