"""Moving through the transcript with keys: the cursor, and what it brings into view."""

from __future__ import annotations

from collections.abc import Callable

from chatglass.tui.transcript.cursor import Cursor, Selected
from chatglass.tui.transcript.pane import TranscriptPane
from chatglass.tui.transcript.view import Documents, Part, View
from chatglass.values.clock import now_ms


class BrowsedPane(TranscriptPane):
    """The pane with a cursor on an item, or on a card, code block or reasoning of it."""

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
            documents=documents,
            clock=clock,
            name=name,
            id=id,
            classes=classes,
        )
        self._cursor = Cursor(self._items)

    @property
    def selected(self) -> Selected | None:
        """What the cursor is on: an item, or a card, code block or reasoning of it."""
        return self._cursor.selected if self._cursor.index is not None else None

    def select(self, item_id: str) -> None:
        """Put the cursor on an item, without scrolling."""
        self._cursor.select(self._items.index_of(item_id))
        self._refresh_content()

    def select_again(self, selected: Selected | None) -> None:
        """Put the cursor on what was `selected` before, or nowhere."""
        self._cursor.selected = selected
        self._refresh_content()

    def action_move(self, step: int) -> None:
        self._catch_up()
        if not self._arranged() or not self._items.items:
            return
        if not self._selected_is_shown():
            self._select_shown(0 if step > 0 else -1)
            return
        beyond = self._cursor.neighbour(step)
        if beyond is None:
            if step > 0:
                self.jump_to_end()
            else:
                self.scroll_lines(-self._page())
            return
        index, part = beyond
        row = self._items.viewport.row_of(index, part.first)
        height = self._items.viewport.height
        most = max(3, height // 2)
        if row >= height - 1:
            self.scroll_lines(min(row - height + 2, most))
        elif row < 0:
            self.scroll_lines(max(row, -most))
        if 0 <= self._items.viewport.row_of(index, part.first) < height:
            self._cursor.select(index, part)
        self._refresh_content()

    def action_message(self, step: int, prompts: bool = False) -> None:
        self._catch_up()
        if not self._arranged() or not self._items.items:
            return
        viewport = self._items.viewport
        index = self._cursor.index if self._selected_is_shown() else None
        if index is None:
            inside = viewport.line > 1  # its heading is above the screen
            start = viewport.item + (1 if step > 0 else 0 if inside else -1)
        else:
            start = index + step
        found = self._cursor.find_item(start, step, prompts=prompts)
        if found is None:
            if step > 0:
                self.jump_to_end()
            return
        self._cursor.select(found)
        viewport.show(found)
        self._moved()

    def action_page(self, step: int) -> None:
        self.scroll_lines(step * self._page())

    def action_to_start(self) -> None:
        self._catch_up()
        if self._arranged() and self._items.items:
            self._items.viewport.show(0)
            self._moved()

    def action_to_end(self) -> None:
        self.jump_to_end()

    def _page(self) -> int:
        return max(1, self._items.viewport.height - 2)

    def _selected_is_shown(self) -> bool:
        index, part = self._cursor.index, self._cursor.part
        if index is None or part is None:
            return False
        viewport = self._items.viewport
        start = viewport.row_of(index, 0)
        return start + part.last >= 0 and start + part.first < viewport.height

    def _select_shown(self, which: int) -> None:
        """Put the cursor on the first (0) or last (-1) part that begins on screen."""
        viewport = self._items.viewport
        shown: list[tuple[int, Part]] = []
        for index in range(viewport.item, viewport.end_item):
            start = viewport.row_of(index, 0)
            for part in self._items.view(index).parts():
                if 0 <= start + part.first < viewport.height:
                    shown.append((index, part))
        if shown:
            self._cursor.select(*shown[which])
        else:
            self._cursor.select(viewport.item)
        self._refresh_content()

    def _marked_lines(self, index: int, view: View) -> range:
        if not self.has_focus or self._cursor.index != index:
            return range(0)
        part = self._cursor.part
        return range(part.first, part.last + 1) if part else range(0)
