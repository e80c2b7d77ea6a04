"""The approval mode in words, on the composer's frame."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual.content import Content

if TYPE_CHECKING:
    from chatglass.config.settings import ApprovalMode

_SEPARATOR = Content(" · ")
_TITLES: dict[ApprovalMode, str] = {
    "ask": "mode ask: every call asks",
    "default": "mode default: only reading runs unasked",
    "all": "MODE ALL: tools run unasked",
}


def mode_title(mode: ApprovalMode, facts: Sequence[str], room: int) -> Content:
    """The mode, which is always said, and what else there is to say. What the mode means gives way
    to the facts where they need more than the `room` (cells) beside it."""
    style = "bold $text-error" if mode == "all" else ""
    others = [Content(fact) for fact in facts]
    whole = _SEPARATOR.join([Content.styled(_TITLES[mode], style), *others])
    if not facts or whole.cell_length <= room:
        return whole
    name = _TITLES[mode].partition(":")[0]
    return _SEPARATOR.join([Content.styled(name, style), *others])
