"""One request to a model, led from its row to its end, whatever it is for.

The row is stored before anything is sent, and the body as it goes out; what comes back goes to a
`Recipient` as it comes. At the end, also where the request failed or was stopped, the row gets its
usage (our estimate where none was reported), its price, and what went over the wire.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Callable, Coroutine, Mapping
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol, cast

from chatglass.chat.events import RequestEnd
from chatglass.chat.sent_body import record_body
from chatglass.chat.shown_path import Outgoing
from chatglass.chat.to_the_end import finished, to_the_end
from chatglass.chat.tool_tokens import ToolTokens
from chatglass.chat.wire_record import encode_record
from chatglass.models.exchange import Exchange
from chatglass.models.wire import (
    Adapted,
    Finished,
    ModelError,
    ModelEvent,
    ModelRef,
    ModelRequest,
    ProposedCall,
    ReasoningPiece,
    Sent,
    TextPiece,
    ToolCallPiece,
    Waiting,
)
from chatglass.store.protocol import StoreError
from chatglass.store.records import RequestRow
from chatglass.values.clock import now_ms
from chatglass.values.text import storable
from chatglass.values.usage import Usage

if TYPE_CHECKING:
    from chatglass.chat.chat_context import ChatContext

Piece = TextPiece | ReasoningPiece | ToolCallPiece | Waiting | Adapted | Finished
"""What a recipient gets."""

_LEAST_WINDOW = 2_048
"""Tokens. A shorter prompt that is refused as too long says nothing of the window."""
_CHARS_OF_A_TOKEN = 4
"""Of the JSON of tool calls, about."""


@dataclass(frozen=True, slots=True)
class Ending:
    """How a request ended. `stopped`: whoever waits for it is to end, though it may be complete."""

    row: RequestRow
    """As stored, once it is."""
    status: RequestEnd
    finished: Finished | None = None
    error: ModelError | None = None
    stopped: bool = False

    @property
    def calls(self) -> tuple[ProposedCall, ...]:
        """Those of a whole answer."""
        return self.finished.tool_calls if self.finished and self.status == "complete" else ()


class Recipient(Protocol):
    """Who gets what comes of one request."""

    @property
    def chars(self) -> int:
        """Characters of output that came, reasoning and arguments too."""
        ...

    @property
    def first_token_at(self) -> int | None: ...

    def started(self, row: RequestRow) -> None:
        """The row is stored; the request goes out now."""
        ...

    def take(self, piece: Piece) -> None: ...

    def unsaved(self, failure: StoreError) -> None:
        """Something could not be stored yet; the request goes on, and it is tried again."""
        ...

    async def keep(self, ending: Ending) -> None:
        """Store what came. The row is not at its end yet."""
        ...

    def said(self) -> tuple[str, str]:
        """The text and the reasoning that came, after `keep`."""
        ...

    async def ended(self, ending: Ending) -> None:
        """The row is stored with its end."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Departure:
    """A request that is about to be made. Its row is not stored yet."""

    row: RequestRow
    """With the estimated tokens of its prompt."""
    request: ModelRequest
    recipient: Recipient
    outgoing: Outgoing | None = None
    """The stored messages that the request's are; None where they stand nowhere else."""
    uncorrected: int = 0
    """Tokens of the prompt by our estimate alone, which calibration corrects; 0: those of the row."""
    tool_tokens: ToolTokens | None = None
    """Counts the results among the messages."""


@dataclass(frozen=True, slots=True)
class RequestBegan:
    row: RequestRow
    request: ModelRequest


@dataclass(frozen=True, slots=True)
class RequestWaits:
    """It was refused, and goes out again."""

    row: RequestRow
    waiting: Waiting


@dataclass(frozen=True, slots=True)
class RequestEnded:
    ending: Ending
    text: str


RequestFact = RequestBegan | RequestWaits | RequestEnded
"""What is told of every request, those beside the conversation too."""
WatchRequest = Callable[[RequestFact], None]
"""Must not raise, nor take long."""


async def lead(
    context: ChatContext,
    opening: Coroutine[Any, Any, Departure],
    watch: WatchRequest | None = None,
) -> Ending:
    """Make the request that `opening` prepares (which runs to its end, as what it stores belongs to
    the row). A ModelError and a cancellation are told by the ending, not raised. Raises StoreError."""
    flight, stopped = await finished(_begin(context, opening, watch))
    error: ModelError | None = None
    status: RequestEnd = "interrupted" if stopped else "complete"
    try:
        if not stopped:
            try:
                await flight.stream()
            except ModelError as raised:
                error, status = raised, "error"
            except asyncio.CancelledError:
                status = "interrupted"
            except Exception:
                # A fault of ours, which is raised further: the row must not stay open.
                await to_the_end(flight.end("error", None))
                raise
        ending, stopped_at_end = await finished(flight.end(status, error))
    finally:
        context.requests.forget(flight.row.id)
    return replace(ending, stopped=stopped_at_end or status == "interrupted")


async def _begin(
    context: ChatContext, opening: Coroutine[Any, Any, Departure], watch: WatchRequest | None
) -> _Flight:
    departure = await opening
    await context.requests.begin(departure.row)
    flight = _Flight(context, departure, watch)
    departure.recipient.started(departure.row)
    flight.tell(RequestBegan(departure.row, departure.request))
    return flight


class _Flight:
    """A request under way."""

    def __init__(
        self, context: ChatContext, departure: Departure, watch: WatchRequest | None
    ) -> None:
        self.row = departure.row
        self._context = context
        self._departure = departure
        self._recipient = departure.recipient
        self._watch = watch
        messages = departure.request.messages
        self._outgoing = departure.outgoing or Outgoing(list(messages), [None] * len(messages))
        self._body: Mapping[str, Any] | None = None
        """As it was sent the last time."""
        self._is_recorded = False
        """`_body` is stored."""
        self._exchanges: list[Exchange] = []
        """One for each attempt."""
        self._refused = False
        """The endpoint turned the last attempt down: it bills nothing."""
        self._finished: Finished | None = None
        self._drafted: dict[int, int] = {}
        """Characters of arguments so far, by the call's position."""

    @property
    def _model(self) -> ModelRef:
        return ModelRef(self.row.endpoint, self.row.model)

    def tell(self, fact: RequestFact) -> None:
        if self._watch is not None:
            self._watch(fact)

    # -- on the way

    async def stream(self) -> None:
        """Raises ModelError."""
        client = self._context.models.client(self.row.endpoint)
        stream = cast(AsyncGenerator[ModelEvent], client.stream(self._departure.request))
        async with aclosing(stream):
            async for piece in stream:
                if isinstance(piece, Sent):
                    await self._record(piece)
                else:
                    self._take(piece)

    async def _record(self, sent: Sent) -> None:
        """Store what is about to be sent: a request that the process is killed in has it too."""
        self._body, self._is_recorded, self._refused = sent.body, False, False
        if sent.exchange is not None:
            self._exchanges.append(sent.exchange)
        try:
            await self._store_body(sent.body)
            await self._context.store.finish_request(self.row)
        except StoreError as failure:
            self._recipient.unsaved(failure)
        else:
            # The parts stay with the row: they need not be written with its end once more.
            self.row = replace(self.row, parts=())

    async def _store_body(self, body: Mapping[str, Any]) -> None:
        store = self._context.store
        parts, tools_hash, body_hash = await record_body(store, body, self._outgoing)
        self.row = replace(self.row, parts=parts, tools_hash=tools_hash, body_hash=body_hash)
        self._is_recorded = True

    def _take(self, piece: Piece) -> None:
        match piece:
            case ToolCallPiece(position, _, argument_chars):
                self._drafted[position] = argument_chars
            case Waiting():
                self._refused = True
                self.row = replace(self.row, attempts=piece.attempt)
                self.tell(RequestWaits(self.row, piece))
            case Adapted():
                self._refused = True
            case Finished():
                self._finished = piece
            case _:
                pass
        self._recipient.take(piece)

    # -- the end

    async def end(self, status: RequestEnd, error: ModelError | None) -> Ending:
        """Store what came, then the row; tell of both."""
        ending = Ending(self.row, status, self._finished, error)
        await self._recipient.keep(ending)
        if error is not None and error.kind == "context_overflow":
            self._learn_window(error)
        ending = replace(ending, row=await self._finish_row(status, error))
        self.tell(RequestEnded(ending, self._recipient.said()[0]))
        await self._recipient.ended(ending)
        return ending

    def _learn_window(self, error: ModelError) -> None:
        """It is what the refusal says, else smaller than this prompt."""
        models, estimate = self._context.models, self.row.estimated_prompt_tokens
        if error.window is not None:
            models.learn_window(self._model, error.window)
        # A proxy that takes no body of that size (413) does not speak of tokens.
        elif error.status != 413 and estimate >= _LEAST_WINDOW:
            models.learn_window(self._model, estimate)

    async def _finish_row(self, status: RequestEnd, error: ModelError | None) -> RequestRow:
        context, end = self._context, self._finished
        if self._body is not None and not self._is_recorded:
            await self._store_body(self._body)
        row = replace(
            self.row,
            status=status,
            first_token_at=self._recipient.first_token_at,
            finish_reason=end.finish_reason if end else None,
            error=error.cause if error else None,
        )
        if self._exchanges:
            record = encode_record(self._exchanges)
            row = replace(row, wire_hash=await context.store.put_blob(record))
        if self._body is not None:
            row = replace(row, tool_tokens=self._of_tools())
        usage = end.usage if end else error.usage if error else None
        if usage is not None and usage.prompt_tokens:
            estimated = self._departure.uncorrected or row.estimated_prompt_tokens
            context.models.calibrate(self._model, estimated, usage.prompt_tokens)
        if end is not None:
            context.models.learn_name(self._model, end.model)
        estimate = self._estimated_usage(status)
        return await context.finish_request(row, usage.filled(estimate) if usage else estimate)

    def _of_tools(self) -> tuple[tuple[str, int], ...]:
        """Tokens of the results that were sent, by tool."""
        counter = self._departure.tool_tokens
        tokens = counter.of(self._outgoing.messages) if counter else {}
        models = self._context.models
        return tuple(
            (name, models.calibrated(self._model, n)) for name, n in sorted(tokens.items())
        )

    def _estimated_usage(self, status: RequestEnd) -> Usage | None:
        """Our estimate, for what the provider did not report.

        None for a request that was refused, since it bills nothing; one that was sent and then
        stopped counts with its prompt.
        """
        nothing_billed = status == "error" or self._body is None or self._refused
        if not self._recipient.chars and nothing_billed:
            return None
        text, thought = self._recipient.said()
        completion = self._tokens(text + thought)
        if self._finished is not None:
            calls = [call.name + call.arguments for call in self._finished.tool_calls]
            completion += self._tokens(json.dumps(calls)) if calls else 0
        else:
            # Of calls that were broken off, only their length is known.
            completion += sum(self._drafted.values()) // _CHARS_OF_A_TOKEN
        return Usage(
            prompt_tokens=self.row.estimated_prompt_tokens,
            completion_tokens=completion,
            reasoning_tokens=self._tokens(thought),
            source="estimated",
        )

    def _tokens(self, text: str) -> int:
        return self._context.models.estimate_tokens(self._model, text) if text else 0


class HeldAnswer:
    """A Recipient for requests beside the conversation: their answers are not messages, and are
    kept in memory alone."""

    def __init__(self) -> None:
        self.chars = 0
        self.first_token_at: int | None = None
        self._text: list[str] = []
        self._thought: list[str] = []

    def said(self) -> tuple[str, str]:
        return storable("".join(self._text)), storable("".join(self._thought))

    def started(self, row: RequestRow) -> None:
        pass

    def take(self, piece: Piece) -> None:
        match piece:
            case TextPiece(text):
                self._add(text, self._text)
            case ReasoningPiece(text):
                self._add(text, self._thought)
            case _:
                pass

    def _add(self, text: str, to: list[str]) -> None:
        self.first_token_at = self.first_token_at or now_ms()
        self.chars += len(text)
        to.append(text)

    def unsaved(self, failure: StoreError) -> None:
        """Nothing is lost yet: it is stored with the row's end, or that fails."""

    async def keep(self, ending: Ending) -> None:
        pass

    async def ended(self, ending: Ending) -> None:
        pass
