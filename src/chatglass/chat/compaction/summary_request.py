"""SummaryRequests: the requests to a model that a compaction takes, stored and priced as others."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, cast

from chatglass.chat.compaction.strategy import SummaryFailed
from chatglass.chat.events import UsageReported
from chatglass.chat.ports import BeforeRequest, Proceed, RequestPlan, Stop
from chatglass.chat.sent_body import record_body
from chatglass.chat.shown_path import Outgoing
from chatglass.chat.to_the_end import finished, to_the_end
from chatglass.chat.turn_events import TurnEvents
from chatglass.chat.wire_record import encode_record
from chatglass.models.estimates import estimate_request
from chatglass.models.exchange import Exchange
from chatglass.models.wire import (
    Adapted,
    Finished,
    JsonObject,
    ModelError,
    ModelEvent,
    ModelRef,
    ModelRequest,
    ReasoningPiece,
    Sent,
    TextPiece,
    Waiting,
)
from chatglass.store.records import RequestRow, RequestStatus
from chatglass.values.clock import now_ms
from chatglass.values.usage import Usage

if TYPE_CHECKING:
    from chatglass.chat.chat_context import ChatContext

_MOST_ROOM_FOR_ANSWER = 8_192
_THINKING = 2_000
"""Tokens that a reasoning model may take before the summary begins."""


def summary_model(context: ChatContext, named: str) -> ModelRef:
    """The model that `context.summary_model` names, as `MODEL` of the session's endpoint or as
    `ENDPOINT/MODEL`; the session's own where it is empty."""
    if not named:
        return context.model
    endpoint, slash, model = named.partition("/")
    if slash and endpoint in context.models.endpoints:
        return ModelRef(endpoint, model)
    return ModelRef(context.session.endpoint, named)


@dataclass(slots=True)
class _InFlight:
    row: RequestRow
    outgoing: Outgoing
    estimate: int
    text: list[str] = field(default_factory=list[str])
    reasoning: list[str] = field(default_factory=list[str])
    body: Mapping[str, Any] | None = None
    exchanges: list[Exchange] = field(default_factory=list[Exchange])
    refused: bool = False
    finished: Finished | None = None


class SummaryRequests:
    """A `Summariser` for one compaction. Each request is asked about by `before_request`, and told
    by UsageReported."""

    def __init__(
        self,
        context: ChatContext,
        events: TurnEvents,
        before_request: BeforeRequest,
        *,
        compaction_id: str,
        model: ModelRef,
        window: int | None,
    ) -> None:
        self._context = context
        self._events = events
        self._before_request = before_request
        self.compaction_id = compaction_id
        self.model = model
        self._window = window
        self.count = 0
        """Requests that were sent."""
        self.last_id: str | None = None

    @property
    def room(self) -> int:
        if self._window is None:
            return self._context.limit()
        return max(min(self._context.size.token_threshold, self._window - self._answer_room), 1)

    @property
    def _answer_room(self) -> int:
        assert self._window is not None
        return min(_MOST_ROOM_FOR_ANSWER, self._window // 4)

    async def ask(self, instructions: str, text: str, *, most: int) -> str:
        messages: list[JsonObject] = [
            {"role": "system", "content": instructions},
            {"role": "user", "content": text},
        ]
        await self._context.models.recognise(self.model.endpoint)
        estimate = self._context.models.calibrated(self.model, estimate_request(messages))
        await self._may_send(messages, estimate, most)
        flight, stopped = await finished(self._begin(messages, estimate))
        error: ModelError | None = None
        status: RequestStatus = "interrupted" if stopped else "complete"
        if not stopped:
            try:
                await self._stream(flight, most)
            except ModelError as raised:
                error, status = raised, "error"
            except asyncio.CancelledError:
                status = "interrupted"
            except Exception:
                # A fault of ours, which is raised further: the row must not stay open.
                await to_the_end(self._end(flight, "error", None))
                raise
        _, stopped_at_end = await finished(self._end(flight, status, error))
        if status == "interrupted" or stopped_at_end:
            raise asyncio.CancelledError
        if error is not None:
            raise SummaryFailed(error.cause, too_large=error.kind == "context_overflow") from error
        return "".join(flight.text)

    async def _may_send(self, messages: list[JsonObject], estimate: int, most: int) -> None:
        """Raises SummaryFailed where a budget says no."""
        context = self._context
        usage = Usage(prompt_tokens=estimate, source="estimated")
        price = context.models.price(self.model, usage)
        answered = context.models.price(self.model, replace(usage, completion_tokens=most))
        answer = await self._before_request(
            RequestPlan(
                session_id=context.session.id,
                turn_id=self._events.turn_id,
                endpoint=self.model.endpoint,
                model=self.model.model,
                messages=messages,
                estimated_tokens=estimate,
                limit=self.room,
                cost=price.usd,
                request_number=self.count + 1,
                cost_with_answer=answered.usd,
                price_source=price.source,
                purpose="compaction",
            )
        )
        if isinstance(answer, Stop):
            raise SummaryFailed(answer.reason)
        if isinstance(answer, Proceed) and answer.warning:
            self._events.notice("warning", answer.warning, answer.advice, "budget")

    async def _begin(self, messages: list[JsonObject], estimate: int) -> _InFlight:
        context = self._context
        row = context.requests.new(
            context.session, self._events.turn_id, None, "compaction", model=self.model
        )
        row = replace(row, compaction_id=self.compaction_id, estimated_prompt_tokens=estimate)
        await context.store.add_request(row)
        context.requests.pending = estimate
        self.count, self.last_id = self.count + 1, row.id
        return _InFlight(row, Outgoing(messages, [None] * len(messages)), estimate)

    async def _stream(self, flight: _InFlight, most: int) -> None:
        request = ModelRequest(
            model=self.model.model,
            messages=flight.outgoing.messages,
            max_output_tokens=self._most_output(most),
        )
        client = self._context.models.client(self.model.endpoint)
        stream = cast(AsyncGenerator[ModelEvent], client.stream(request))
        async with aclosing(stream):
            async for piece in stream:
                if isinstance(piece, Sent):
                    await self._record(piece, flight)
                else:
                    self._take(piece, flight)

    async def _record(self, sent: Sent, flight: _InFlight) -> None:
        """Store what is about to be sent: a request that the process is killed in has it too."""
        flight.body, flight.refused = sent.body, False
        if sent.exchange is not None:
            flight.exchanges.append(sent.exchange)
        store = self._context.store
        parts, tools_hash, body_hash = await record_body(store, sent.body, flight.outgoing)
        row = replace(flight.row, parts=parts, tools_hash=tools_hash, body_hash=body_hash)
        await store.finish_request(row)
        # The parts stay with the row: they need not be written with its end once more.
        flight.row = replace(row, parts=())

    def _most_output(self, most: int) -> int:
        wanted = 2 * most + _THINKING
        return wanted if self._window is None else min(wanted, self._answer_room)

    def _take(self, piece: ModelEvent, flight: _InFlight) -> None:
        match piece:
            case TextPiece(text):
                flight.row = replace(
                    flight.row, first_token_at=flight.row.first_token_at or now_ms()
                )
                flight.text.append(text)
            case ReasoningPiece(text):
                flight.row = replace(
                    flight.row, first_token_at=flight.row.first_token_at or now_ms()
                )
                flight.reasoning.append(text)
            case Waiting(seconds, attempt, cause, _):
                flight.refused = True
                flight.row = replace(flight.row, attempts=attempt)
                again = f"It is asked again in {seconds:.0f} s."
                self._events.notice("warning", cause, again, "compaction")
            case Adapted(_, note):
                flight.refused = True
                self._events.notice("information", note, kind="adapted")
            case Finished():
                flight.finished = piece
            case _:
                pass

    async def _end(
        self, flight: _InFlight, status: RequestStatus, error: ModelError | None
    ) -> None:
        context, end = self._context, flight.finished
        row = replace(
            flight.row,
            status=status,
            finish_reason=end.finish_reason if end else None,
            error=error.cause if error else None,
        )
        if flight.exchanges:
            record = encode_record(flight.exchanges)
            row = replace(row, wire_hash=await context.store.put_blob(record))
        usage = end.usage if end else error.usage if error else None
        if usage is not None and usage.prompt_tokens:
            context.models.calibrate(self.model, flight.estimate, usage.prompt_tokens)
        estimate = self._estimated(flight, status)
        row = await context.finish_request(row, usage.filled(estimate) if usage else estimate)
        if row.usage is None:
            return
        before, self._events.request_id = self._events.request_id, row.id
        self._events.emit(
            UsageReported(
                **self._events.stamp(),
                usage=row.usage,
                cost_usd=row.cost,
                price_source=row.price_source,
            )
        )
        self._events.request_id = before

    def _estimated(self, flight: _InFlight, status: RequestStatus) -> Usage | None:
        """Our estimate, for what the provider did not report; None for a request that bills nothing."""
        text, thought = "".join(flight.text), "".join(flight.reasoning)
        if not (text or thought) and (status == "error" or flight.body is None or flight.refused):
            return None
        estimate = self._context.models.estimate_tokens
        reasoning = estimate(self.model, thought) if thought else 0
        written = estimate(self.model, text) if text else 0
        return Usage(
            prompt_tokens=flight.estimate,
            completion_tokens=written + reasoning,
            reasoning_tokens=reasoning,
            source="estimated",
        )
