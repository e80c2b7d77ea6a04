"""The cursor: which item, and which part of it, is selected."""

from __future__ import annotations

from dataclasses import dataclass

from chatglass.tui.transcript.items import AnswerItem, Item, PromptItem
from chatglass.tui.transcript.layout import Layout
from chatglass.tui.transcript.view import Part, PartKind


@dataclass(frozen=True, slots=True)
class Selected:
    """`key` is the tool call id of a card, the number of a code block, else empty."""

    item_id: str
    kind: PartKind = "item"
    key: str = ""


class Cursor:
    """Moves over the parts of all items in the order of the screen."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self.selected: Selected | None = None

    @property
    def index(self) -> int | None:
        """The number of the selected item."""
        selected = self.selected
        if selected is None or selected.item_id not in self._layout:
            return None
        return self._layout.index_of(selected.item_id)

    @property
    def part(self) -> Part | None:
        """The selected part as it is laid out now; the item where the part is gone."""
        index, selected = self.index, self.selected
        if index is None or selected is None:
            return None
        parts = self._layout.view(index).parts()
        for part in parts:
            if part.kind == selected.kind and part.key == selected.key:
                return part
        return parts[0]

    def select(self, index: int, part: Part | None = None) -> None:
        item_id = self._layout.items[index].id
        self.selected = Selected(item_id, part.kind, part.key) if part else Selected(item_id)

    def neighbour(self, step: int) -> tuple[int, Part] | None:
        """(item number, part) before (-1) or after (1) the selected one; None at the ends."""
        index, part = self.index, self.part
        if index is None or part is None:
            return None
        parts = self._layout.view(index).parts()
        place = parts.index(part) + step
        if 0 <= place < len(parts):
            return index, parts[place]
        index += step
        while 0 <= index < len(self._layout.items):
            view = self._layout.view(index)
            if view.height:
                parts = view.parts()
                return index, parts[0 if step > 0 else -1]
            index += step
        return None

    def find_item(self, start: int, step: int, *, prompts: bool) -> int | None:
        """The next message (or prompt) from `start` on in a direction; `continues` are one message."""
        items = self._layout.items
        while 0 <= start < len(items):
            if _begins_message(items[start], prompts=prompts):
                return start
            start += step
        return None


def _begins_message(item: Item, *, prompts: bool) -> bool:
    if isinstance(item, PromptItem):
        return True
    return not prompts and not (isinstance(item, AnswerItem) and item.continues)
