"""What workers tell the app."""

from __future__ import annotations

from dataclasses import dataclass

from textual.message import Message


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
