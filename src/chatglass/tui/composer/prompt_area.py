"""The editor in the composer: a TextArea with atomic tokens, visible controls and its own keys."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.text import Text
from textual import events, on
from textual.actions import SkipAction
from textual.binding import Binding
from textual.document._document import EditResult, Location, Selection
from textual.message import Message
from textual.widgets import TextArea

from chatglass.tui.actions.registry import ACTIONS
from chatglass.tui.composer.dropped import may_be_path
from chatglass.tui.composer.encoding import Folds, drawn, token_spans
from chatglass.tui.key_order import Typed

# TextArea's own keys without those that the program or multiplexers use (^A ^B ^D ^E ^Z).
_EDIT_KEYS = (
    ("left", "cursor_left"),
    ("right", "cursor_right"),
    ("ctrl+left,alt+left,alt+b", "cursor_word_left"),
    ("ctrl+right,alt+right,alt+f", "cursor_word_right"),
    ("home", "cursor_line_start"),
    ("end", "cursor_line_end"),
    ("pageup", "cursor_page_up"),
    ("pagedown", "cursor_page_down"),
    ("shift+up", "cursor_up(True)"),
    ("shift+down", "cursor_down(True)"),
    ("shift+left", "cursor_left(True)"),
    ("shift+right", "cursor_right(True)"),
    ("ctrl+shift+left", "cursor_word_left(True)"),
    ("ctrl+shift+right", "cursor_word_right(True)"),
    ("shift+home", "cursor_line_start(True)"),
    ("shift+end", "cursor_line_end(True)"),
    ("f7", "select_all"),
    ("backspace", "delete_left"),
    ("delete", "delete_right"),
    ("ctrl+d", "delete_right_or_skip"),
    ("ctrl+w,ctrl+backspace,alt+backspace", "delete_word_left"),
    ("alt+delete,alt+d", "delete_word_right"),
    ("ctrl+u,super+backspace", "delete_to_start_of_line"),
    ("ctrl+k", "delete_to_end_of_line_or_delete_line"),
    ("ctrl+shift+k", "delete_line"),
    ("ctrl+x,super+x", "cut"),
    ("super+c", "copy"),
    ("ctrl+v,super+v", "paste"),
    ("super+z", "undo"),
    ("tab", "take_completion"),
    ("escape", "close_completion"),
)

BLINKS = 12
"""Half seconds for which the cursor blinks after a key or a click; then it stands still."""


class PromptArea(TextArea, inherit_bindings=False):
    """Holds text in the editor's form of `composer.encoding`; says what was asked, decides nothing."""

    ACTION_PLACE = "composer"
    BINDINGS = [
        *ACTIONS.bindings("composer"),
        *(Binding(keys, action, show=False) for keys, action in _EDIT_KEYS),
    ]
    DEFAULT_CSS = """
    PromptArea {
        height: auto; max-height: 33vh; min-height: 1;
        border: none; padding: 0; background: transparent;
        scrollbar-size-vertical: 1;
        &:focus { border: none; }
    }
    """

    @dataclass
    class Sent(Message):
        """The user asked to send."""

    @dataclass
    class Recalled(Message):
        """The user left the text at its top (`by` -1) or bottom edge (1)."""

        by: int

    @dataclass
    class CompletionAsked(Message):
        """A key for the completion list: move by `by`, or take, or close. `enter`: it was taken by
        the key that sends."""

        by: int = 0
        take: bool = False
        enter: bool = False

    @dataclass
    class Pasted(Message):
        """A short text was pasted, and stands in the editor as it came."""

        text: str

    _text_now: str | None = None
    _blinks = 0

    def __init__(self, folds: Folds, *, id: str | None = None, placeholder: str = "") -> None:
        self.folds = folds
        self.completing = False
        """Whether a completion list is open, which then has some of the keys."""
        super().__init__(
            id=id, placeholder=placeholder, highlight_cursor_line=False, max_checkpoints=200
        )

    # -- the text, joined once an edit: `render_line` asks for it for every line it draws
    @property
    def text(self) -> str:
        if self._text_now is None:
            self._text_now = self.document.text
        return self._text_now

    @text.setter
    def text(self, value: str) -> None:
        self.load_text(value)

    def _build_highlight_map(self) -> None:
        self._text_now = None
        super()._build_highlight_map()

    def find_matching_bracket(self, bracket: str, search_from: Location) -> Location | None:
        """None: prose needs no matching, and the search reads the whole text on a key."""
        return None

    def _recompute_cursor_offset(self) -> None:
        # Undo shortens the document before it moves the cursor back; the scroll bar that goes
        # then asks where the cursor is, which is beyond the end (textual 8.2.8 raises).
        self._cursor_offset = self.wrapped_document.location_to_offset(
            self.clamp_visitable(self.cursor_location)
        )

    def get_line(self, line_index: int) -> Text:
        line = self.document.get_line(line_index)
        text = Text(drawn(line), end="", no_wrap=True)
        for start, end in token_spans(line):
            text.stylize("reverse dim", start, end)
        return text

    # -- a blink is a frame, and a screen that nobody looks at should cost none
    def _toggle_cursor_blink_visible(self) -> None:
        self._blinks += 1
        if self._blinks > BLINKS:
            self._pause_blink()
        else:
            super()._toggle_cursor_blink_visible()

    def _restart_blink(self) -> None:
        self._blinks = 0
        super()._restart_blink()

    # -- tokens are one thing to the cursor and to deletion
    def _whole_tokens(self, start: Location, end: Location) -> tuple[Location, Location]:
        start, end = sorted((start, end))
        if start == end:
            return start, end
        for first, last in token_spans(self.document[start[0]]):
            if first < start[1] < last:
                start = (start[0], first)
        for first, last in token_spans(self.document[end[0]]):
            if first < end[1] < last:
                end = (end[0], last)
        return start, end

    def _delete_via_keyboard(self, start: Location, end: Location) -> EditResult | None:
        return super()._delete_via_keyboard(*self._whole_tokens(start, end))

    def _replace_via_keyboard(
        self, insert: str, start: Location, end: Location
    ) -> EditResult | None:
        if len(insert) != 1 or not insert.isascii():
            insert = self.folds.encode(insert)
        return super()._replace_via_keyboard(insert, *self._whole_tokens(start, end))

    def _validate_selection(self, selection: Selection) -> Selection:
        start, end = super()._validate_selection(selection)
        empty = start == end
        end = self._outside_token(end, self.selection.end)
        return Selection(end if empty else self._outside_token(start, self.selection.start), end)

    def _outside_token(self, location: Location, before: Location) -> Location:
        """`location`, or the edge of the token it lies in, going on in the direction of travel."""
        row, column = location
        for start, end in token_spans(self.document[row]):
            if start < column < end:
                if before[0] == row and before[1] >= end:
                    return row, start
                if before[0] == row and before[1] <= start:
                    return row, end
                return row, start if column - start < end - column else end
        return location

    # -- keys
    async def _on_key(self, event: events.Key) -> None:
        if event.key == "enter":
            # TextArea, whose handler runs after this one, would break the line; what Enter does
            # is bound, so that it can be remapped.
            event.prevent_default()

    takes_typed = True
    """Printable keys that come together come as one `Typed` (`key_order`)."""

    @on(Typed)
    def _typed(self, event: Typed) -> None:
        event.stop()
        self._restart_blink()
        if not self.read_only:
            self._replace_via_keyboard(event.text, *self.selection)

    async def _on_paste(self, event: events.Paste) -> None:
        event.stop()
        event.prevent_default()
        self.insert_outside_text(event.text)
        if may_be_path(event.text):
            self.post_message(self.Pasted(event.text.strip()))

    def insert_outside_text(self, text: str) -> None:
        """Put a paste in place of the selection, folded where it is large."""
        encoded = self.folds.encode_paste(text)
        start, end = self._whole_tokens(*self.selection)
        result = self.replace(encoded, start, end, maintain_selection_offset=False)
        self.move_cursor(result.end_location)

    def action_paste(self) -> None:
        self.insert_outside_text(self.app.clipboard)

    def action_copy(self) -> None:
        if not (selected := self.selected_text):
            raise SkipAction
        self.app.copy_to_clipboard(self.folds.sent(selected))

    def action_cut(self) -> None:
        start, end = self._whole_tokens(*self.selection)
        result = self._delete_via_keyboard(start, end) if start != end else self._cut_line()
        if result is not None and result.replaced_text:
            self.app.copy_to_clipboard(self.folds.sent(result.replaced_text))

    def _cut_line(self) -> EditResult | None:
        return self._delete_cursor_line()

    def action_send(self) -> None:
        if self.completing:
            self.post_message(self.CompletionAsked(take=True, enter=True))
        else:
            self.post_message(self.Sent())

    def action_newline(self) -> None:
        start, end = self.selection
        self._replace_via_keyboard("\n", start, end)

    def action_delete_right_or_skip(self) -> None:
        """Delete, but leave the key to the program where there is nothing at all."""
        if not self.text:
            raise SkipAction
        self.action_delete_right()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Esc and Tab belong to the list of completions only while there is one: the footer must not
        take Esc from what stops the turn."""
        if action in ("take_completion", "close_completion"):
            return self.completing
        return super().check_action(action, parameters)

    def action_take_completion(self) -> None:
        self.post_message(self.CompletionAsked(take=True))

    def action_close_completion(self) -> None:
        self.post_message(self.CompletionAsked())

    def action_cursor_up(self, select: bool = False) -> None:
        if self.completing and not select:
            self.post_message(self.CompletionAsked(by=-1))
        elif not select and self.cursor_at_first_wrapped_line:
            self.post_message(self.Recalled(-1))
        else:
            super().action_cursor_up(select)

    def action_cursor_down(self, select: bool = False) -> None:
        if self.completing and not select:
            self.post_message(self.CompletionAsked(by=1))
        elif not select and self.cursor_at_last_wrapped_line:
            self.post_message(self.Recalled(1))
        else:
            super().action_cursor_down(select)

    @property
    def cursor_at_first_wrapped_line(self) -> bool:
        return self.wrapped_document.location_to_offset(self.cursor_location).y == 0

    @property
    def cursor_at_last_wrapped_line(self) -> bool:
        offset = self.wrapped_document.location_to_offset(self.cursor_location)
        return offset.y >= self.wrapped_document.height - 1

    def action_cursor_page_up(self) -> None:
        """Page here only where there is more than fits; else the transcript has the key."""
        if self.virtual_size.height <= self.size.height:
            raise SkipAction
        super().action_cursor_page_up()

    def action_cursor_page_down(self) -> None:
        if self.virtual_size.height <= self.size.height:
            raise SkipAction
        super().action_cursor_page_down()

    def action_expand(self) -> None:
        """Put the text of the folded paste at the cursor, else of the only one, in its place."""
        found = self._token_to_expand()
        if found is None:
            raise SkipAction
        row, start, end, content = found
        encoded = self.folds.encode(content)
        result = self.replace(encoded, (row, start), (row, end), maintain_selection_offset=False)
        self.move_cursor(result.end_location)

    def _token_to_expand(self) -> tuple[int, int, int, str] | None:
        """(row, start, end, text) of the paste token nearest to the cursor on its line, else the last."""
        row, column = self.cursor_location
        rows: Sequence[int] = (row, *range(self.document.line_count - 1, -1, -1))
        for index in rows:
            line = self.document[index]
            spans = sorted(
                token_spans(line),
                key=lambda span: min(abs(span[0] - column), abs(span[1] - column)),
            )
            for start, end in spans:
                fold = self.folds.fold_of(line[start:end])
                if fold is not None and fold.kind == "paste":
                    return index, start, end, fold.content
        return None
