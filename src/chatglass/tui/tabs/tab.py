"""A tab: what the strip says of one open session."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from chatglass.values.text import one_line

if TYPE_CHECKING:
    from chatglass.tui.open_session import OpenSession

Mark = Literal["", "working", "finished", "failed", "asking"]
"""`finished` and `failed`: a turn that ended since the session was last on screen."""

SIGNS: dict[Mark, str] = {"working": "●", "finished": "✓", "failed": "✗", "asking": "?"}
URGENCY: tuple[Mark, ...] = ("asking", "failed", "finished", "working", "")
"""The one first that a user wants to know of first."""


@dataclass(frozen=True, slots=True)
class Tab:
    session_id: str
    title: str
    """One visible line."""
    mark: Mark
    words: str
    """What the mark means, and whatever else is to be known of it."""
    is_current: bool


def tab_of(session: OpenSession, *, is_current: bool) -> Tab:
    mark, words = _mark_of(session)
    title = one_line(session.title, 120) or "New session"
    if session.engine.context.session.forked_from is not None:
        title = f"⑂ {title}"  # what tells it from its origin may be cut
    return Tab(session.id, title, mark, words, is_current)


def _mark_of(session: OpenSession) -> tuple[Mark, str]:
    state = session.engine.state
    if session.approval.waiting:
        return "asking", "asks about a tool call"
    if session.budget.waiting is not None:
        return "asking", "asks about its budget"
    if session.working:
        return "working", "works"
    if state == "failed":
        return "failed", "can't send"
    if session.unseen == "failed":
        return "failed", "its turn failed"
    if session.unseen == "finished":
        return "finished", "has finished"
    if state == "read-only":
        return "", "read-only: open in another chatglass"
    return "", ""
