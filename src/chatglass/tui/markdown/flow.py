"""Running text: inline markup wrapped into rows, with what can no longer change kept."""

from __future__ import annotations

from rich.style import Style

from chatglass.tui.markdown.inline import inline_runs, piece_end
from chatglass.tui.markdown.look import MarkdownLook
from chatglass.tui.markdown.wrap import Row, Run, wrap


class FlowView:
    """Rows of one growing text. Finished pieces are wrapped once."""

    def __init__(self, width: int, base: Style, look: MarkdownLook) -> None:
        self._width = width
        self._base = base
        self._look = look
        self._done = ""
        self._kept = 0
        self._carry: list[Run] = []

    def update(self, text: str) -> tuple[int, list[Row]]:
        """How many rows of the call before still hold, and the rows after them."""
        if not text.startswith(self._done):
            self._done, self._kept, self._carry = "", 0, []
        kept, at = self._kept, len(self._done)
        rows: list[Row] = []
        while (end := piece_end(text, at)) is not None:
            more, self._carry = wrap(self._carry + self._runs(text[at:end]), self._width)
            rows += more[:-1]
            at = end
        self._kept += len(rows)
        if at > len(self._done):
            self._done = text[:at]
        last, _ = wrap(self._carry + self._runs(text[at:]), self._width)
        return kept, rows + last

    def _runs(self, text: str) -> list[Run]:
        return inline_runs(text, self._base, self._look)
