"""Writing: what is being written in a session, kept while another one is on screen."""

from __future__ import annotations

from dataclasses import dataclass, field

from chatglass.tui.composer.history import PromptHistory


@dataclass(frozen=True, slots=True)
class Writing:
    draft: str = ""
    """As it is stored."""
    history: PromptHistory = field(default_factory=PromptHistory)
    """Its own, with the place in it."""
    cursor: tuple[int, int] | None = None
    """(line, column) in the editor; None: at the end."""
