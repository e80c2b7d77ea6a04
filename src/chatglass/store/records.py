"""The rows of the store, as values.

Times are integers in milliseconds since the epoch (`*_at`), durations integers in milliseconds,
costs decimals in USD. Ids are ULIDs of `chatglass.values.ids` and never change.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

from chatglass.values.usage import Usage

Role = Literal["system", "user", "assistant", "tool"]

MessageStatus = Literal["complete", "partial", "interrupted", "error"]
"""`partial`: being streamed, or found so after a crash (then `recover()` makes it `interrupted`)."""

RequestPurpose = Literal["answer", "compaction", "sampling"]
"""`sampling`: for an MCP server that asked for an answer of the model."""
RequestStatus = Literal["running", "complete", "interrupted", "error"]

ToolCallState = Literal[
    "proposed", "asking", "approved", "running", "ok", "error", "denied", "cancelled", "unknown"
]
"""`unknown`: found `running` after a crash; it may have taken effect."""


COPIED = "copied"
"""As the request of a tool call: it was made in the session that this one is a fork of, where it is
counted."""

_PICO = Decimal("1e-12")


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameters:
    """What a session sends beside its messages. None: the endpoint's default."""

    system_prompt: str | None = None
    temperature: float | None = None
    max_output_tokens: int | None = None
    reasoning_effort: str | None = None
    budget_soft: str | None = None
    """USD as decimal text (`0.50`) that the session may spend before it warns; None: what the
    settings say; empty: no such limit."""
    budget_hard: str | None = None
    """The same before it asks."""
    compaction: str | None = None
    """The name of the strategy that compacts this session; None: what the settings say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionRow:
    """A session without its messages.

    `leaf_id` is the last message of the shown path, None where the path is empty; `root` the
    absolute working directory; `cost` the sum of all priced requests of all branches.
    """

    id: str
    title: str
    root: str
    endpoint: str
    model: str
    created_at: int
    updated_at: int
    title_by_user: bool = False
    leaf_id: str | None = None
    parameters: Parameters = field(default_factory=Parameters)
    draft: str = ""
    pinned: bool = False
    archived: bool = False
    tags: tuple[str, ...] = ()
    forked_from: tuple[str, str] | None = None
    """(session id, message id) of the origin of a fork."""
    # Kept by the store with every write, so that listing reads no transcript.
    messages: int = 0
    requests: int = 0
    unpriced_requests: int = 0
    estimated_requests: int = 0
    tool_calls: int = 0
    total_tokens: int = 0
    cost: Decimal = Decimal(0)
    last_status: MessageStatus = "complete"
    """Status of the newest assistant message."""
    excerpt: str = ""
    """The start of the first prompt, at most 200 characters."""

    @property
    def known_cost(self) -> Decimal | None:
        """None where there is nothing that could be priced."""
        none = not self.cost and (self.unpriced_requests or not self.total_tokens)
        return None if none else self.cost


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageRow:
    """One message. Final once its status is not `partial`: edits and retries are new rows.

    `content` is text, or for prompts with attachments the JSON array of OpenAI content parts
    (`content_is_json`). `tool_calls` is OpenAI's array as JSON text, byte for byte as it is sent.
    """

    id: str
    session_id: str
    parent_id: str | None
    turn_id: str
    role: Role
    content: str
    created_at: int
    status: MessageStatus = "complete"
    content_is_json: bool = False
    reasoning: str = ""
    reasoning_ms: int = 0
    tool_calls: str | None = None
    tool_call_id: str | None = None
    tool_name: str | None = None
    endpoint: str | None = None
    model: str | None = None
    error: str | None = None
    """Of an assistant message that ended in an error: the cause in words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestRow:
    """One call to a model.

    `parts` says by reference what was sent, in order: `("path", "FIRST LAST")` for the stored
    messages from FIRST down the path to LAST, `("short", "FIRST LAST")` for the same with stubs
    instead of long results of tools and long texts in arguments (`"stubs"`: of results alone, as
    versions before did), or `("blob", hash)` for the JSON text of one message
    kept in the blobs (the system prompt, a summary, a message that was sent otherwise than it is
    stored). Ranges, since a list of ids would grow with every request of a long session.
    `tools_hash` and `body_hash` name the blobs with the tool schemas and with the rest
    of the body. From these the body is rebuilt byte for byte. They are stored before it is sent.
    """

    id: str
    session_id: str
    turn_id: str
    message_id: str | None
    """The assistant message it answered into."""
    purpose: RequestPurpose
    endpoint: str
    base_url: str
    model: str
    started_at: int
    status: RequestStatus = "running"
    parts: tuple[tuple[str, str], ...] = ()
    tools_hash: str | None = None
    body_hash: str | None = None
    wire_hash: str | None = None
    """The blob with where it went and what came back (`chat.wire_record`); None where nothing of
    that is kept."""
    compaction_id: str | None = None
    """The compaction in force; of a request with the purpose `compaction` the one that it makes."""
    first_token_at: int | None = None
    finished_at: int | None = None
    finish_reason: str | None = None
    attempts: int = 1
    estimated_prompt_tokens: int = 0
    usage: Usage | None = None
    cost: Decimal | None = None
    price_source: str = "unknown"
    prompt_cost: Decimal | None = None
    """What of `cost` the prompt took, by the price list; None where that can't be said."""
    tool_tokens: tuple[tuple[str, int], ...] = ()
    """The tools whose results the prompt held, each with the estimated tokens of them."""
    error: str | None = None

    def tool_shares(self) -> list[ToolShare]:
        """What the results of each tool cost in this request: of `prompt_cost` the part that they
        are of the prompt's tokens. Empty before there is usage."""
        if self.usage is None:
            return []
        # Where the estimates come to more than the prompt had, they share the whole of it.
        whole = max(self.usage.prompt_tokens, sum(tokens for _, tokens in self.tool_tokens), 1)
        return [
            ToolShare(
                name,
                tokens,
                None
                if self.prompt_cost is None
                else (self.prompt_cost * tokens / whole).quantize(_PICO),
            )
            for name, tokens in self.tool_tokens
        ]


@dataclass(frozen=True, slots=True)
class ToolShare:
    """What the results of one tool were of one request: estimated tokens and USD."""

    name: str
    tokens: int
    cost: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCallRow:
    """One tool call with its decision and result.

    `call_id` is the id in the message list (ours where the provider gave none or repeated one).
    `arguments` is the text as the model wrote it; `edited_arguments` what ran instead, if it was
    edited. What the tool produced, and what the model saw of it, are read apart
    (`SessionStore.tool_result`), since a result may be large.
    """

    id: str
    session_id: str
    turn_id: str
    request_id: str
    """The request whose answer made it; empty where that is not known, or `COPIED`."""
    message_id: str
    call_id: str
    position: int
    name: str
    arguments: str
    proposed_at: int
    server: str = ""
    """The MCP server it went to; empty for built-in tools."""
    state: ToolCallState = "proposed"
    edited_arguments: str | None = None
    decided_by: str = ""
    """Who or what rule decided: `user`, `policy: …`, `flag --yolo`, `session grant`."""
    reason: str = ""
    decided_at: int | None = None
    started_at: int | None = None
    finished_at: int | None = None
    result_bytes: int = 0
    seen_bytes: int = 0
    error: str | None = None

    @property
    def duration_ms(self) -> int | None:
        if self.started_at is None or self.finished_at is None:
            return None
        return self.finished_at - self.started_at


@dataclass(frozen=True, slots=True)
class ToolResult:
    """`produced`: all the tool gave; `seen`: what the model got of it."""

    produced: str
    seen: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CompactionRow:
    """From `anchor_id` on (the message after which it was made), what lies before
    `first_kept_id` on the path is sent as `summary` instead (empty: it is left out), and the
    results of tools and long texts in calls up to the message `elided_through` as stubs.

    It holds wherever its anchor is on the shown path, until another row `replaces` it: one with an
    edited summary, or one that is `undone`, from which on it never was. The requests to a model
    that it took carry its id as their `compaction_id`.
    """

    id: str
    session_id: str
    anchor_id: str
    first_kept_id: str
    strategy: str
    created_at: int
    summary: str = ""
    request_id: str | None = None
    """The last request that it took, which wrote `summary`."""
    tokens_before: int = 0
    tokens_after: int = 0
    elided_through: str | None = None
    replaces: str | None = None
    """The compaction (or version of it) that this row is a newer version of."""
    undone: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuedPrompt:
    """A prompt that was entered while the engine was busy, in the order of `id`."""

    id: str
    session_id: str
    text: str
    created_at: int
    content_json: str | None = None
    """The OpenAI content parts, where there are attachments."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WholeSession:
    """A session with all that is its own, as it is exported and imported.

    `messages` stand in the order in which they were written, so a parent before its children;
    `requests` have their `parts`; `results` are by the id of the tool call; `blobs` by their hash,
    and hold what the requests refer to. The totals of `session` follow from the rest.
    """

    session: SessionRow
    messages: tuple[MessageRow, ...] = ()
    requests: tuple[RequestRow, ...] = ()
    tool_calls: tuple[ToolCallRow, ...] = ()
    results: Mapping[str, ToolResult] = field(default_factory=dict[str, ToolResult])
    compactions: tuple[CompactionRow, ...] = ()
    queued: tuple[QueuedPrompt, ...] = ()
    blobs: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True, kw_only=True)
class Added:
    """What was new of a `WholeSession`: rows that were not there, or were there unfinished."""

    is_new: bool = False
    """The session itself was not there."""
    messages: int = 0
    requests: int = 0
    tool_calls: int = 0
    others: int = 0
    """Compactions and queued prompts."""

    def __bool__(self) -> bool:
        return self.is_new or bool(self.messages + self.requests + self.tool_calls + self.others)


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionQuery:
    """What to list: newest first, at most `limit` rows after `offset`."""

    title_contains: str = ""
    root: str | None = None
    include_archived: bool = False
    limit: int = 20_000
    offset: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """The process that runs a session. `started` and `boot` tell a later process of the same pid apart."""

    pid: int
    started: str
    """When the process started, in the words of its system; only equality means anything."""
    boot: str
    """Which boot of the machine; empty where the system does not say."""
    claimed_at: int
    host: str = ""
    """Its name, where it is another machine."""


@dataclass(frozen=True, slots=True)
class StoreSize:
    """Bytes that the store takes, and how many of these its search index; about, not to the byte."""

    total: int
    search: int
