"""What goes to a model and what comes back: the values between `chat` and `models`.

A `ModelClient` turns one `ModelRequest` into a stream of `ModelEvent`s. The stream ends with
exactly one `Finished`; anything else that ends it is a `ModelError`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal, Protocol

from chatglass.models.exchange import Exchange
from chatglass.values.usage import Cost, Usage
from chatglass.values.ways import named, unnamed

JsonObject = dict[str, Any]

WINDOW_FULL = "model_context_window_exceeded"
"""A finish reason (Anthropic, z.ai): the answer was cut, or is empty, since the window was full."""

ErrorKind = Literal[
    "unreachable",  # nothing answers at the base URL
    "auth",  # 401, 403, no key
    "not_found",  # 404, unknown model
    "rate_limit",  # 429 after all retries
    "context_overflow",  # the request is larger than the window
    "rejected",  # another 4xx: the request itself is wrong
    "server",  # 5xx, `event: error`
    "cut",  # the stream ended without a finish reason
    "images",  # the model takes no images
    "empty",  # an answer with nothing in it
    "malformed",  # HTML, or data that is not JSON
    "timeout",
]


class ModelError(Exception):
    """A request that failed. `cause` and `advice` are sentences for the screen, the advice with
    places for the names of actions (`values.ways`).

    `retryable` says whether sending the same again may help, and `wait_s` after how many seconds,
    where the server said so; `usage` is what the provider reported of a request that failed after it
    had answered (an empty answer is billed too); `window` is the most tokens that it takes, as named
    by a refusal for length.
    """

    def __init__(
        self,
        kind: ErrorKind,
        cause: str,
        advice: str,
        *,
        status: int | None = None,
        retryable: bool = False,
        wait_s: float | None = None,
        usage: Usage | None = None,
        window: int | None = None,
    ) -> None:
        super().__init__(f"{cause} {named(advice, unnamed)}".strip())
        self.kind: ErrorKind = kind
        self.cause = cause
        self.advice = advice
        self.status = status
        """Of HTTP, where one came."""
        self.retryable = retryable
        self.wait_s = wait_s
        self.usage = usage
        self.window = window

    @property
    def reason(self) -> str:
        """What it is in a few words: `429 rate limited`."""
        kind = _IN_SHORT.get(self.kind, self.kind)
        return f"{self.status} {kind}" if self.status else kind


_IN_SHORT: Mapping[ErrorKind, str] = {
    "unreachable": "nothing answers",
    "auth": "no access",
    "not_found": "not found",
    "rate_limit": "rate limited",
    "context_overflow": "context too long",
    "server": "server error",
    "cut": "cut off",
    "images": "takes no images",
    "empty": "empty answer",
    "timeout": "timed out",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelRequest:
    """One call: `messages` is the valid OpenAI list that the stored context stands for."""

    model: str
    messages: Sequence[JsonObject]
    tools: Sequence[JsonObject] = ()
    temperature: float | None = None
    max_output_tokens: int | None = None
    reasoning_effort: str | None = None
    leaves_out_images: bool = False
    """The model is known to take none: words stand in their place."""


@dataclass(frozen=True, slots=True)
class TextPiece:
    text: str


@dataclass(frozen=True, slots=True)
class ReasoningPiece:
    text: str


@dataclass(frozen=True, slots=True)
class ToolCallPiece:
    """Progress of the call at `position` (0, 1, … in the order of the answer): how much of its
    arguments has come. `name` may be empty until it is known."""

    position: int
    name: str
    argument_chars: int


@dataclass(frozen=True, slots=True)
class ProposedCall:
    """One whole tool call of an answer. `id` is unique within the answer, and never empty."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """A retry before the stream began: the client sleeps `seconds`, then tries the `attempt`-th time.
    `reason` is the cause in a few words."""

    seconds: float
    attempt: int
    cause: str
    reason: str


@dataclass(frozen=True, slots=True)
class Adapted:
    """The endpoint refused `field` (`tools`, `stream_options`, …); it was dropped or renamed, and
    that is remembered for this endpoint and model. `note` is a sentence for the screen."""

    field: str
    note: str


@dataclass(frozen=True, slots=True)
class Sent:
    """The body as it was sent (after adaptation, keys of the JSON in order), once per attempt.
    `body` has `messages` and `tools` in it. `exchange` fills with what goes over the wire in this
    attempt; it may be read at any time, and is whole when the next attempt or the stream's end
    comes."""

    body: Mapping[str, Any]
    exchange: Exchange | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """The end of a good stream. `usage` is None where the server reported none."""

    finish_reason: str
    tool_calls: tuple[ProposedCall, ...] = ()
    usage: Usage | None = None
    model: str = ""
    """The model that the server says answered."""
    response_id: str = ""
    """What the server calls the answer."""


ModelEvent = Sent | TextPiece | ReasoningPiece | ToolCallPiece | Waiting | Adapted | Finished


class ModelClient(Protocol):
    """Sends requests to one endpoint."""

    def stream(self, request: ModelRequest) -> AsyncIterator[ModelEvent]:
        """Raises ModelError. Closing the iterator closes the connection."""
        ...

    async def list_models(self) -> list[str]: ...
    async def close(self) -> None: ...


EndpointKind = Literal["openai", "ollama", "lmstudio", "llamacpp", "vllm", "demo", "other"]

_RUN_MODELS: frozenset[EndpointKind] = frozenset({"ollama", "lmstudio", "llamacpp", "vllm"})
"""Servers that run models themselves, rather than pass requests on to who bills them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where requests go. `key` is never shown, logged or stored: `repr` leaves it out."""

    name: str
    base_url: str
    kind: EndpointKind = "other"
    key: str | None = field(default=None, repr=False)
    key_source: str = ""
    """Where the key comes from, for error texts: `OPENAI_API_KEY`, `api_key_cmd of [endpoints.x]`."""
    models: tuple[str, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    is_local: bool = False
    """On this machine: no key is sent unless one is configured for it."""
    free: bool | None = None
    """`free` of the settings; None where they don't say."""

    @property
    def is_demo(self) -> bool:
        return self.kind == "demo"

    @property
    def is_free(self) -> bool:
        """Whether its requests cost nothing: by the settings, else the demo, and what runs models
        on this machine. Another server here may be a proxy to a provider that bills."""
        if self.free is not None:
            return self.free
        return self.is_demo or (self.is_local and self.kind in _RUN_MODELS)


@dataclass(frozen=True, slots=True)
class ModelRef:
    """A model on an endpoint, both by name. Model names are free text."""

    endpoint: str
    model: str


class ModelManager(Protocol):
    """The endpoints and models there are, and what is known of each."""

    @property
    def endpoints(self) -> Mapping[str, Endpoint]: ...

    def client(self, endpoint: str) -> ModelClient:
        """The one client of that endpoint. Raises ModelError for an unknown name."""
        ...

    async def recognise(self, endpoint: str) -> None:
        """Learn what a server on this machine is, where that is not known yet: prices depend on
        it. Takes up to 1 s; does nothing for other endpoints. Never raises."""
        ...

    async def context_window(self, ref: ModelRef) -> int | None:
        """The most tokens the model takes, from settings, server or genai-prices, or as refusals have
        told; else None."""
        ...

    def learn_window(self, ref: ModelRef, window: int) -> None:
        """A request was refused since the model takes no more tokens than that."""
        ...

    async def takes_images(self, ref: ModelRef) -> bool | None:
        """Whether the model takes images, by settings, server, or what it has refused; None where
        nothing says so, and it has to be tried. Takes up to 2 s."""
        ...

    def learn_name(self, ref: ModelRef, answered: str) -> None:
        """The endpoint says that a model of this name answered."""
        ...

    def price(self, ref: ModelRef, usage: Usage, at: int | None = None) -> Cost:
        """What `usage` costs there in a request that began at `at` (milliseconds, None: now). Never
        raises; unknown is `Cost(None, "unknown")`."""
        ...

    def price_at_hand(self, ref: ModelRef, usage: Usage) -> Cost:
        """The same; unknown too while the price list is not imported, which would take 0.1 s."""
        ...

    @property
    def own_prices(self) -> list[str]:
        """The models that the settings give a price."""
        ...

    def prompt_cost(
        self, ref: ModelRef, usage: Usage, cost: Cost, at: int | None = None
    ) -> Decimal | None:
        """What of `cost` the prompt took; None where that can't be said."""
        ...

    def estimate_tokens(self, ref: ModelRef, text: str) -> int:
        """Tokens of `text` for that model, by character class."""
        ...

    def calibrated(self, ref: ModelRef, tokens: int) -> int:
        """`tokens` of `models.estimates`, which know no model, as that model would count them."""
        ...

    def calibrate(self, ref: ModelRef, estimated: int, reported: int) -> None:
        """Learn from one request whose prompt was estimated and then reported."""
        ...
