"""What a search finds and a preview shows, as values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from chatglass.store.records import MessageStatus, Role


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchHit:
    """One matching title, message or tool call; `line` is the text around the match, made visible.

    `message_id` is empty for a title, and for a tool call the message that proposed it.
    """

    session_id: str
    message_id: str
    kind: Literal["title", "message", "tool"]
    line: str


@dataclass(frozen=True, slots=True)
class SessionMatches:
    """Where a search text matches in one session, titles aside."""

    session_id: str
    count: int
    """How many messages, tool calls and results of it match, on this page of matches."""
    refs: tuple[str, ...]
    """The newest of them, at most three: what `match_lines` takes."""


@dataclass(frozen=True, slots=True)
class Matches:
    """A page of matches by session, the session of the newest match first."""

    sessions: tuple[SessionMatches, ...] = ()
    after: str | None = None
    """Where the next page begins; None: there are no more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageExcerpt:
    """A message or a part of it, for a preview."""

    id: str
    role: Role
    text: str
    """As it is stored, not made visible."""
    created_at: int
    status: MessageStatus = "complete"
    begins: bool = True
    """`text` holds the start of the message."""
    ends: bool = True
    """`text` holds its end."""
    tool_name: str | None = None
    calls: tuple[tuple[str, str], ...] = ()
    """(name, start of the arguments) of the tool calls of an assistant message."""
