"""The approval mode in words, on the composer's frame."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual.content import Content

if TYPE_CHECKING:
    from chatglass.config.settings import ApprovalMode

_TITLES: dict[ApprovalMode, str] = {
    "ask": "mode ask: every call asks",
    "default": "mode default",
    "all": "MODE ALL: tools run unasked",
}


def mode_title(mode: ApprovalMode, facts: Sequence[str]) -> Content:
    """The mode, which is always said, and what else there is to say."""
    style = "bold $text-error" if mode == "all" else ""
    parts = [Content.styled(_TITLES[mode], style), *(Content(fact) for fact in facts)]
    return Content(" · ").join(parts)
