"""Place: where a session was left, so that coming back to its tab finds all as it was."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from chatglass.tui.composer.writing import Writing
from chatglass.tui.transcript.cursor import Selected
from chatglass.tui.transcript.layout import Bookmark

if TYPE_CHECKING:
    from chatglass.tui.screens.chat_screen import ChatScreen


@dataclass(frozen=True, slots=True)
class Place:
    """By default: the end of the transcript, the last tool call, nothing written."""

    line: Bookmark | None = None
    """What stood on top of the transcript; None: it followed the end."""
    selected: Selected | None = None
    call: str | None = None
    """The tool call that the inspector showed."""
    writing: Writing = field(default_factory=Writing)

    @classmethod
    def of(cls, chat: ChatScreen) -> Place:
        """Where the session on screen stands."""
        return cls(
            chat.transcript.bookmark(),
            chat.transcript.selected,
            chat.inspector.chosen,
            chat.composer.leave(),
        )
