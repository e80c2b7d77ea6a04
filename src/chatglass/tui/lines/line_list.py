"""LineList: a list with a cursor over any number of rows, one line each, painted on demand."""

from __future__ import annotations

from typing import Any, ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.strip import Strip

from chatglass.tui.lines.line_view import LineView


class LineList(LineView):
    """Rows by index. A subclass is the provider: `row_count`, `row_id`, `render_row`.

    After the rows changed, call `rows_changed`: the cursor stays on the row with the same id, or
    on the same place where that row is gone.
    """

    ALLOW_SELECT = False
    DEFAULT_CSS = """
    LineList > .line-list--cursor { background: $foreground 12%; }
    LineList:focus > .line-list--cursor { background: $accent 35%; text-style: bold; }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {"line-list--cursor"}
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "cursor_by(-1)", "Up", show=False),
        Binding("down,j", "cursor_by(1)", "Down", show=False),
        Binding("pageup", "cursor_page(-1)", "Page up", show=False),
        Binding("pagedown", "cursor_page(1)", "Page down", show=False),
        Binding("home", "cursor_to_end(0)", "First", show=False),
        Binding("end", "cursor_to_end(1)", "Last", show=False),
        Binding("enter", "choose", "Open", show=False),
    ]

    class RowMessage(Message):
        """About one row; `control` is the list."""

        def __init__(self, line_list: LineList, index: int, row_id: str) -> None:
            super().__init__()
            self.line_list = line_list
            self.index = index
            self.row_id = row_id

        @property
        def control(self) -> LineList:
            return self.line_list

    class CursorMoved(RowMessage):
        """The cursor stands on another row than before."""

    class RowChosen(RowMessage):
        """Enter, or a click on the row."""

    def __init__(
        self, *, name: str | None = None, id: str | None = None, classes: str | None = None
    ) -> None:
        super().__init__(name=name, id=id, classes=classes)
        self._cursor = 0
        self._cursor_id: str | None = None

    # -- the provider

    def row_count(self) -> int:
        return 0

    def row_id(self, index: int) -> str:
        """An id that stays with the row when others come and go."""
        raise IndexError(index)

    def render_row(self, index: int, width: int, selected: bool) -> Strip:
        """The row in `width` cells; the cursor's background is laid under it afterwards."""
        raise IndexError(index)

    def index_of(self, row_id: str) -> int | None:
        """Where the row with that id stands. Subclasses with an index answer without searching."""
        return next((i for i in range(self.row_count()) if self.row_id(i) == row_id), None)

    # -- the cursor

    @property
    def cursor(self) -> int:
        """Index of the row under the cursor; 0 where there are no rows."""
        return self._cursor

    @property
    def cursor_id(self) -> str | None:
        """Id of the row under the cursor, None where there are no rows."""
        return self._cursor_id

    def move_cursor(self, index: int) -> None:
        """Put the cursor there (the nearest row that exists) and on screen."""
        count = self.row_count()
        if not count:
            return
        before = self._cursor
        self._cursor = min(max(0, index), count - 1)
        row_id = self.row_id(self._cursor)
        self.reveal(self._cursor)
        self.repaint_line(before)
        self.repaint_line(self._cursor)
        if row_id != self._cursor_id:
            self._cursor_id = row_id
            self.post_message(self.CursorMoved(self, self._cursor, row_id))

    def move_cursor_to_id(self, row_id: str) -> bool:
        """Put the cursor on that row; False where there is none."""
        index = self.index_of(row_id)
        if index is None:
            return False
        self.move_cursor(index)
        return True

    def rows_changed(self) -> None:
        """Take over replaced rows."""
        count = self.row_count()
        held = self._cursor_id
        index = self.index_of(held) if held is not None else None
        offset = self._cursor - round(self.scroll_y)
        self.lines_changed()
        if not count:
            self._cursor, self._cursor_id = 0, None
            return
        if index is not None and index != self._cursor and 0 <= offset < self.page_height:
            # Rows came or went above: the cursor's row keeps its place on screen.
            self._cursor = index
            self.jump_to(y=index - offset)
        self.move_cursor(index if index is not None else self._cursor)

    def on_resize(self) -> None:
        self.jump_to(y=self.scroll_y)
        if self.row_count():
            self.reveal(self._cursor)

    def action_cursor_by(self, rows: int) -> None:
        self.move_cursor(self._cursor + rows)

    def action_cursor_page(self, pages: int) -> None:
        self.move_cursor(self._cursor + pages * max(1, self.page_height - 1))

    def action_cursor_to_end(self, last: int) -> None:
        self.move_cursor(self.row_count() - 1 if last else 0)

    def action_choose(self) -> None:
        if self._cursor_id is not None:
            self.post_message(self.RowChosen(self, self._cursor, self._cursor_id))

    def on_click(self, event: events.Click) -> None:
        if self._on_bar(event.x):
            return
        index = int(event.y) + round(self.scroll_y)
        if 0 <= index < self.row_count():
            self.move_cursor(index)
            self.action_choose()

    # -- LineView

    def line_count(self) -> int:
        return self.row_count()

    def paint_line(self, y: int, width: int) -> Strip:
        selected = y == self._cursor
        strip = self.render_row(y, width, selected).adjust_cell_length(width)
        return strip.apply_style(self.part_style("line-list--cursor")) if selected else strip

    def __rich_repr__(self) -> Any:
        yield from super().__rich_repr__()
        yield "rows", self.row_count()
