"""All items with their heights, and the few of them that are laid out."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

from chatglass.tui.transcript.answer_view import AnswerView
from chatglass.tui.transcript.items import AnswerItem, FoldItem, Item, NoticeItem, PromptItem
from chatglass.tui.transcript.plain_views import FoldView, NoticeView, PromptView
from chatglass.tui.transcript.view import Change, Setting, View
from chatglass.tui.transcript.viewport import Viewport

KEPT_LINES = 6_000
"""Lines of laid-out items that are kept; those on screen and those streaming are kept besides."""

NEAR = 300
"""Items above and below the screen whose heights are made exact ahead of scrolling. Further away an
estimate only moves the thumb of the scroll bar; for all of 10,000 it took 2.5 s of CPU."""

_CHROME = 2
"""Lines of an item that do not wrap: the blank one and the heading."""


@dataclass(frozen=True, slots=True)
class Bookmark:
    """A line of an item, to be found again at any width (`View.mark_of`)."""

    item_id: str
    mark: tuple[int, int]


class Layout:
    """Items, heights, views and the viewport, kept in step.

    A height is exact for one width; for another it is scaled from there until it is asked for.
    """

    def __init__(self) -> None:
        self.items: list[Item] = []
        self.viewport = Viewport(self.measure)
        self.setting: Setting | None = None
        self.kept_lines = 0
        self._index: dict[str, int] = {}
        self._exact: list[int] = []
        """The width for which the height of `_basis` is exact; 0: it is estimated."""
        self._basis: list[tuple[int, int]] = []
        """(width, height) from which the height is scaled to another width."""
        self._views: OrderedDict[str, View] = OrderedDict()
        self._refine_up = 0
        self._refine_down = 0
        self._refined_from = (0, 0)
        """What was on screen when the two began."""
        self.coloured: list[tuple[int, Change]] = []
        """Lines on screen that `refine_one` gave colours, with the index of their item; for whoever
        paints them, who empties it."""
        self._resting: tuple[int, int, tuple[int, int]] | None = None
        """Where a change of width left the top line, and the mark it was found by."""

    # Items

    def load(self, items: Sequence[Item]) -> None:
        self.items = list(items)
        self._index = {item.id: index for index, item in enumerate(self.items)}
        self._views.clear()
        self.kept_lines = 0
        self._resting = None
        self._estimate_all()
        self.viewport.following = True
        if self.setting:
            self.viewport.settle()

    def index_of(self, item_id: str) -> int:
        """Raises KeyError where there is no such item."""
        return self._index[item_id]

    def __contains__(self, item_id: object) -> bool:
        return item_id in self._index

    def insert(self, index: int, item: Item) -> None:
        """Put an item before the one at `index`; what is on screen stays, unless it follows."""
        if item.id in self._index:
            raise ValueError(f"The transcript has an item {item.id} already.")
        viewport = self.viewport
        self.items.insert(index, item)
        for place in range(index, len(self.items)):
            self._index[self.items[place].id] = place
        width, height = (self.setting.width, self._estimate(item)) if self.setting else (0, 1)
        self._exact.insert(index, 0)
        self._basis.insert(index, (width, height))
        viewport.heights.insert(index, height)
        if index <= viewport.item and len(self.items) > 1 and not self._is_shown_gap(index):
            viewport.item += 1
        self._refine_again()

    def remove(self, index: int) -> None:
        viewport = self.viewport
        item = self.items.pop(index)
        del self._index[item.id], self._exact[index], self._basis[index]
        for place in range(index, len(self.items)):
            self._index[self.items[place].id] = place
        viewport.heights.remove(index)
        self._forget(item.id)
        if index < viewport.item:
            viewport.item -= 1
        elif index == viewport.item:
            viewport.line = 0
        self._refine_again()

    def _is_shown_gap(self, index: int) -> bool:
        """Whether an item put at `index` goes on top of a view that stands at its very start."""
        viewport = self.viewport
        return index == viewport.item and viewport.line == 0 and index == 0

    # Where it stands

    def bookmark(self) -> Bookmark | None:
        """The line on top; None where the end is followed."""
        viewport = self.viewport
        if self.setting is None or not self.items or viewport.following:
            return None
        mark = self.view(viewport.item).mark_of(viewport.line)
        return Bookmark(self.items[viewport.item].id, mark)

    def go_to(self, bookmark: Bookmark) -> None:
        """Put that line on top, if its item is still there. `arrange` comes first."""
        index = self._index.get(bookmark.item_id)
        if index is not None:
            self.viewport.show(index, self.view(index).line_of(bookmark.mark))

    # Widths and heights

    def arrange(self, setting: Setting, height: int) -> None:
        """Lay out for a width, look and height; the top line stays, or the end where it follows."""
        viewport = self.viewport
        before = self.setting
        self.setting = setting
        viewport.height = height
        if before is None:
            self._estimate_all()
        elif before.width != setting.width:
            self._scale(setting.width)
        if self.items:
            viewport.settle()

    def measure(self, index: int) -> int:
        """The exact height of an item; laid out if it has to be."""
        setting = self.setting
        if setting is None:
            return 1
        if self._exact[index] == setting.width:
            return self.viewport.heights[index]
        return self.view(index).height

    def view(self, index: int) -> View:
        """The item laid out and up to date with the last `update` of it."""
        assert self.setting is not None, "arrange() comes first"
        item = self.items[index]
        view = self._views.get(item.id)
        if view is not None and view.setting is self.setting:
            self._views.move_to_end(item.id)
            return view
        if view is None:
            view = make_view(item, self.setting)
            self._views[item.id] = view
        view.setting = self.setting
        self._read(index, view)
        self._views.move_to_end(item.id)
        self._trim()
        return view

    def update(self, index: int) -> Change:
        """Read a changed item again; the top line of the screen stays, wherever it is in the item.

        The lines of the change count from the item's first. The viewport is not settled yet.
        """
        viewport = self.viewport
        view = self._views.get(self.items[index].id)
        if view is None or view.setting is not self.setting:
            before = viewport.heights[index]
            after = self.view(index).height
            return Change(((0, max(before, after) - 1),), before, after)
        place = view.place(viewport.line) if index == viewport.item else None
        change = self._read(index, view)
        if place is not None and not viewport.following:
            viewport.line = min(view.line_at(*place), max(0, view.height - 1))
        self._trim()
        return change

    def source(self, index: int) -> str:
        """The texts of an item as they were written."""
        item = self.items[index]
        match item:
            case AnswerItem():
                return f"{item.reasoning}\n{item.text}"
            case FoldItem():
                return item.body
            case PromptItem() | NoticeItem():
                return item.text

    def refine_one(self) -> bool:
        """Colour a piece of code on screen that has no colours yet, else make one estimated height
        exact, the nearest to the screen first; False when there is no such code, and all of the
        `NEAR` items above and below the screen are exact."""
        setting, viewport = self.setting, self.viewport
        if setting is None or not self.items:
            return False
        if self._colour_one():
            return True
        if self._refined_from != (viewport.item, viewport.end_item):
            self._refine_again()
        exact, width = self._exact, setting.width
        first = max(0, viewport.item - NEAR)
        last = min(len(self.items), viewport.end_item + NEAR) - 1
        while self._refine_up >= first or self._refine_down <= last:
            for index in (self._refine_down, self._refine_up):
                if first <= index <= last and exact[index] != width:
                    self._measure_aside(index)
                    return True
            self._refine_up -= 1
            self._refine_down += 1
        return False

    def _colour_one(self) -> bool:
        viewport = self.viewport
        for index in range(viewport.item, min(viewport.end_item, len(self.items))):
            change = self.view(index).colour()
            if change is not None:
                self.coloured.append((index, change))
                return True
        return False

    def _measure_aside(self, index: int) -> None:
        """Make a height exact without keeping the view, so that it displaces none in use."""
        assert self.setting is not None
        item = self.items[index]
        if item.id in self._views:
            self.view(index)
            return
        view = make_view(item, self.setting)
        view.update()
        self._note(index, view.height)

    def _read(self, index: int, view: View) -> Change:
        change = view.update()
        self.kept_lines += change.after - change.before
        self._note(index, change.after)
        return change

    def _note(self, index: int, height: int) -> None:
        assert self.setting is not None
        width = self.setting.width
        self._exact[index] = width
        self._basis[index] = (width, height)
        self.viewport.heights.set(index, height)

    def _estimate_all(self) -> None:
        setting = self.setting
        count = len(self.items)
        width = setting.width if setting else 0
        heights = [self._estimate(item) for item in self.items] if setting else [1] * count
        self._exact = [0] * count
        # Heights are few: a pair for each is less than one for each item.
        pairs = {height: (width, height) for height in heights}
        self._basis = [pairs[height] for height in heights]
        self.viewport.heights.replace_all(heights)
        self._refine_again()

    def _estimate(self, item: Item) -> int:
        setting = self.setting
        assert setting is not None
        width = setting.width
        match item:
            case AnswerItem():
                lines = 0 if item.continues else _CHROME
                lines += len(item.cards) + (1 if item.footer else 0) + (1 if item.reasoning else 0)
                if item.text:
                    lines += setting.documents.estimate_height(item.text, width)
                return max(1, lines)
            case PromptItem():
                wrapped = item.text.count("\n") + 1 + len(item.text) // max(1, width)
                previews = setting.previews
                pictures = (
                    sum(previews.rows(each, width) for each in item.images) if previews else 0
                )
                return _CHROME + wrapped + len(item.attachments) + pictures
            case NoticeItem():
                return 1 + (1 if item.advice else 0) + 1 + len(item.text) // max(1, width)
            case FoldItem():
                return _CHROME

    def _scale(self, width: int) -> None:
        viewport = self.viewport
        mark = self._top_mark()
        heights: list[int] = []
        for base_width, height in self._basis:
            if base_width == width or height <= _CHROME or not base_width:
                heights.append(height)
            else:
                body = (height - _CHROME) * base_width
                heights.append(_CHROME + max(1, round((body / width + height - _CHROME) / 2)))
        viewport.heights.replace_all(heights)
        self._refine_again()
        if mark is not None:
            viewport.line = self.view(viewport.item).line_of(mark)
            self._resting = (viewport.item, viewport.line, mark)

    def _top_mark(self) -> tuple[int, int] | None:
        """What stands on top, to be found again at another width; None where the end is followed.

        A user who drags the edge of a window to and fro comes back to the line where it began.
        """
        viewport = self.viewport
        if not self.items or viewport.following:
            return None
        if self._resting and self._resting[:2] == (viewport.item, viewport.line):
            return self._resting[2]
        view = self._views.get(self.items[viewport.item].id)
        return view.mark_of(viewport.line) if view else (0, 0)

    def _refine_again(self) -> None:
        viewport = self.viewport
        self._refined_from = (viewport.item, viewport.end_item)
        self._refine_up, self._refine_down = self._refined_from

    def _forget(self, item_id: str) -> None:
        view = self._views.pop(item_id, None)
        if view is not None:
            self.kept_lines -= view.height

    def _trim(self) -> None:
        viewport = self.viewport
        if self.kept_lines <= KEPT_LINES:
            return
        for item_id in list(self._views):
            if self.kept_lines <= KEPT_LINES or len(self._views) < 2:
                return
            index = self._index[item_id]
            item = self.items[index]
            streams = isinstance(item, AnswerItem) and item.status == "streaming"
            if streams or viewport.item <= index < viewport.end_item:
                continue
            self._forget(item_id)


def make_view(item: Item, setting: Setting) -> View:
    match item:
        case PromptItem():
            return PromptView(item, setting)
        case AnswerItem():
            return AnswerView(item, setting)
        case NoticeItem():
            return NoticeView(item, setting)
        case FoldItem():
            return FoldView(item, setting)
