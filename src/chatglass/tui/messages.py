"""What workers tell the app."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.message import Message

if TYPE_CHECKING:
    from chatglass.chat.calls.rerun_row import RerunRow


@dataclass
class EngineEvents(Message):
    """Events of a session's engine wait in its inbox."""

    session_id: str


@dataclass
class ApprovalsChanged(Message):
    """The calls of a session that wait for an answer are others now."""

    session_id: str


@dataclass
class SessionChanged(Message):
    """The state of a session's engine is another now."""

    session_id: str


@dataclass
class RerunChanged(Message):
    """A call that the user ran again has a new state."""

    session_id: str
    row: RerunRow
