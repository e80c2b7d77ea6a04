"""The meter: the figures of the session, redrawn on events and never relaid out."""

from __future__ import annotations

import time
from collections.abc import Callable

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region, Size
from textual.strip import Strip
from textual.timer import Timer
from textual.widget import Widget

from chatglass.chat.stats import TokenStats
from chatglass.tui.component_style import component_style
from chatglass.tui.meter.row import Row, Tone
from chatglass.tui.meter.rows import meter_rows

SHORTEST_INTERVAL = 0.1
"""Seconds between two drawings: ten a second."""


class Meter(Widget):
    """A panel of figures. `show(stats)` may be called as often as one likes."""

    DEFAULT_CSS = """
    Meter { width: 1fr; height: 1fr; }
    Meter > .meter--label { color: $text-muted; }
    Meter > .meter--value { color: $text; }
    Meter > .meter--good { color: $text-success; }
    Meter > .meter--warning { color: $text-warning; text-style: bold; }
    Meter > .meter--error { color: $text-error; text-style: bold; }
    Meter > .meter--system { color: $text-secondary; }
    Meter > .meter--tools { color: $text-primary; }
    Meter > .meter--summary { color: $text-warning; }
    Meter > .meter--history { color: $text-success; }
    Meter > .meter--results { color: $text-accent; }
    Meter > .meter--draft { color: $text; text-style: bold; }
    """
    COMPONENT_CLASSES = {
        "meter--label",
        "meter--value",
        "meter--good",
        "meter--warning",
        "meter--error",
        "meter--system",
        "meter--tools",
        "meter--summary",
        "meter--history",
        "meter--results",
        "meter--draft",
    }

    def __init__(
        self, *, id: str | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__(id=id)
        self.border_title = "Meter"
        self._clock = clock
        self._stats = TokenStats()
        self._drawn_at = float("-inf")
        self._later: Timer | None = None
        self._rows: list[Row] | None = None
        self._styles: dict[Tone, Style] = {}
        """Of one painting: to look one up walks through all ancestors."""
        self.drawings = 0
        """How often new figures were drawn, for tests and the debug screen."""

    @property
    def stats(self) -> TokenStats:
        return self._stats

    def show(self, stats: TokenStats) -> None:
        """Show these figures: at once, or within 0.1 s of the last drawing."""
        if stats == self._stats and self._rows is not None:
            return
        self._stats = stats
        if self._later is not None:
            return
        wait = self._drawn_at + SHORTEST_INTERVAL - self._clock()
        if wait <= 0 or not self.is_attached:
            self._draw()
        else:
            self._later = self.set_timer(wait, self._draw)

    def _draw(self) -> None:
        self._later = None
        self._drawn_at = self._clock()
        self._rows = None
        self.drawings += 1
        source = "free" if self._stats.free else self._stats.source
        if self._stats.requests and self.border_subtitle != source:
            self.border_subtitle = source
        self.refresh()

    def on_resize(self) -> None:
        self._rows = None

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return len(meter_rows(self._stats, width, 100))

    def render_line(self, y: int) -> Strip:
        width, height = self.size
        if self._rows is None:
            self._rows = meter_rows(self._stats, width, height)
        base = self._style("")
        if y >= len(self._rows):
            return Strip.blank(width, base)
        segments = [Segment(text, self._style(tone)) for text, tone in self._rows[y].pieces]
        return Strip(segments).adjust_cell_length(width, base)

    def render_lines(self, crop: Region) -> list[Strip]:
        self._styles.clear()
        return super().render_lines(crop)

    def _style(self, tone: Tone) -> Style:
        style = self._styles.get(tone)
        if style is None:
            style = self.rich_style
            if tone:
                style += component_style(self, f"meter--{tone}")
            self._styles[tone] = style
        return style
