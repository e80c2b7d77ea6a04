"""LineView: a scrolling widget that paints lines on demand and owns no child widgets.

It goes round Textual's styles cache, keeping just the lines on screen, and sets its virtual size
without the reactive that lays the screen out again. Borders and padding are better on a container:
with one of its own, it takes the slower way through that cache.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Self, cast

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.reactive import Reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.widget import Widget

from chatglass.tui.component_style import component_style

# Reached through the class it is the descriptor, which its annotation does not say.
_VIRTUAL_SIZE = cast(Reactive[Size], Widget.virtual_size)


class LineView(ScrollView, can_focus=True):
    """Lines by number. A subclass says how many there are and paints one at a time.

    After the number of lines or the width of the widest one changed, call `lines_changed`.
    """

    ALLOW_MAXIMIZE = False
    DEFAULT_CSS = """
    LineView {
        width: 1fr;
        height: 1fr;
        overflow: hidden hidden;
    }
    LineView > .line-view--track { color: $foreground 15%; }
    LineView > .line-view--thumb { color: $foreground 40%; }
    LineView:focus > .line-view--thumb { color: $accent; }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {"line-view--track", "line-view--thumb"}
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+home", "scroll_home", "First line", show=False),
        Binding("ctrl+end", "scroll_end", "Last line", show=False),
    ]

    def __init__(
        self, *, name: str | None = None, id: str | None = None, classes: str | None = None
    ) -> None:
        # First, since the constructor below may already refresh.
        self._painted: dict[int, Strip] = {}
        """Screen line → what stands there, for those that need not be painted again."""
        self._painted_with: object = None
        super().__init__(name=name, id=id, classes=classes)
        self.lines_painted = 0
        """How many lines were asked of `paint_line` since the start; for tests and benchmarks."""
        self._dragging = False

    # -- what a subclass gives

    def line_count(self) -> int:
        """How many lines there are."""
        return 0

    def widest_line(self) -> int:
        """Cells of the widest line; 0 where lines never pass the width of the widget."""
        return 0

    def paint_line(self, y: int, width: int) -> Strip:
        """Line `y` (0 ≤ y < line_count), in full where `widest_line` says so, else `width` cells.

        Where the text can be selected, `selectable` tells the first character's column in it.
        """
        return Strip.blank(width)

    def offset_line(self, strip: Strip, y: int) -> Strip:
        """`strip` with the offsets that text selection needs; as it is where nothing can be selected."""
        return strip

    # -- what a subclass calls

    def lines_changed(self) -> None:
        """Take over a new number of lines; keeps the scroll position where it still exists."""
        self.set_reactive(_VIRTUAL_SIZE, Size(self.widest_line(), self.line_count()))
        if self.scroll_y > self.max_scroll_y or self.scroll_x > self.max_scroll_x:
            self.jump_to(x=self.scroll_x, y=self.scroll_y)
        self.refresh()

    def jump_to(self, *, x: float | None = None, y: float | None = None) -> None:
        """Scroll there at once; positions out of range go to the nearest end."""
        if y is not None:
            self.scroll_target_y = self.scroll_y = min(max(0, y), self.max_scroll_y)
        if x is not None:
            self.scroll_target_x = self.scroll_x = min(max(0, x), self.max_scroll_x)

    def reveal(self, y: int, *, margin: int = 0) -> None:
        """Scroll as little as needed to have line `y` on screen, `margin` lines from an edge."""
        height = self.page_height
        top = round(self.scroll_y)
        margin = min(margin, (height - 1) // 2)
        if y < top + margin:
            self.jump_to(y=y - margin)
        elif y > top + height - 1 - margin:
            self.jump_to(y=y - height + 1 + margin)

    def repaint_line(self, y: int) -> None:
        """Paint line `y` again, if it is on screen."""
        row = y - round(self.scroll_y)
        if 0 <= row < self.size.height:
            self.refresh(Region(0, row, self.size.width, 1))

    @property
    def page_height(self) -> int:
        """Lines on screen, at least 1."""
        return max(1, self.size.height)

    @property
    def text_width(self) -> int:
        """Cells for text: all but the scroll bar's column, which is always kept free."""
        return max(1, self.size.width - 1)

    # -- scrolling: Textual asks these; it has no bars of its own here

    @property
    def allow_vertical_scroll(self) -> bool:
        return self.line_count() > self.size.height

    @property
    def allow_horizontal_scroll(self) -> bool:
        return self.widest_line() > self.text_width

    @property
    def max_scroll_y(self) -> int:
        return max(0, self.line_count() - self.size.height)

    @property
    def max_scroll_x(self) -> int:
        return max(0, self.widest_line() - self.text_width)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Left and right are the parent's where there is nothing to scroll sideways."""
        if action in ("scroll_left", "scroll_right"):
            return self.allow_horizontal_scroll
        return True

    def action_scroll_up(self) -> None:
        self.jump_to(y=self.scroll_y - 1)

    def action_scroll_down(self) -> None:
        self.jump_to(y=self.scroll_y + 1)

    def action_scroll_left(self) -> None:
        self.jump_to(x=self.scroll_x - 4)

    def action_scroll_right(self) -> None:
        self.jump_to(x=self.scroll_x + 4)

    def action_page_up(self) -> None:
        self.jump_to(y=self.scroll_y - self.page_height + 1)

    def action_page_down(self) -> None:
        self.jump_to(y=self.scroll_y + self.page_height - 1)

    def action_scroll_home(self) -> None:
        self.jump_to(x=0, y=0)

    def action_scroll_end(self) -> None:
        self.jump_to(y=self.max_scroll_y)

    def watch_scroll_x(self, old_value: float, new_value: float) -> None:
        if round(old_value) != round(new_value):
            self.refresh()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        if round(old_value) != round(new_value):
            self.refresh()

    # -- painting

    def render_line(self, y: int) -> Strip:
        """One screen line with offsets; Textual asks for it to find the text under the pointer."""
        return self._screen_line(y, self._bar(), offsets=True)

    def render_lines(self, crop: Region) -> list[Strip]:
        if self.gutter.totals != (0, 0):
            return super().render_lines(crop)
        self._check_cache()
        bar = self._bar()
        filters = self.get_line_filters()
        background = self.background_colors[1]
        full = crop.x == 0 and crop.width == self.size.width
        strips: list[Strip] = []
        for y in crop.line_range:
            strip = self._painted.get(y)
            if strip is None:
                strip = self._screen_line(y, bar)
                for line_filter in filters:
                    strip = strip.apply_filter(line_filter, background)
                self._painted[y] = strip
            strips.append(strip if full else strip.crop(crop.x, crop.right))
        return strips

    def refresh(
        self, *regions: Region, repaint: bool = True, layout: bool = False, recompose: bool = False
    ) -> Self:
        if regions:
            for region in regions:
                for y in region.line_range:
                    self._painted.pop(y, None)
        else:
            self._painted.clear()
        return super().refresh(*regions, repaint=repaint, layout=layout, recompose=recompose)

    def _check_cache(self) -> None:
        """The compositor asks for every line of each widget that a change elsewhere overlaps, so
        the lines on screen are kept, as long as what they were painted with stays."""
        look = (self.size, self.rich_style, tuple(self.get_line_filters()))
        if look != self._painted_with:
            self._painted.clear()
            self._painted_with = look

    def _screen_line(self, y: int, bar: Sequence[Segment], *, offsets: bool = False) -> Strip:
        number = y + round(self.scroll_y)
        width = self.text_width
        base = self.rich_style
        if not 0 <= number < self.line_count():
            strip = Strip.blank(width, base)
        else:
            strip = self.paint_line(number, width)
            self.lines_painted += 1
            if offsets:
                strip = self.offset_line(strip, number)
            left = round(self.scroll_x)
            strip = strip.crop_extend(left, left + width, base).apply_style(base)
        if self.size.width < 2:
            return strip
        edge = bar[y] if y < len(bar) else Segment(" ", base)
        return Strip([*strip, edge], width + 1)

    def _bar(self) -> Sequence[Segment]:
        """The scroll bar's cells from the top, empty where everything is on screen."""
        height, total = self.size.height, self.line_count()
        if height <= 0 or total <= height:
            return ()
        base = self.rich_style
        track = Segment("│", base + self.part_style("line-view--track"))
        thumb = Segment("┃", base + self.part_style("line-view--thumb"))
        length = max(1, height * height // total)
        start = round(self.scroll_y / max(1, self.max_scroll_y) * (height - length))
        return [thumb if start <= y < start + length else track for y in range(height)]

    def part_style(self, *names: str) -> Style:
        """The style of a component class: only what its rules set."""
        return component_style(self, *names)

    # -- the scroll bar under the mouse

    def _on_bar(self, x: float) -> bool:
        return self.allow_vertical_scroll and x >= self.size.width - 1

    @property
    def allow_select(self) -> bool:
        """Dragging the scroll bar selects nothing."""
        if self._dragging or self._on_bar(self.app.mouse_position.x - self.region.x):
            return False
        return self.ALLOW_SELECT

    def on_mouse_down(self, event: events.MouseDown) -> None:
        if event.button == 1 and self._on_bar(event.x):
            self._dragging = True
            self.capture_mouse()
            self._drag_to(event.y)
            event.stop()

    def on_mouse_move(self, event: events.MouseMove) -> None:
        if self._dragging:
            self._drag_to(event.y)
            event.stop()

    def on_mouse_up(self, event: events.MouseUp) -> None:
        if self._dragging:
            self._dragging = False
            self.release_mouse()
            event.stop()

    def _drag_to(self, y: float) -> None:
        height = self.size.height
        self.jump_to(y=round(min(max(0.0, y), height - 1) / max(1, height - 1) * self.max_scroll_y))
