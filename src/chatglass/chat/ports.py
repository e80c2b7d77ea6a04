"""The questions the engine asks while it runs a turn; the TUI, `-p` and tests answer them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal

from chatglass.store.records import RequestPurpose
from chatglass.tools.tool import Assessment, ToolSpec
from chatglass.values.figures import counted


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingCall:
    """A valid call that waits for its decision."""

    session_id: str
    turn_id: str
    tool_call_id: str
    spec: ToolSpec
    arguments: dict[str, Any]
    assessment: Assessment
    root: str
    asked_by: str = ""
    """The rule, mode or default that makes it ask."""
    edited: bool = False
    """These are the user's own arguments, of which there is now more to say than was shown."""


@dataclass(frozen=True, slots=True)
class Ask:
    """A person must answer; `by` is the rule, mode or default that says so."""

    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """`edited` runs `arguments` instead; a denial's `reason` goes to the model."""

    verdict: Literal["allow", "deny", "edited"]
    decided_by: str
    reason: str = ""
    arguments: dict[str, Any] | None = None


DecideTool = Callable[[PendingCall], Awaitable[Decision]]
"""A person's answer to a call that nothing else decides."""

JudgeCall = Callable[[PendingCall], Decision | Ask]
"""What rules and modes say of a call. May take a while, so it is called in a thread."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """The turn stands still until someone says how it goes on.

    `loop`: the call `tool_call_id` of the tool `name` would run unasked, and is made with the same
    arguments for the `count`-th time in the turn. `requests`: the turn has made `count` requests,
    as many as it may. `more`: how many more going on allows.
    """

    session_id: str
    turn_id: str
    kind: Literal["loop", "requests"]
    count: int
    more: int
    tool_call_id: str = ""
    name: str = ""
    arguments: dict[str, Any] = field(default_factory=dict[str, Any])

    @property
    def words(self) -> str:
        if self.kind == "loop":
            return (
                f"{self.name} was called with the same arguments {self.count} times in this turn."
            )
        requests = counted(self.count, "request")
        return f"This turn made {requests}, which is the limit."


@dataclass(frozen=True, slots=True)
class GoOn:
    """For `Pause.more` more calls or requests; then it pauses again."""


@dataclass(frozen=True, slots=True)
class EndTurn:
    """The turn ends with status `limit`."""


@dataclass(frozen=True, slots=True)
class TellModel:
    """A call is denied with `text` as the reason; a request that may be the last carries `text` as a
    message of the user."""

    text: str


AskToGoOn = Callable[[Pause], Awaitable[GoOn | EndTurn | TellModel]]


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestPlan:
    """The next request before it is sent. Tokens are estimates; `cost` is None where unpriced."""

    session_id: str
    turn_id: str
    endpoint: str
    model: str
    messages: Sequence[dict[str, Any]] = field(repr=False)
    estimated_tokens: int
    limit: int | None
    cost: Decimal | None
    request_number: int
    """1 for the first request of the turn."""
    cost_with_answer: Decimal | None = None
    """`cost` and that of an answer as long as the longest of the session so far, 1,000 tokens at
    least and the session's most output at most."""
    price_source: str = "unknown"
    purpose: RequestPurpose = "answer"
    """`compaction`: a summary is asked for; answering `Compact` to it means `Proceed`, and a `Stop`
    is shown as the reason why there is none."""


@dataclass(frozen=True, slots=True)
class Proceed:
    """Send it. A `warning` is shown first, with `advice`."""

    warning: str = ""
    advice: str = ""


@dataclass(frozen=True, slots=True)
class Compact:
    """Compact first, then ask again."""


@dataclass(frozen=True, slots=True)
class Stop:
    """Do not send. The turn ends with status `limit`, and `reason` is shown with the way on."""

    reason: str
    advice: str = ""


BeforeRequest = Callable[[RequestPlan], Awaitable[Proceed | Compact | Stop]]
