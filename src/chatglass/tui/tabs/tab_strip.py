"""TabStrip: the open sessions in one line; it is not there while only one is open."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from rich.segment import Segment
from textual import events
from textual.content import Content
from textual.geometry import Size
from textual.message import Message
from textual.strip import Strip
from textual.timer import Timer
from textual.widget import Widget

from chatglass.tui.component_style import component_style
from chatglass.tui.tabs.strip_layout import Piece, lay_out
from chatglass.tui.tabs.tab import SIGNS, Mark, Tab

TICK_SECONDS = 0.25
"""How often the sign of a working tab moves; no timer runs where none works."""
_FRAMES = "⠋⠙⠸⠴⠦⠇"
_MIDDLE = 2
"""The mouse button that closes."""
_PARTS = ("tab", "current", "more", "working", "finished", "failed", "asking")


class TabStrip(Widget, can_focus=False):
    """Draws what `show` is given; what the mouse asks for is a message."""

    DEFAULT_CSS = """
    TabStrip { height: 1; width: 1fr; color: $foreground 70%; background: $surface; }
    TabStrip > .tab-strip--current { color: $foreground; background: $accent 30%; text-style: bold; }
    TabStrip > .tab-strip--more { color: $foreground 70%; }
    TabStrip > .tab-strip--working { color: $text-accent; }
    TabStrip > .tab-strip--finished { color: $text-success; text-style: bold; }
    TabStrip > .tab-strip--failed { color: $text-error; text-style: bold; }
    TabStrip > .tab-strip--asking { color: $text-warning; text-style: bold; }
    """
    COMPONENT_CLASSES = {f"tab-strip--{part}" for part in _PARTS}

    @dataclass
    class Chosen(Message):
        """Show that session."""

        session_id: str

    @dataclass
    class CloseAsked(Message):
        """Close that session's tab."""

        session_id: str

    @dataclass
    class Stepped(Message):
        """Show the next tab (1) or the one before (-1)."""

        step: int

    @dataclass
    class NewAsked(Message):
        """Open a new session."""

    def __init__(self, *, animated: bool, id: str | None = None) -> None:
        super().__init__(id=id)
        self._tabs: Sequence[Tab] = ()
        self._animated = animated
        self._frame = 0
        self._ticker: Timer | None = None
        self._told = ""
        """What the tooltip says."""

    @property
    def tabs(self) -> Sequence[Tab]:
        return self._tabs

    @property
    def moves(self) -> bool:
        """Whether a timer draws it again and again."""
        return self._ticker is not None

    def show(self, tabs: Sequence[Tab]) -> None:
        """Show these, from left to right; draws only where they are others than before."""
        if tabs == self._tabs:
            return
        self._tabs = tabs
        self.refresh()
        self._tick_while_working()

    def on_mount(self) -> None:
        self._tick_while_working()

    def _tick_while_working(self) -> None:
        works = self._animated and any(tab.mark == "working" for tab in self._tabs)
        if works and self._ticker is None and self.is_attached:
            self._ticker = self.set_interval(TICK_SECONDS, self._tick)
        elif not works and self._ticker is not None:
            self._ticker.stop()
            self._ticker = None

    def _tick(self) -> None:
        self._frame += 1
        self.refresh()

    # -- drawing

    def pieces(self) -> list[Piece]:
        return lay_out(self._tabs, self.size.width, self._signs())

    def _signs(self) -> dict[Mark, str]:
        if not self._animated:
            return SIGNS
        return {**SIGNS, "working": _FRAMES[self._frame % len(_FRAMES)]}

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return 1

    def render_line(self, y: int) -> Strip:
        base = self.rich_style
        current = base + component_style(self, "tab-strip--current")
        segments: list[Segment] = []
        for piece in self.pieces():
            style = current if piece.is_current else base
            if piece.kind in ("more", "new"):
                style += component_style(self, "tab-strip--more")
            if piece.mark:
                style += component_style(self, f"tab-strip--{piece.mark}")
            segments.append(Segment(piece.text, style))
        return Strip(segments).adjust_cell_length(self.size.width, base)

    # -- the mouse

    def piece_at(self, x: int) -> Piece | None:
        """What is drawn at column `x`."""
        for piece in self.pieces():
            if piece.x <= x < piece.x + cell_len(piece.text):
                return piece
        return None

    def on_click(self, event: events.Click) -> None:
        event.stop()
        piece = self.piece_at(event.x)
        if piece is None:
            return
        if piece.kind == "new":
            self.post_message(self.NewAsked())
        elif piece.kind == "close" or (event.button == _MIDDLE and piece.kind == "tab"):
            self.post_message(self.CloseAsked(piece.session_id))
        else:
            self.post_message(self.Chosen(piece.session_id))

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        event.stop()
        self.post_message(self.Stepped(1))

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        event.stop()
        self.post_message(self.Stepped(-1))

    def on_mouse_move(self, event: events.MouseMove) -> None:
        words = self._words_at(event.x)
        if words != self._told:
            self._told = words
            self.tooltip = Content(words) if words else None  # a title is no markup

    def _words_at(self, x: int) -> str:
        piece = self.piece_at(x)
        if piece is None:
            return ""
        if piece.kind == "new":
            return "New session"
        tab = next(tab for tab in self._tabs if tab.session_id == piece.session_id)
        if piece.kind == "close":
            return "Close this tab; the session stays saved"
        return f"{tab.title}: {tab.words}" if tab.words else tab.title
