"""Picture: a picture of a result, as large as there is room."""

from __future__ import annotations

from collections.abc import Callable

from textual import work
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from chatglass.tools.threads import in_thread
from chatglass.tui.lines.half_blocks import NoPicture, scaled, strips


class Picture(Widget):
    """Shows a picture as large as fits, and no larger than it is."""

    DEFAULT_CSS = "Picture { height: 1fr; width: 1fr; }"

    class NotShown(Message):
        """There is no preview, and why."""

        def __init__(self, reason: str) -> None:
            super().__init__()
            self.reason = reason

    def __init__(self) -> None:
        super().__init__()
        self._read: Callable[[], bytes] | None = None
        self._lines: list[Strip] = []

    def show(self, read: Callable[[], bytes]) -> None:
        """`read` gives the picture's file, in a thread; it may raise ValueError."""
        self._read = read
        self._lines = []
        self.refresh()
        self._draw()

    def on_resize(self) -> None:
        self._draw()

    @work(exclusive=True, group="picture", exit_on_error=False)
    async def _draw(self) -> None:
        read, (columns, rows) = self._read, self.size
        if read is None or not columns or not rows:
            return
        try:
            pixels = await in_thread(lambda stop: scaled(read(), columns, rows))
        except (NoPicture, ValueError) as error:
            self.post_message(self.NotShown(str(error)))
            return
        self._lines = strips(pixels)
        self.refresh()

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        if y >= len(self._lines):
            return Strip.blank(width, self.rich_style)
        return self._lines[y].adjust_cell_length(width, self.rich_style)
