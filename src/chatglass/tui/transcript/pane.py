"""The transcript as a Textual widget: sizes, scrolling, painting, and when which of them happens."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence

from textual.app import ComposeResult
from textual.geometry import Offset, Region, Size
from textual.scroll_view import ScrollView
from textual.scrollbar import ScrollBar, ScrollTo
from textual.selection import Selection
from textual.strip import Strip
from textual.widget import Widget

from chatglass.tui.transcript.find import Finder
from chatglass.tui.transcript.items import AnswerItem, Item
from chatglass.tui.transcript.layout import Layout
from chatglass.tui.transcript.look import Look, make_look
from chatglass.tui.transcript.messages import FollowChanged
from chatglass.tui.transcript.pacing import FRAME, Pacer
from chatglass.tui.transcript.painter import Painter
from chatglass.tui.transcript.refining import Refiner
from chatglass.tui.transcript.scrollbar import LightScrollBar, thumb
from chatglass.tui.transcript.selection import bounded, place, selected_text, span_in
from chatglass.tui.transcript.strips import Span
from chatglass.tui.transcript.view import GUTTER, Change, Documents, Setting, View
from chatglass.values.clock import now_ms

TICK = 0.25
"""Seconds between two repaints of a line that shows a running time."""
UNSEEN = 0.25
"""Seconds between two flushes while all that changes is below the screen."""
MARGIN = 1
"""Columns right of the text."""


class TranscriptPane(ScrollView, can_focus=True):
    """Shows items and keeps them on screen; `Transcript` adds keys, cursor and find.

    It never asks Textual for a layout: the virtual size and the scroll position are set without
    their reactives, since a layout costs more than a frame (see DESIGN.md).
    """

    DEFAULT_CSS = """
    TranscriptPane {
        overflow-x: hidden;
        overflow-y: scroll;
        scrollbar-size-vertical: 1;
    }
    """

    def __init__(
        self,
        *,
        empty_text: str = "",
        documents: Documents | None = None,
        clock: Callable[[], int] = now_ms,
        name: str | None = None,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        """`empty_text` is shown while there are no items; `clock` gives milliseconds."""
        super().__init__(name=name, id=id, classes=classes)
        self.set_reactive(Widget.auto_links, False)  # else each move of the mouse repaints all
        if documents is None:
            from chatglass.tui.markdown.document import MarkdownDocument

            documents = MarkdownDocument
        self._empty_text = empty_text
        self._documents = documents
        self._clock = clock
        self._items = Layout()
        self._painter = Painter()
        self._finder = Finder()
        self._pacer = Pacer(self._flush)
        self._refiner = Refiner(self._items.refine_one, self._refined)
        self._dirty: dict[str, None] = {}
        """Ids of items to be read again, in order."""
        self._pushed: dict[str, list[str]] = {}
        self._pushed_reasoning: dict[str, list[str]] = {}
        self._new_lines = 0
        self._told: tuple[bool, int] = (True, 0)
        self._size_arranged = Size(0, 0)
        self._look: Look | None = None
        self._look_key: object = None
        self._look_stale = True
        self._top = 0
        self._thumb = (-1, -1)
        self._tick_handle: asyncio.TimerHandle | None = None
        self._selection: tuple[Offset, Offset] | None = None

    # Items

    @property
    def items(self) -> Sequence[Item]:
        self._take_pushed()
        return self._items.items

    def item(self, item_id: str) -> Item:
        """Raises KeyError where there is no such item."""
        self._take_pushed()
        return self._items.items[self._items.index_of(item_id)]

    def __contains__(self, item_id: object) -> bool:
        return item_id in self._items

    def load(self, items: Sequence[Item]) -> None:
        """Show other items, from their end."""
        self._dirty.clear()
        self._pushed.clear()
        self._pushed_reasoning.clear()
        self._finder.clear()
        self._new_lines = 0
        self._drop_selection()
        self._items.load(items)
        self._restructured()

    def append(self, item: Item) -> None:
        self._insert(len(self._items.items), item)

    def insert_before(self, item_id: str, item: Item) -> None:
        self._insert(self._items.index_of(item_id), item)

    def insert_after(self, item_id: str, item: Item) -> None:
        self._insert(self._items.index_of(item_id) + 1, item)

    def remove_item(self, item_id: str) -> None:
        self._drop_selection()
        self._items.remove(self._items.index_of(item_id))
        self._dirty.pop(item_id, None)
        self._pushed.pop(item_id, None)
        self._pushed_reasoning.pop(item_id, None)
        self._restructured()

    def push_text(self, item_id: str, delta: str) -> None:
        """Add to the text of an answer; O(1), painted with the next frame."""
        self._pushed.setdefault(item_id, []).append(delta)
        self._dirty[item_id] = None
        self._pacer.request()

    def push_reasoning(self, item_id: str, delta: str) -> None:
        self._pushed_reasoning.setdefault(item_id, []).append(delta)
        self._dirty[item_id] = None
        self._pacer.request()

    def changed(self, item_id: str) -> None:
        """The fields of an item were changed in place; painted with the next frame."""
        if item_id not in self._items:
            raise KeyError(item_id)
        self._dirty[item_id] = None
        self._pacer.request()

    def _insert(self, index: int, item: Item) -> None:
        if index < len(self._items.items):
            self._drop_selection()
        self._items.insert(index, item)
        viewport = self._items.viewport
        if not viewport.following and index >= viewport.end_item:
            self._new_lines += self._items.measure(index)
        self._restructured()

    def _take_pushed(self) -> None:
        for pushed, attribute in (
            (self._pushed, "text"),
            (self._pushed_reasoning, "reasoning"),
        ):
            for item_id, deltas in pushed.items():
                if item_id in self._items:
                    item = self._items.items[self._items.index_of(item_id)]
                    if isinstance(item, AnswerItem):
                        setattr(item, attribute, getattr(item, attribute) + "".join(deltas))
            pushed.clear()

    # Scrolling

    @property
    def following(self) -> bool:
        """Whether the view stays at the end while it grows."""
        return self._items.viewport.following

    def jump_to_end(self) -> None:
        """Show the end and follow it."""
        self._catch_up()
        if self._arranged():
            self._items.viewport.follow()
            self._moved()

    def scroll_to_item(self, item_id: str) -> None:
        """Put the start of an item on top."""
        self._catch_up()
        if self._arranged():
            self._items.viewport.show(self._items.index_of(item_id))
            self._moved()

    def scroll_lines(self, delta: int) -> None:
        """Scroll by lines as the user does: up stops following, reaching the end starts it."""
        self._catch_up()
        if self._arranged():
            self._items.viewport.scroll_by(delta)
            self._moved()

    def _catch_up(self) -> None:
        """What changed below the screen is flushed seldom; now it may come into view."""
        self._refiner.busy()
        if self._dirty and self._pacer.interval > FRAME:
            self._pacer.interval = FRAME
            self._pacer.flush_now()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        # Wheel, scroll bar and selecting beyond the edge come here, through Textual's reactive.
        delta = round(new_value) - self._top
        if delta and self._look is not None:
            self.scroll_lines(delta)

    def _on_scroll_to(self, message: ScrollTo) -> None:
        # An animation would run towards a line that a corrected height has moved.
        message.stop()
        message.prevent_default()
        if message.y is not None:
            self.scroll_to(y=message.y, animate=False)

    def _moved(self) -> None:
        self._place()
        self._refresh_content()
        self._refiner.start()

    def _restructured(self) -> None:
        if self._arranged():
            self._items.viewport.settle()
            self._place()
            self._refiner.start()
        self._refresh_content()

    def _refined(self) -> None:
        """Heights off screen are exact now; what is on screen stays."""
        self._items.viewport.settle()
        self._place()

    def _place(self) -> None:
        """Tell Textual's numbers where the viewport is, without waking its reactives."""
        viewport = self._items.viewport
        self._top = top = viewport.top
        total = viewport.total
        size = Size(self._size_arranged.width, total)
        if self.virtual_size != size:
            self.set_reactive(Widget.virtual_size, size)  # pyright: ignore[reportArgumentType]
        if round(self.scroll_y) != top:
            self.set_reactive(Widget.scroll_y, float(top))  # pyright: ignore[reportArgumentType]
        # Wheel events count from the target.
        self.set_reactive(Widget.scroll_target_y, float(top))
        self._show_thumb(total, top)
        self._tell_follow()
        self._tick_if_live()

    def _show_thumb(self, total: int, top: int) -> None:
        if not self.show_vertical_scrollbar:
            return
        bar = self.vertical_scrollbar
        height = self._size_arranged.height
        bar.set_reactive(ScrollBar.window_virtual_size, total)
        bar.set_reactive(ScrollBar.window_size, height)
        bar.set_reactive(ScrollBar.position, float(top))
        shown = thumb(height, total, height, top)
        if shown != self._thumb:
            self._thumb = shown
            bar.refresh()

    def _tell_follow(self) -> None:
        following = self._items.viewport.following
        if following:
            self._new_lines = 0
        now = (following, self._new_lines)
        if now != self._told:
            self._told = now
            self.post_message(FollowChanged(*now))

    # Changes reach the screen

    def _flush(self) -> None:
        self._refiner.busy()
        self._take_pushed()
        if not self._arranged():
            self._dirty.clear()  # the first layout reads all
            return
        layout, viewport = self._items, self._items.viewport
        dirty, self._dirty = self._dirty, {}
        top = (viewport.item, viewport.line)
        changes: list[tuple[int, Change]] = []
        seen = False
        for item_id in dirty:
            if item_id not in layout:
                continue
            index = layout.index_of(item_id)
            seen = seen or index < viewport.end_item
            change = layout.update(index)
            changes.append((index, change))
            if not viewport.following and index >= viewport.item:
                self._new_lines += max(0, change.after - change.before)
        viewport.settle()
        self._place()
        if (viewport.item, viewport.line) != top:
            self._refresh_content()
        else:
            self._refresh_changes(changes)
        self._pacer.interval = FRAME if seen or viewport.following else UNSEEN

    def _refresh_changes(self, changes: Iterable[tuple[int, Change]]) -> None:
        width, height = self._size_arranged
        for index, change in changes:
            start = self._items.viewport.row_of(index, 0)
            for first, last in change.ranges:
                low = max(0, start + first)
                high = height if change.after != change.before else min(height, start + last + 1)
                if low < high:
                    self.refresh(Region(0, low, width, high - low))

    def _refresh_content(self) -> None:
        self.refresh(self.scrollable_content_region.size.region)

    def _tick_if_live(self) -> None:
        if self._tick_handle is None and any(view.live for _, view in self._shown()):
            self._tick_handle = asyncio.get_running_loop().call_later(TICK, self._tick)

    def _tick(self) -> None:
        self._tick_handle = None
        for item, view in self._shown():
            if view.live:
                self._dirty[item.id] = None
        if self._dirty:
            self._pacer.flush_now()

    def _shown(self) -> Iterable[tuple[Item, View]]:
        layout, viewport = self._items, self._items.viewport
        if layout.setting is not None:
            for index in range(viewport.item, min(viewport.end_item, len(layout.items))):
                yield layout.items[index], layout.view(index)

    # Sizes and looks

    def compose(self) -> ComposeResult:
        return ()

    def on_mount(self) -> None:
        # Textual documents this assignment for single instances.
        self.vertical_scrollbar.renderer = LightScrollBar  # pyright: ignore[reportAttributeAccessIssue]
        self.app.theme_changed_signal.subscribe(self, lambda _: self._restyled())

    def on_unmount(self) -> None:
        self._pacer.cancel()
        self._refiner.stop()
        if self._tick_handle is not None:
            self._tick_handle.cancel()
            self._tick_handle = None

    def on_resize(self) -> None:
        self._arranged()

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
        self._take_pushed()
        width = max(8, size.width - GUTTER - MARGIN)
        if setting is None or setting.width != width or setting.look is not look:
            setting = Setting(width, look, self._documents, self._clock)
        self._look = look
        self._size_arranged = size
        self._items.arrange(setting, size.height)
        self._place()
        self._refiner.start()
        return True

    def _current_look(self) -> Look:
        self._look_stale = False
        app = self.app
        _, _, background, color = self.colors
        foreground = color if color.ansi is not None else background + color
        selection = self.screen.get_component_rich_style("screen--selection")
        filters = tuple(self.get_line_filters())
        variables = app.theme_variables
        key = (variables, background, foreground, app.no_color, selection, filters)
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
        )

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

    def _drop_selection(self) -> None:
        """Places count items: where one is put between them, a selection means something else."""
        if self._selection is not None:
            self.screen.clear_selection()
