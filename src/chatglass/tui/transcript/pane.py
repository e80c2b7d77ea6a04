"""The transcript as a Textual widget: sizes, scrolling, painting, and when which of them happens."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from textual.app import ComposeResult
from textual.geometry import Region, Size
from textual.scrollbar import ScrollBar
from textual.widget import Widget

from chatglass.tui.transcript.documents import MarkdownDocuments
from chatglass.tui.transcript.items import AnswerItem, Item, PromptItem
from chatglass.tui.transcript.layout import Bookmark
from chatglass.tui.transcript.messages import FollowChanged
from chatglass.tui.transcript.pacing import FRAME, Pacer
from chatglass.tui.transcript.refining import Refiner
from chatglass.tui.transcript.rows import PaintedRows
from chatglass.tui.transcript.scrollbar import LightScrollBar, thumb
from chatglass.tui.transcript.view import Change, Documents, View
from chatglass.values.clock import now_ms

TICK = 0.25
"""Seconds between two repaints of a line that shows a running time."""
_LEAST_SHOWN = 4
"""Rows of an item that is scrolled to: the blank one, the heading, and some of it."""
UNSEEN = 0.25
"""Seconds between two flushes while all that changes is below the screen."""


class TranscriptPane(PaintedRows, can_focus=True):
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
        super().__init__(
            empty_text=empty_text,
            documents=documents or MarkdownDocuments(),
            clock=clock,
            name=name,
            id=id,
            classes=classes,
        )
        self.set_reactive(Widget.auto_links, False)  # else each move of the mouse repaints all
        self._pacer = Pacer(self._flush)
        self._refiner = Refiner(self._items.refine_one, self._refined)
        self._dirty: dict[str, None] = {}
        """Ids of items to be read again, in order."""
        self._pushed: dict[str, list[str]] = {}
        self._pushed_reasoning: dict[str, list[str]] = {}
        self._new_lines = 0
        self._told: tuple[bool, int] = (True, 0)
        self._top = 0
        self._thumb = (-1, -1)
        self._tick_handle: asyncio.TimerHandle | None = None

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

    def load(self, items: Sequence[Item], bookmark: Bookmark | None = None) -> None:
        """Show other items, from that line on, else their end."""
        self._dirty.clear()
        self._pushed.clear()
        self._pushed_reasoning.clear()
        self._finder.clear()
        self.previews.forget_wanted()
        self._new_lines = 0
        self._drop_selection()
        self._items.load(items)
        if bookmark is not None and self._arranged():
            self._items.go_to(bookmark)
        self._restructured()

    def bookmark(self) -> Bookmark | None:
        """The line on top, for `load`; None where the end is followed."""
        self._catch_up()
        return self._items.bookmark() if self._arranged() else None

    def append(self, item: Item) -> None:
        self._insert(len(self._items.items), item)

    def insert_before(self, item_id: str, item: Item) -> None:
        self._insert(self._items.index_of(item_id), item)

    def insert_after(self, item_id: str, item: Item) -> None:
        self._insert(self._items.index_of(item_id) + 1, item)

    def remove_item(self, item_id: str) -> None:
        index = self._items.index_of(item_id)
        self._drop_selection(index)
        self._items.remove(index)
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
        self._drop_selection(index)
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

    def scroll_to_item(self, item_id: str, row: int = 0) -> None:
        """Put the start of an item on top, or as near as can be to that row of the screen."""
        self._catch_up()
        if self._arranged():
            viewport = self._items.viewport
            viewport.show(self._items.index_of(item_id))
            viewport.scroll_by(-max(0, min(row, viewport.height - _LEAST_SHOWN)))
            self._moved()

    def row_of(self, item_id: str) -> int:
        """The row of the screen on which an item starts; negative or large where it is off screen."""
        self._catch_up()
        if not self._arranged():
            return 0
        return self._items.viewport.row_of(self._items.index_of(item_id), 0)

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
        before = self._size_arranged
        if not self._arranged() or self._size_arranged != before:
            return  # Textual clamped to a size in which the lines stand elsewhere by now
        if delta := round(new_value) - self._top:
            self.scroll_lines(delta)

    def scroll_to(self, x: float | None = None, y: float | None = None, **options: Any) -> None:
        # An animation would run towards a line that a corrected height has moved.
        super().scroll_to(x, y, **{**options, "animate": False})

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
        """Heights off screen are exact now; what is on screen stays, but for colours."""
        coloured, self._items.coloured = self._items.coloured, []
        self._items.viewport.settle()
        self._place()
        self._refresh_changes(coloured)

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
        self.set_reactive(Widget.scroll_target_y, float(top))  # pyright: ignore[reportArgumentType]
        self._show_thumb(total, top)
        self._tell_follow()
        self._tick_if_live()
        self._draw_previews()

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
            return  # not on screen: what is dirty is read when it is shown
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
        self._refiner.start()

    def _refresh_changes(self, changes: Iterable[tuple[int, Change]]) -> None:
        width, height = self._size_arranged
        for index, change in changes:
            start = self._items.viewport.row_of(index, 0)
            for first, last in change.ranges:
                low = max(0, start + first)
                high = height if change.after != change.before else min(height, start + last + 1)
                if low < high:
                    self.refresh(Region(0, low, width, high - low))

    def _draw_previews(self) -> None:
        """Of the images on screen, those that are not drawn yet."""
        for item, view in self._shown():
            setting = view.setting
            if not isinstance(item, PromptItem) or not item.images or setting.previews is None:
                continue
            if setting.previews.want(item, setting.width):
                self.app.run_worker(setting.previews.work(), group="previews", exit_on_error=False)

    def _picture_drawn(self, item_id: str) -> None:
        if item_id in self._items and self.is_attached:
            self.changed(item_id)

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

    # Life

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
        if self._arranged() and self._dirty:
            self._pacer.request()

    def _before_arranging(self) -> None:
        self._take_pushed()

    def _after_arranging(self) -> None:
        self._refiner.busy()
        self._place()
        self._refiner.start()
