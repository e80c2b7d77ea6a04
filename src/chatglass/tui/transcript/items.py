"""What the transcript shows: plain objects, no widgets.

A message is an item; a turn with several requests is several `AnswerItem`s, of which only the
first has a heading (`continues`). Items are changed in place by the app's handlers, which then
tell the transcript (`Transcript.changed`), or pushed to (`push_text`, `push_reasoning`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from chatglass.store.records import ToolCallState


@dataclass(slots=True, kw_only=True)
class ToolCard:
    """One tool call as a line: state, name, short arguments, duration, size."""

    tool_call_id: str
    name: str
    arguments: str
    """Already one visible line."""
    state: ToolCallState = "proposed"
    started_at: int | None = None
    duration_ms: int | None = None
    size: str = ""
    decider: str = ""
    """Who or what let it run or denied it, in a word or two; empty where nothing need be said."""
    progress: str = ""
    share: float | None = None
    """How far it is, from 0 to 1, where that is known; else `progress` may say so in words."""


@dataclass(frozen=True, slots=True, weakref_slot=True, eq=False)
class PromptImage:
    """An image that goes with a prompt, not decoded: where it stands in what is stored of it.

    Compared by identity: `content`, the JSON of content parts (or of the entries of a queued prompt),
    is megabytes.
    """

    label: int
    """Which of the prompt's attachments it is."""
    width: int
    height: int
    """Pixels, by its header."""
    content: str = field(repr=False)
    part: int
    """Which of the parts of `content`."""


@dataclass(slots=True, kw_only=True)
class PromptItem:
    id: str
    text: str
    at: int
    """Milliseconds since the epoch."""
    state: Literal["sent", "queued", "waiting"] = "sent"
    """`queued`: the model works; `waiting`: the engine still starts."""
    attachments: tuple[str, ...] = ()
    images: tuple[PromptImage, ...] = ()
    """Those of the attachments that have a preview."""
    branch: tuple[int, int] | None = None
    """(place, of how many), both from 1, where there are siblings."""


@dataclass(slots=True, kw_only=True)
class AnswerItem:
    id: str
    at: int
    model: str
    continues: bool = False
    """It goes on with the turn of the item before it: no heading."""
    reasoning: str = ""
    reasoning_ms: int = 0
    reasoning_open: bool = False
    text: str = ""
    status: Literal["streaming", "complete", "interrupted", "error"] = "complete"
    cards: list[ToolCard] = field(default_factory=list)
    drafting: str = ""
    """What goes on beside text, as `writing write_file · 3,120 characters`; shown while streaming."""
    footer: str = ""
    """Model, tokens, cost, seconds; under the last answer of a turn."""
    error: str = ""
    advice: str = ""
    branch: tuple[int, int] | None = None


@dataclass(slots=True, kw_only=True)
class NoticeItem:
    """A sentence from the program, not from the model."""

    id: str
    text: str
    advice: str = ""
    severity: Literal["information", "warning", "error"] = "information"
    leads_to: tuple[str, str] | None = None
    """(session id, message id) that opening it shows."""


@dataclass(slots=True, kw_only=True)
class FoldItem:
    """A compaction: what is sent instead of the messages above it."""

    id: str
    title: str
    body: str = ""
    open: bool = False
    hint: str = ""
    """What can be done with it, where it can be changed; shown with the body."""


Item = PromptItem | AnswerItem | NoticeItem | FoldItem
