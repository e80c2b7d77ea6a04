"""What the transcript tells the app."""

from __future__ import annotations

from typing import Literal

from textual.message import Message

CopyWhat = Literal["item", "code", "card", "selection"]


class CardOpened(Message, namespace="transcript"):
    """A tool card was chosen."""

    def __init__(self, tool_call_id: str) -> None:
        super().__init__()
        self.tool_call_id = tool_call_id


class ItemActivated(Message, namespace="transcript"):
    """Enter, or a second click, on an item without a part that opens."""

    def __init__(self, item_id: str) -> None:
        super().__init__()
        self.item_id = item_id


class FollowChanged(Message, namespace="transcript"):
    """Whether the view stays at the end; `new_lines` came below it since it was scrolled away."""

    def __init__(self, following: bool, new_lines: int) -> None:
        super().__init__()
        self.following = following
        self.new_lines = new_lines


class CopyRequested(Message, namespace="transcript"):
    """`Transcript.copy_text(what)` has the text."""

    def __init__(self, what: CopyWhat) -> None:
        super().__init__()
        self.what: CopyWhat = what


class RetryRequested(Message, namespace="transcript"):
    """Answer again: `item_id` is the answer under the cursor, else the last."""

    def __init__(self, item_id: str) -> None:
        super().__init__()
        self.item_id = item_id


class EditRequested(Message, namespace="transcript"):
    """Edit a prompt: the one under the cursor, or the one that led to the answer there."""

    def __init__(self, item_id: str) -> None:
        super().__init__()
        self.item_id = item_id


class FoldEditRequested(Message, namespace="transcript"):
    """Edit what a compaction sends."""

    def __init__(self, item_id: str) -> None:
        super().__init__()
        self.item_id = item_id


class FoldUndoRequested(Message, namespace="transcript"):
    """Undo the compaction of the fold `item_id`, or where that is empty the newest."""

    def __init__(self, item_id: str) -> None:
        super().__init__()
        self.item_id = item_id


class BranchSwitch(Message, namespace="transcript"):
    """Show the next (1) or previous (-1) sibling of an item that has several."""

    def __init__(self, item_id: str, step: int) -> None:
        super().__init__()
        self.item_id = item_id
        self.step = step
