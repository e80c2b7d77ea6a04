"""What the engine tells the world while it runs a turn. Version 1.

Every event carries the session, the turn, the request (where there is one) and `seq`, which
counts up from 1 within a turn. `--output-format stream-json` prints one event a line: its fields
by name, with `event` (the class name) and `version` first.

Order within a turn:

    TurnStarted
      ( [UserSpoke] [Compacting UsageReported* [Compacted]] RequestStarted
          ( Retrying | Notice | ReasoningDelta | TextDelta | ToolCallDelta )*
        [UsageReported] RequestFinished
          ToolCallProposed*                          all of an answer's calls, in order
          ( ToolCallDecided ToolCallStarted? ToolCallProgress* ToolCallFinished )*   interleaved
      )+
    TurnFinished                                     always, exactly once, last

`Notice` may also stand anywhere between the first and the last event. A compaction by hand
(`/compact`) is a turn of its own without a request. What a model was asked for a summary is told by
UsageReported with the id of that request, and is not counted in `TurnFinished.requests`.
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from chatglass.values.usage import Usage

EVENTS_VERSION = 1

TurnStatus = Literal["complete", "interrupted", "error", "limit"]
RequestEnd = Literal["complete", "interrupted", "error"]
CallEnd = Literal["ok", "error", "denied", "cancelled"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    session_id: str
    turn_id: str
    request_id: str | None
    seq: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnStarted(Event):
    """The user's message is on disk; nothing has been sent yet."""

    user_message_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class UserSpoke(Event):
    """The user said something while the turn paused; it is on disk, and goes with the next request."""

    message_id: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestStarted(Event):
    """The assistant row `message_id` exists as `partial`; the request goes out now."""

    message_id: str
    endpoint: str
    model: str
    estimated_prompt_tokens: int
    limit: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReasoningDelta(Event):
    message_id: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TextDelta(Event):
    message_id: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCallDelta(Event):
    """The model is still writing the arguments of the call at `position`."""

    message_id: str
    position: int
    name: str
    argument_chars: int


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageReported(Event):
    """Usage of this request: `usage.source` says whether reported or estimated."""

    usage: Usage
    cost_usd: Decimal | None
    price_source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestFinished(Event):
    """The answer of this request is on disk in its final form."""

    message_id: str
    status: RequestEnd
    finish_reason: str | None
    duration_ms: int
    first_token_ms: int | None
    response_id: str = ""
    """What the provider calls this answer; empty where it did not say."""
    response_model: str = ""
    """The model that the provider says answered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCallProposed(Event):
    """A whole call, not yet judged. `arguments` is the text as the model wrote it."""

    message_id: str
    tool_call_id: str
    position: int
    name: str
    arguments: str
    call_id: str = ""
    """The id that the model gave the call, unique within its answer alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCallDecided(Event):
    tool_call_id: str
    decision: Literal["allow", "deny", "edited"]
    decided_by: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCallStarted(Event):
    tool_call_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCallProgress(Event):
    tool_call_id: str
    message: str
    fraction: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCallFinished(Event):
    """The result is on disk. `preview` is its start, at most 2,000 characters of what the model sees."""

    tool_call_id: str
    status: CallEnd
    duration_ms: int | None
    result_bytes: int
    seen_bytes: int
    preview: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Retrying(Event):
    """The request failed before it streamed; it goes out again in `seconds`. `reason` is the cause in
    a few words: `429 rate limited`."""

    seconds: float
    attempt: int
    cause: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Compacting(Event):
    """Old messages are being left out; `model` is asked for a summary (empty: none is)."""

    strategy: str
    model: str
    tokens_before: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Compacted(Event):
    """`messages` of the transcript are not sent any more, or some results in them (`strategy` is
    then `elide-tool-results`). `strategy` is the one that did it, `cost_usd` what it took."""

    compaction_id: str
    strategy: str
    tokens_before: int
    tokens_after: int
    messages: int = 0
    model: str = ""
    cost_usd: Decimal | None = None
    duration_ms: int = 0
    """Of its requests to a model."""
    shown_before: str = ""
    """The message before which it is shown in the transcript; empty: at the end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice(Event):
    """Something the user should know: `cause` what happened, `advice` the way on."""

    severity: Literal["information", "warning", "error"]
    cause: str
    advice: str
    kind: str = ""
    """The `ErrorKind` of a failed request, `context` for the 80 % warning, `adapted`, `loop`, …"""


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnFinished(Event):
    status: TurnStatus
    requests: int
    duration_ms: int


def to_json(event: Event) -> str:
    """One line of `stream-json`."""
    record: dict[str, object] = {"event": type(event).__name__, "version": EVENTS_VERSION}
    for field in dataclasses.fields(event):
        value = getattr(event, field.name)
        if isinstance(value, Decimal):
            value = float(value)
        elif isinstance(value, Usage):
            value = {
                "prompt_tokens": value.prompt_tokens,
                "completion_tokens": value.completion_tokens,
                "cached_tokens": value.cached_tokens,
                "reasoning_tokens": value.reasoning_tokens,
                "total_tokens": value.total_tokens,
                "source": value.source,
            }
        record[field.name] = value
    return json.dumps(record, ensure_ascii=False)
