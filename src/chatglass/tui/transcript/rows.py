"""What the transcript paints: its rows on screen, their look, and what the mouse selects in them."""

from __future__ import annotations

from collections.abc import Callable

from textual.geometry import Offset, Region, Size
from textual.scroll_view import ScrollView
from textual.selection import Selection
from textual.strip import Strip

from chatglass.tui.transcript.find import Finder
from chatglass.tui.transcript.layout import Layout
from chatglass.tui.transcript.look import Look, make_look
from chatglass.tui.transcript.painter import Painter
from chatglass.tui.transcript.previews import Previews
from chatglass.tui.transcript.selection import bounded, item_and_line, place, selected_text, span_in
from chatglass.tui.transcript.strips import Span
from chatglass.tui.transcript.view import GUTTER, Documents, Setting, View

MARGIN = 1
"""Columns right of the text."""


class PaintedRows(ScrollView):
    """The rows of a `Layout`, laid out for the widget's size and theme whenever these differ."""

    def __init__(
        self,
        *,
        empty_text: str,
        documents: Documents,
        clock: Callable[[], int],
        name: str | None,
        id: str | None,
        classes: str | None,
    ) -> None:
        super().__init__(name=name, id=id, classes=classes)
        self._empty_text = empty_text
        self._documents = documents
        self._clock = clock
        self._items = Layout()
        self._painter = Painter()
        self._finder = Finder()
        self._size_arranged = Size(0, 0)
        self._look: Look | None = None
        self._look_key: object = None
        self._look_stale = True
        self._selection: tuple[Offset, Offset] | None = None
        self.previews = Previews(self._picture_drawn)
        self.wants_pictures = True
        """To be set before the first item."""
        self.text_width = 0
        """The most columns of a line; 0: as many as there are. To be set before the first frame."""

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._look_stale = True

    def _restyled(self) -> None:
        self._look_stale = True
        self.refresh()

    def _arranged(self) -> bool:
        """Lay out for the size and look of now, if that differs; False before there is a size."""
        size = self.scrollable_content_region.size
        if not self.is_attached or size.width < 1 or size.height < 1:
            return False
        look = self._look
        if self._look_stale or look is None:
            look = self._current_look()
        setting = self._items.setting
        if look is self._look and size == self._size_arranged and setting is not None:
            return True
        self._before_arranging()
        width = max(8, size.width - GUTTER - MARGIN)
        if self.text_width:
            width = min(width, max(8, self.text_width))
        if setting is None or setting.width != width or setting.look is not look:
            previews = self.previews if self._shows_pictures() else None
            setting = Setting(width, look, self._documents, self._clock, previews)
        self._look = look
        self._size_arranged = size
        self._items.arrange(setting, size.height)
        self._after_arranging()
        return True

    def _shows_pictures(self) -> bool:
        """Not with the 16 colours of a terminal, which would not tell what is on them."""
        is_ansi = self.app.theme_variables.get("background", "").startswith("ansi")
        colours = self.app.console.color_system
        return (
            self.wants_pictures
            and not (is_ansi or self.app.no_color)
            and colours in ("256", "truecolor")
        )

    def _picture_drawn(self, item_id: str) -> None:
        """A preview of that item is there."""

    def _before_arranging(self) -> None:
        """Called before all is laid out anew."""

    def _after_arranging(self) -> None:
        """Called when all is laid out anew."""

    def _current_look(self) -> Look:
        self._look_stale = False
        app = self.app
        _, _, background, color = self.colors
        foreground = color if color.ansi is not None else background + color
        selection = self.screen.get_component_rich_style("screen--selection")
        filters = tuple(self.get_line_filters())
        variables = app.theme_variables
        still = app.animation_level == "none"
        key = (variables, background, foreground, app.no_color, selection, filters, still)
        if self._look is not None and key == self._look_key:
            return self._look
        self._look_key = key
        return make_look(
            variables,
            foreground=foreground,
            background=background,
            dark=app.current_theme.dark,
            monochrome=app.no_color,
            selection=selection,
            filters=filters,
            still=still,
        )

    def _refresh_content(self) -> None:
        self.refresh(self.scrollable_content_region.size.region)

    # Painting

    def render_lines(self, crop: Region) -> list[Strip]:
        # Round the styles cache, which would render, pad and filter each line again.
        if not self._arranged():
            return super().render_lines(crop)
        gutter = self.styles.gutter
        strips = self._framed_rows(crop) if gutter else self._content_rows(crop.y, crop.bottom)
        width = self.outer_size.width
        if crop.column_span != (0, width):
            strips = [strip.crop(*crop.column_span) for strip in strips]
        return strips

    def _framed_rows(self, crop: Region) -> list[Strip]:
        """With a border: its rows as Textual draws them, and its sides beside our lines."""
        gutter = self.styles.gutter
        width, height = self.outer_size
        first, last = max(crop.y, gutter.top), min(crop.bottom, height - gutter.bottom)
        sides = super().render_lines(Region(0, gutter.top, width, 1))[0]
        left = sides.crop(0, gutter.left)
        right = sides.crop(width - gutter.right, width)
        strips: list[Strip] = []
        for y in range(crop.y, min(first, crop.bottom)):
            strips.extend(super().render_lines(Region(0, y, width, 1)))
        if first < last:
            rows = self._content_rows(first - gutter.top, last - gutter.top)
            strips.extend(Strip.join((left, row, right)) for row in rows)
        for y in range(max(last, crop.y), crop.bottom):
            strips.extend(super().render_lines(Region(0, y, width, 1)))
        return strips

    def _content_rows(self, first: int, last: int) -> list[Strip]:
        """Rows of the screen as painted strips, as wide as the content with its scroll bar."""
        layout, painter = self._items, self._painter
        look, width = self._look, self.size.width
        assert look is not None
        if not layout.items:
            return [self._empty_row(row, look, width) for row in range(first, last)]
        strips: list[Strip] = []
        found = layout.viewport.at_row(first)
        index, line = found if found else (len(layout.items), 0)
        while len(strips) < last - first and index < len(layout.items):
            view = layout.view(index)
            item_id = layout.items[index].id
            marks = self._marked_lines(index, view)
            matches = self._finder.spans(item_id, view, look)
            end = min(view.height, line + last - first - len(strips))
            for at in range(line, end):
                spans = matches.get(at, ()) + self._selected_spans(index, at, view, look)
                strips.append(painter.line(view, at, width, marked=at in marks, spans=spans))
            index, line = index + 1, 0
        blank = painter.blank(look, width)
        strips.extend([blank] * (last - first - len(strips)))
        return strips

    def _marked_lines(self, index: int, view: View) -> range:
        """The lines of an item that the cursor is on."""
        return range(0)

    def show_when_empty(self, text: str) -> None:
        """What stands here while there are no items."""
        if text != self._empty_text:
            self._empty_text = text
            if not self._items.items:
                self._refresh_content()

    def _empty_row(self, row: int, look: Look, width: int) -> Strip:
        lines = self._empty_text.splitlines()
        top = max(0, (self._size_arranged.height - len(lines)) // 2)
        if top <= row < top + len(lines):
            return self._painter.centred(lines[row - top], look, width)
        return self._painter.blank(look, width)

    def render_line(self, y: int) -> Strip:
        """A row with the offsets by which Textual knows what the mouse selects."""
        if not self._arranged() or not self._items.items:
            return Strip.blank(self.size.width)
        layout = self._items
        found = layout.viewport.at_row(y)
        if found is None:
            index = len(layout.items) - 1
            view = layout.view(index)
            end = place(index, max(0, view.height - 1))
            return Strip.blank(self.size.width).apply_offsets(
                len(view.line(view.height - 1).text), end
            )
        index, line = found
        source = layout.view(index).line(line)
        return Strip.join((Strip.blank(GUTTER), source)).apply_offsets(-GUTTER, place(index, line))

    # Selecting with the mouse

    def selection_updated(self, selection: Selection | None) -> None:
        self._selection = None if selection is None else self._bounded(selection)
        self._refresh_content()

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        if not self._items.items or not self._arranged():
            return None
        start, end = self._selection or self._bounded(selection)
        return self._text_between(start, end), "\n"

    def _text_between(self, start: Offset, end: Offset) -> str:
        layout = self._items
        return selected_text(start, end, layout.view, layout.source, len(layout.items))

    def _bounded(self, selection: Selection) -> tuple[Offset, Offset]:
        viewport = self._items.viewport
        first = viewport.at_row(0) or (0, 0)
        last = viewport.at_row(max(0, viewport.height - 1))
        if last is None:
            index = max(0, len(self._items.items) - 1)
            last = (index, max(0, viewport.heights[index] - 1) if len(viewport.heights) else 0)
        return bounded(selection, place(*first), place(*last))

    def _selected_spans(self, index: int, line: int, view: View, look: Look) -> tuple[Span, ...]:
        if self._selection is None:
            return ()
        start, end = self._selection
        span = span_in(start, end, place(index, line), len(view.line(line).text))
        return ((*span, look.selection),) if span else ()

    def _drop_selection(self, index: int = 0) -> None:
        """Places count items: where one comes or goes before the end of a selection, it would
        mean something else."""
        if self._selection is not None and item_and_line(self._selection[1].y)[0] >= index:
            self.screen.clear_selection()
