"""ConversationPanel: the transcript in its frame, with its find bar."""

from __future__ import annotations

import re
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container

from chatglass.tui.actions.action import key_label
from chatglass.tui.actions.registry import ACTIONS
from chatglass.tui.inspector.find_bar import FindBar
from chatglass.tui.transcript.widget import Transcript
from chatglass.values import figures
from chatglass.values.text import visible


class ConversationPanel(Container):
    """Tells in its frame whether the transcript follows, and what a search finds."""

    ACTION_PLACE = "transcript"
    # The transcript has most keys of its place itself; these lead out of it.
    BINDINGS: ClassVar[list[BindingType]] = [
        binding
        for binding in ACTIONS.bindings("transcript")
        if isinstance(binding, Binding)
        and binding.id
        in ("find.next", "find.previous", "composer.focus", "view.wire", "session.fork")
    ]

    def __init__(self, *, empty_text: str, id: str | None = None) -> None:
        super().__init__(id=id)
        self.transcript = Transcript(empty_text=empty_text, id="transcript")
        self.find_bar = FindBar(id="find")
        self._following = "follows"
        self._found = ""
        """Which match is shown; empty without a search."""
        self.border_title = "Conversation"
        self.border_subtitle = self._following

    def compose(self) -> ComposeResult:
        yield self.transcript

    @property
    def is_finding(self) -> bool:
        """Whether the find bar is open."""
        return self.find_bar.has_class("-shown")

    def find(self, text: str = "") -> None:
        """Open the find bar, with this text in it."""
        if not self.find_bar.is_attached:
            self.mount(self.find_bar)
        self.find_bar.open()
        if text:
            self.find_bar.value = visible(text)

    def show_found(self, item_id: str, pattern: re.Pattern[str]) -> bool:
        """Show what a search found in an item, marked as the find bar marks; `n` and `N` go on from
        there, Esc takes the marks away. False where the item's own text does not match."""
        is_there = self.transcript.find_in(item_id, pattern)
        if is_there:
            self._tell(*self.transcript.find_position)
        return is_there

    def find_step(self, step: int) -> None:
        """Go to the next match (1) or the one before (-1)."""
        self._tell(*self.transcript.find_next(step))

    @on(Transcript.FollowChanged)
    def _follow_changed(self, message: Transcript.FollowChanged) -> None:
        lines = message.new_lines
        self._following = "follows"
        if not message.following:
            # This key works from the composer too, where End belongs to the text.
            key = key_label(ACTIONS["transcript.end"].keys[0])
            new = f"↓ {figures.counted(lines, 'new line')} · " if lines else ""
            self._following = f"{new}{key} follows"
        self._show_facts()

    @on(FindBar.Sought)
    def _sought(self, message: FindBar.Sought) -> None:
        message.stop()
        self.transcript.find(message.sought)
        if message.sought:
            self._tell(*self.transcript.find_position)
        else:
            self._found = ""
            self._show_facts()

    @on(FindBar.Stepped)
    def _stepped(self, message: FindBar.Stepped) -> None:
        message.stop()
        self.find_step(message.step)

    @on(FindBar.Closed)
    def _find_closed(self, message: FindBar.Closed) -> None:
        # The matches stay: `n` and `N` go on from here.
        message.stop()
        self.transcript.focus()

    def leave_find(self) -> None:
        """Take the find bar and its marks away: what it found in leaves the screen."""
        if self.is_finding:
            if self.find_bar.has_focus:
                self.transcript.focus()
            self.find_bar.remove_class("-shown")
        self.forget_find()

    def forget_find(self) -> None:
        """Take the marks of the last search away."""
        self.transcript.clear_find()
        self._found = ""
        self._show_facts()

    def _tell(self, place: int, matches: int) -> None:
        self._found = f"match {place:,} of {matches:,}" if matches else "no match"
        self._show_facts()

    def _show_facts(self) -> None:
        self.border_subtitle = self._found or self._following
