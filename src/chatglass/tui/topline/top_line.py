"""The top line: title, model, context and cost, whatever the width."""

from __future__ import annotations

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from textual.geometry import Size
from textual.strip import Strip
from textual.widget import Widget

from chatglass.chat.stats import TokenStats
from chatglass.tui.component_style import component_style
from chatglass.tui.meter.context_rows import level
from chatglass.tui.meter.row import Tone
from chatglass.values import figures
from chatglass.values.text import one_line

Piece = tuple[str, Tone]


def _cut(text: str, cells: int) -> str:
    if cell_len(text) <= cells:
        return text
    return set_cell_size(text, max(0, cells - 1)).rstrip() + "…" if cells > 0 else ""


def _widest(options: list[str], cells: int) -> str:
    """The first of `options` that fits; empty where none does."""
    return next((option for option in options if cell_len(option) <= cells), "")


def top_line(title: str, model: str, endpoint: str, stats: TokenStats, width: int) -> list[Piece]:
    """The pieces of one line of exactly `width` cells (for 20 or more).

    Cost and context stay longest; the bar goes first, then the endpoint, then the model; the
    title is cut but keeps at least a third.
    """
    title = one_line(title, 300) or "New session"
    model, endpoint = one_line(model, 200), one_line(endpoint, 80)
    cost = stats.cost_words
    fraction = stats.context_fraction
    share = figures.percent(fraction)
    room = width - 2
    least_title = min(cell_len(title), max(8, room // 3))
    room -= cell_len(cost) + 2
    bars = [f"ctx {figures.bar(fraction, cells)} {share}" for cells in (10, 6, 4)]
    context = _widest(
        [*(bars if width >= 70 else []), f"ctx {share}", share], max(0, room - least_title - 2)
    )
    room -= cell_len(context) + 3 if context else 0
    names = [f"{model} · {endpoint}", model] if endpoint else [model]
    left = room - least_title - 2
    name = _widest([option for option in names if option], left) or (
        _cut(model, left) if model and left >= 8 else ""
    )
    room -= cell_len(name) + 3 if name else 0
    title = _cut(title, room)
    right: list[Piece] = []
    for text, tone in ((name, "label"), (context, level(fraction)), (cost, "value")):
        if text:
            right.append(("   " if right else "", ""))
            right.append((text, tone))  # pyright: ignore[reportArgumentType]
    used = cell_len(title) + sum(cell_len(text) for text, _ in right)
    gap = max(1, width - 2 - used)
    return [(" ", ""), (title, "value"), (" " * gap, ""), *right, (" ", "")]


class TopLine(Widget):
    """One line above everything; `show` takes what changed and redraws without a relayout."""

    DEFAULT_CSS = """
    TopLine { height: 1; width: 1fr; }
    TopLine > .top-line--value { text-style: bold; }
    TopLine > .top-line--label { color: $text-muted; }
    TopLine > .top-line--good { color: $text-success; }
    TopLine > .top-line--warning { color: $text-warning; text-style: bold; }
    TopLine > .top-line--error { color: $text-error; text-style: bold; }
    """
    COMPONENT_CLASSES = {
        "top-line--value",
        "top-line--label",
        "top-line--good",
        "top-line--warning",
        "top-line--error",
    }

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._title = ""
        self._model = ""
        self._endpoint = ""
        self._stats = TokenStats()
        self._shown: list[Piece] = []

    def show(
        self,
        title: str | None = None,
        model: str | None = None,
        endpoint: str | None = None,
        stats: TokenStats | None = None,
    ) -> None:
        """Take what changed; what is None stays. Draws only where the line differs."""
        self._title = self._title if title is None else title
        self._model = self._model if model is None else model
        self._endpoint = self._endpoint if endpoint is None else endpoint
        self._stats = self._stats if stats is None else stats
        if self.is_attached and self._pieces() != self._shown:
            self.refresh()

    def _pieces(self) -> list[Piece]:
        return top_line(self._title, self._model, self._endpoint, self._stats, self.size.width)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return 1

    def render_line(self, y: int) -> Strip:
        self._shown = self._pieces()
        base = self.rich_style
        segments = [
            Segment(
                text,
                base + component_style(self, f"top-line--{tone}") if tone else base,
            )
            for text, tone in self._shown
        ]
        return Strip(segments).adjust_cell_length(self.size.width, base)
