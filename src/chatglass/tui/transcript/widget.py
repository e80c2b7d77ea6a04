"""The transcript: what `TranscriptPane` shows, with a cursor, keys, the mouse and find."""

from __future__ import annotations

import re

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding
from textual.geometry import Offset
from textual.selection import Selection

from chatglass.tui.transcript import messages
from chatglass.tui.transcript.browsing import BrowsedPane
from chatglass.tui.transcript.find import pattern_of
from chatglass.tui.transcript.items import AnswerItem, FoldItem, Item, NoticeItem, PromptItem
from chatglass.tui.transcript.selection import place, word_at
from chatglass.tui.transcript.view import GUTTER, Part

_WIDEST = 1 << 20


class Transcript(BrowsedPane, inherit_bindings=False):
    """The message pane. Letters act only while it has the focus; what they ask for is a message."""

    CardOpened = messages.CardOpened
    ItemActivated = messages.ItemActivated
    FollowChanged = messages.FollowChanged
    CopyRequested = messages.CopyRequested
    RetryRequested = messages.RetryRequested
    EditRequested = messages.EditRequested
    FoldEditRequested = messages.FoldEditRequested
    FoldUndoRequested = messages.FoldUndoRequested
    BranchSwitch = messages.BranchSwitch

    BINDINGS = [
        Binding("up,k", "move(-1)", "Up", show=False, id="transcript.up"),
        Binding("down,j", "move(1)", "Down", show=False, id="transcript.down"),
        Binding(
            "left_square_bracket",
            "message(-1)",
            "Previous message",
            show=False,
            id="transcript.previous_message",
        ),
        Binding(
            "right_square_bracket",
            "message(1)",
            "Next message",
            show=False,
            id="transcript.next_message",
        ),
        Binding(
            "left_curly_bracket",
            "message(-1, True)",
            "Previous prompt",
            show=False,
            id="transcript.previous_prompt",
        ),
        Binding(
            "right_curly_bracket",
            "message(1, True)",
            "Next prompt",
            show=False,
            id="transcript.next_prompt",
        ),
        Binding("pageup", "page(-1)", "Page up", show=False, id="transcript.page_up"),
        Binding("pagedown", "page(1)", "Page down", show=False, id="transcript.page_down"),
        Binding("home", "to_start", "To the start", show=False, id="transcript.top"),
        Binding("end", "to_end", "To the end", show=False, id="transcript.end"),
        Binding("enter", "open", "Open", show=False, id="transcript.open"),
        Binding("y", "copy('item')", "Copy message", show=False, id="copy.message"),
        Binding("c", "copy('code')", "Copy code block", show=False, id="copy.code"),
        Binding("r", "retry", "Retry", show=False, id="transcript.retry"),
        Binding("e", "edit", "Edit", show=False, id="transcript.edit"),
        Binding("u", "undo_fold", "Undo compaction", show=False, id="context.undo"),
        Binding(
            "less_than_sign",
            "branch(-1)",
            "Previous branch",
            show=False,
            id="transcript.previous_branch",
        ),
        Binding(
            "greater_than_sign",
            "branch(1)",
            "Next branch",
            show=False,
            id="transcript.next_branch",
        ),
    ]

    _pressed_at: Offset | None = None

    def compose(self) -> ComposeResult:
        return ()

    # What keys ask for

    def action_open(self) -> None:
        index, part = self._cursor.index, self._cursor.part
        if index is not None and part is not None:
            self._open(self._items.items[index], part)

    def _open(self, item: Item, part: Part) -> None:
        if part.kind == "card":
            self.post_message(messages.CardOpened(part.key))
        elif part.kind == "reasoning" or isinstance(item, FoldItem):
            self._toggle(item)
        else:
            self.post_message(messages.ItemActivated(item.id))

    def _toggle(self, item: Item) -> None:
        """Fold or unfold; the line of the fold stays where it is on screen."""
        if isinstance(item, AnswerItem):
            item.reasoning_open = not item.reasoning_open
        elif isinstance(item, FoldItem):
            item.open = not item.open
        if not self._arranged():
            return
        viewport = self._items.viewport
        viewport.following = False
        self._dirty[item.id] = None
        self._pacer.flush_now()
        self._new_lines = 0
        viewport.following = viewport.settle()
        self._moved()

    def action_copy(self, what: messages.CopyWhat) -> None:
        if what == "item" and (part := self._cursor.part) and part.kind in ("card", "code"):
            what = "card" if part.kind == "card" else "code"
        self.post_message(messages.CopyRequested(what))

    def action_retry(self) -> None:
        items = self._items.items
        index = self._cursor.index
        order = range(index, len(items)) if index is not None else range(len(items) - 1, -1, -1)
        for place_ in order:
            if isinstance(items[place_], AnswerItem):
                self.post_message(messages.RetryRequested(items[place_].id))
                return

    def action_edit(self) -> None:
        items = self._items.items
        index = self._cursor.index
        if index is not None and isinstance(items[index], FoldItem):
            self.post_message(messages.FoldEditRequested(items[index].id))
            return
        for place_ in range(len(items) - 1 if index is None else index, -1, -1):
            if isinstance(items[place_], PromptItem):
                self.post_message(messages.EditRequested(items[place_].id))
                return

    def action_undo_fold(self) -> None:
        """Of the selected fold, else of the newest."""
        index = self._cursor.index
        selected = self._items.items[index] if index is not None else None
        fold_id = selected.id if isinstance(selected, FoldItem) else ""
        self.post_message(messages.FoldUndoRequested(fold_id))

    def action_branch(self, step: int) -> None:
        """Of the selected item, or of the turn it belongs to."""
        items = self._items.items
        index = self._cursor.index
        for place_ in range(len(items) - 1 if index is None else index, -1, -1):
            item = items[place_]
            if isinstance(item, PromptItem | AnswerItem) and item.branch:
                self.post_message(messages.BranchSwitch(item.id, step))
                return
            if isinstance(item, PromptItem):
                return

    def copy_text(self, what: messages.CopyWhat) -> str | None:
        """The text to copy, None where there is none.

        `item`: the selected message, else the last answer with text. `code`: the selected code
        block, else the last of the selected message, else the last of all. `card`: name and
        arguments of the selected card. `selection`: what is selected with the mouse.
        """
        self._take_pushed()
        if what == "selection":
            return self._text_between(*self._selection) if self._selection else None
        if not self._arranged():
            return None
        if what == "item":
            return self._message_text()
        part, index = self._cursor.part, self._cursor.index
        if what == "card":
            return self._card_text(index, part)
        if part and part.kind == "code":
            return part.text
        return self._last_code(index)

    def _message_text(self) -> str | None:
        items, index = self._items.items, self._cursor.index
        if index is not None:
            text = self._items.source(index) if not isinstance(items[index], AnswerItem) else ""
            item = items[index]
            text = item.text if isinstance(item, AnswerItem) else text
            if text:
                return text
        for item in reversed(items):
            if isinstance(item, AnswerItem) and item.text:
                return item.text
        return None

    def _card_text(self, index: int | None, part: Part | None) -> str | None:
        if index is None or part is None or part.kind != "card":
            return None
        item = self._items.items[index]
        assert isinstance(item, AnswerItem)
        card = next(card for card in item.cards if card.tool_call_id == part.key)
        return f"{card.name} {card.arguments}".rstrip()

    def _last_code(self, index: int | None) -> str | None:
        items = self._items.items
        order = [] if index is None else [index]
        for place_ in [*order, *range(len(items) - 1, -1, -1)]:
            item = items[place_]
            # Only a fence is worth laying an answer out for.
            if isinstance(item, AnswerItem) and ("```" in item.text or "~~~" in item.text):
                blocks = [part for part in self._items.view(place_).parts() if part.kind == "code"]
                if blocks:
                    return blocks[-1].text
        return None

    # Mouse

    def on_mouse_down(self, event: events.MouseDown) -> None:
        self._pressed_at = event.screen_offset

    def on_click(self, event: events.Click) -> None:
        # Textual's own handler would select the whole transcript on a double click.
        event.prevent_default()
        event.stop()
        if event.button != 1 or event.screen_offset != self._pressed_at or not self._arranged():
            return
        gutter = self.styles.gutter
        found = self._items.viewport.at_row(event.y - gutter.top)
        if found is None:
            return
        index, line = found
        if event.chain == 2:
            self._select_word(index, line, event.x - gutter.left - GUTTER)
        elif event.chain == 3:
            self._select_span(index, line, 0, _WIDEST)
        else:
            self._press(index, line)

    def _press(self, index: int, line: int) -> None:
        item, view = self._items.items[index], self._items.view(index)
        parts = [part for part in view.parts() if part.first <= line <= part.last]
        part = parts[-1] if parts else view.parts()[0]
        self._cursor.select(index, part)
        self._refresh_content()
        fold = part.kind == "reasoning" and line == part.first
        leads = isinstance(item, NoticeItem) and item.leads_to is not None and line > 0
        if part.kind == "card" or fold or leads or (isinstance(item, FoldItem) and line <= 1):
            self._open(item, part)

    def _select_word(self, index: int, line: int, column: int) -> None:
        first, last = word_at(self._items.view(index).line(line).text, column)
        if first < last:
            self._select_span(index, line, first, last)

    def _select_span(self, index: int, line: int, first: int, last: int) -> None:
        y = place(index, line)
        selection = Selection(Offset(first, y), Offset(last, y))
        self.screen.selections = {**self.screen.selections, self: selection}

    # Find

    @property
    def find_position(self) -> tuple[int, int]:
        """(number of the current match from 1, how many there are); (0, 0) for none."""
        return self._finder.position + 1, len(self._finder.matches)

    def find(self, query: str) -> int:
        """Mark all matches and go to the first from the top of the screen on; how many there are.

        An empty query clears. Case matters only where the query has a capital letter.
        """
        self._take_pushed()
        if query:
            first = self._items.viewport.item
            self._finder.search(pattern_of(query), self._items.items, first)
        else:
            self._finder.clear()
        self._show_match()
        return len(self._finder.matches)

    def find_in(self, item_id: str, pattern: re.Pattern[str]) -> bool:
        """Mark all matches and go to the first in that item. False where it has none: then only the
        others are marked. Raises KeyError."""
        self._take_pushed()
        self._finder.search(pattern, self._items.items, self._items.index_of(item_id))
        match = self._finder.current
        if match is None or match.item_id != item_id:
            self._refresh_content()
            return False
        self._show_match()
        return True

    def find_next(self, step: int = 1) -> tuple[int, int]:
        """Go on (or back, -1) to another match; what came meanwhile counts. As `find_position`."""
        self._take_pushed()
        self._finder.again(self._items.items)
        self._finder.step(step)
        self._show_match()
        return self.find_position

    def clear_find(self) -> None:
        self._finder.clear()
        self._refresh_content()

    def _show_match(self) -> None:
        match = self._finder.current
        self._refresh_content()
        if match is None or not self._arranged():
            return
        index = self._items.index_of(match.item_id)
        item = self._items.items[index]
        if match.field == "reasoning" and isinstance(item, AnswerItem) and not item.reasoning_open:
            item.reasoning_open = True
            self._items.update(index)
        elif match.field == "body" and isinstance(item, FoldItem) and not item.open:
            item.open = True
            self._items.update(index)
        line = self._finder.line_of_current(self._items.view(index))
        viewport = self._items.viewport
        viewport.following = False  # else what was unfolded would push the match away
        if not 0 <= viewport.row_of(index, line) < viewport.height:
            viewport.show(index, line)
            viewport.scroll_by(-(viewport.height // 3))
        viewport.following = viewport.settle()
        self._moved()
