"""ModelRequestRunner: one request of a turn, from the list to the stored answer."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import Any, cast

from chatglass.chat.chat_context import ChatContext
from chatglass.chat.events import (
    ReasoningDelta,
    RequestEnd,
    RequestFinished,
    RequestStarted,
    Retrying,
    TextDelta,
    ToolCallDelta,
    ToolCallProposed,
    UsageReported,
)
from chatglass.chat.sent_body import record_body
from chatglass.chat.shown_path import Outgoing
from chatglass.chat.streamed_answer import StreamedAnswer
from chatglass.chat.to_the_end import finished, to_the_end
from chatglass.chat.tool_tokens import ToolTokens
from chatglass.chat.turn_events import TurnEvents
from chatglass.chat.wire_record import encode_record
from chatglass.models.adaptation import has_images
from chatglass.models.exchange import Exchange
from chatglass.models.wire import (
    Adapted,
    Finished,
    ModelError,
    ModelEvent,
    ModelRef,
    ModelRequest,
    ReasoningPiece,
    Sent,
    TextPiece,
    ToolCallPiece,
    Waiting,
)
from chatglass.store.protocol import StoreError
from chatglass.store.records import MessageStatus, RequestRow, ToolCallRow
from chatglass.values.usage import Usage

_Piece = TextPiece | ReasoningPiece | ToolCallPiece | Waiting | Adapted | Finished

_CHARS_OF_A_TOKEN = 4
"""Of the JSON of tool calls, about."""


@dataclass(frozen=True, slots=True)
class AnswerOutcome:
    """How a request ended: its stored tool calls, or the error that was shown.

    `stopped`: the turn was stopped meanwhile, and the calls, if there are any, must not run.
    """

    calls: tuple[ToolCallRow, ...] = ()
    finish_reason: str | None = None
    error: ModelError | None = None
    stopped: bool = False


@dataclass(slots=True)
class _InFlight:
    """A request under way."""

    row: RequestRow
    answer: StreamedAnswer
    outgoing: Outgoing
    estimate: int
    """Tokens of the prompt, as well as they are known before it is sent."""
    uncorrected: int
    """The same by our estimate alone, which calibration corrects."""
    body: Mapping[str, Any] | None = None
    """As it was sent the last time."""
    is_recorded: bool = False
    """`body` is stored."""
    exchanges: list[Exchange] = field(default_factory=list[Exchange])
    """One for each attempt."""
    refused: bool = False
    """The endpoint turned the last attempt down: it bills nothing."""
    unsaved: bool = False
    """A write of the answer failed, and that was told."""
    finished: Finished | None = None
    drafted: dict[int, int] = field(default_factory=dict[int, int])
    """Characters of arguments so far, by the call's position."""


class ModelRequestRunner:
    def __init__(self, context: ChatContext) -> None:
        self._context = context
        self._tool_tokens = ToolTokens()
        self._tells_overflow = True
        self._told_of_images: set[ModelRef] = set()

    async def run(self, events: TurnEvents, *, tells_overflow: bool = True) -> AnswerOutcome:
        """Send the context and store the answer. A ModelError is told and returned, not raised; so
        is a cancellation, after what there is of the answer is stored. Without `tells_overflow`
        it is left to the caller to tell that the request was too large."""
        self._tells_overflow = tells_overflow
        try:
            return await self._run(events)
        finally:
            self._context.requests.pending = 0

    async def _run(self, events: TurnEvents) -> AnswerOutcome:
        flight, stopped = await finished(self._begin(events))
        error: ModelError | None = None
        status: RequestEnd = "interrupted" if stopped else "complete"
        if not stopped:
            try:
                await self._stream(flight, events)
            except ModelError as raised:
                error, status = raised, "error"
            except asyncio.CancelledError:
                status = "interrupted"
            except Exception:
                # A fault of ours, which is raised further: the answer must not stay open.
                await to_the_end(self._end(flight, events, "error", None))
                raise
        calls, stopped_at_end = await finished(self._end(flight, events, status, error))
        reason = flight.finished.finish_reason if flight.finished else None
        stopped = stopped_at_end or status == "interrupted"
        return AnswerOutcome(calls, reason, error, stopped)

    async def _begin(self, events: TurnEvents) -> _InFlight:
        context = self._context
        outgoing = context.outgoing()
        estimate = context.next_request_tokens()
        uncorrected = context.size.estimated_parts(context.session, context.path).total
        message_id = await context.begin_assistant()
        row = context.requests.new(context.session, context.turn_id, message_id)
        compaction = context.path.compaction()
        row = replace(
            row,
            estimated_prompt_tokens=estimate,
            compaction_id=compaction.id if compaction else None,
        )
        await context.store.add_request(row)
        context.requests.pending = estimate
        events.request_id = row.id
        events.emit(
            RequestStarted(
                **events.stamp(),
                message_id=message_id,
                endpoint=row.endpoint,
                model=row.model,
                estimated_prompt_tokens=estimate,
                limit=context.limit(),
            )
        )

        def unsaved(failure: StoreError) -> None:
            if not flight.unsaved:
                flight.unsaved = True
                advice = "The answer goes on; what is on screen may not be saved."
                events.notice("warning", str(failure), advice, "store")

        answer = StreamedAnswer(context, message_id, unsaved)
        flight = _InFlight(row, answer, outgoing, estimate, uncorrected)
        return flight

    async def _stream(self, flight: _InFlight, events: TurnEvents) -> None:
        context, parameters = self._context, self._context.session.parameters
        request = ModelRequest(
            model=flight.row.model,
            messages=flight.outgoing.messages,
            tools=context.tools.schemas(context.path),
            temperature=parameters.temperature,
            max_output_tokens=parameters.max_output_tokens,
            reasoning_effort=parameters.reasoning_effort,
            leaves_out_images=await self._leaves_out_images(flight, events),
        )
        client = context.models.client(flight.row.endpoint)
        stream = cast(AsyncGenerator[ModelEvent], client.stream(request))
        async with aclosing(stream):
            async for piece in stream:
                if isinstance(piece, Sent):
                    await self._record(piece, flight)
                else:
                    self._take(piece, flight, events)

    async def _leaves_out_images(self, flight: _InFlight, events: TurnEvents) -> bool:
        """Whether there are images in the list that the model is known not to take; told once."""
        context = self._context
        if not any(map(has_images, flight.outgoing.messages)):
            return False
        model = context.model
        if await context.models.takes_images(model) is not False:
            return False
        if model not in self._told_of_images:
            self._told_of_images.add(model)
            cause = f"{model.model} on {model.endpoint} takes no images; they were left out."
            events.notice("information", cause, "", "adapted")
        return True

    async def _record(self, sent: Sent, flight: _InFlight) -> None:
        """Store what is about to be sent: a request that the process is killed in has it too."""
        flight.body, flight.is_recorded, flight.refused = sent.body, False, False
        if sent.exchange is not None:
            flight.exchanges.append(sent.exchange)
        try:
            await self._store_body(flight)
            await self._context.store.finish_request(flight.row)
        except StoreError as failure:
            flight.answer.failed(failure)
        else:
            # The parts stay with the row: they need not be written with its end once more.
            flight.row = replace(flight.row, parts=())

    async def _store_body(self, flight: _InFlight) -> None:
        assert flight.body is not None
        parts, tools_hash, body_hash = await record_body(
            self._context.store, flight.body, flight.outgoing
        )
        flight.row = replace(flight.row, parts=parts, tools_hash=tools_hash, body_hash=body_hash)
        flight.is_recorded = True

    def _take(self, piece: _Piece, flight: _InFlight, events: TurnEvents) -> None:
        answer = flight.answer
        match piece:
            case TextPiece(text):
                answer.add_text(text)
                events.emit(TextDelta(**events.stamp(), message_id=answer.message_id, text=text))
            case ReasoningPiece(text):
                answer.add_reasoning(text)
                events.emit(
                    ReasoningDelta(**events.stamp(), message_id=answer.message_id, text=text)
                )
            case ToolCallPiece(position, name, argument_chars):
                answer.mark_output(argument_chars - flight.drafted.get(position, 0))
                flight.drafted[position] = argument_chars
                events.emit(
                    ToolCallDelta(
                        **events.stamp(),
                        message_id=answer.message_id,
                        position=position,
                        name=name,
                        argument_chars=argument_chars,
                    )
                )
            case Waiting(seconds, attempt, cause, reason):
                flight.refused = True
                flight.row = replace(flight.row, attempts=attempt)
                events.emit(
                    Retrying(
                        **events.stamp(),
                        seconds=seconds,
                        attempt=attempt,
                        cause=cause,
                        reason=reason,
                    )
                )
            case Adapted(_, note):
                flight.refused = True
                events.notice("information", note, "", "adapted")
            case Finished():
                flight.finished = piece

    # -- the end

    async def _end(
        self, flight: _InFlight, events: TurnEvents, status: RequestEnd, error: ModelError | None
    ) -> tuple[ToolCallRow, ...]:
        """Store the answer, its usage and its calls, in this order, and tell of each."""
        context, answer = self._context, flight.answer
        await answer.settle()
        finished = flight.finished if status == "complete" else None
        proposed = finished.tool_calls if finished else ()
        await context.finish_assistant(
            answer.message_id,
            tool_calls=proposed,
            status=cast(MessageStatus, status),
            reasoning_ms=answer.reasoning_ms,
            error=error.cause if error else None,
        )
        row = await self._finish_row(flight, status, error)
        if row.usage is not None:
            events.emit(
                UsageReported(
                    **events.stamp(),
                    usage=row.usage,
                    cost_usd=row.cost,
                    price_source=row.price_source,
                )
            )
        events.emit(
            RequestFinished(
                **events.stamp(),
                message_id=answer.message_id,
                status=status,
                finish_reason=row.finish_reason,
                duration_ms=(row.finished_at or row.started_at) - row.started_at,
                first_token_ms=row.first_token_at - row.started_at if row.first_token_at else None,
                response_id=flight.finished.response_id if flight.finished else "",
                response_model=flight.finished.model if flight.finished else "",
            )
        )
        if error is not None and (self._tells_overflow or error.kind != "context_overflow"):
            events.notice("error", error.cause, error.advice, error.kind)
        calls = await context.propose_calls(answer.message_id, row.id, proposed) if proposed else []
        for call in calls:
            events.emit(
                ToolCallProposed(
                    **events.stamp(),
                    message_id=answer.message_id,
                    tool_call_id=call.id,
                    position=call.position,
                    name=call.name,
                    arguments=call.arguments,
                    call_id=call.call_id,
                )
            )
        return tuple(calls)

    async def _finish_row(
        self, flight: _InFlight, status: RequestEnd, error: ModelError | None
    ) -> RequestRow:
        context = self._context
        if flight.body is not None and not flight.is_recorded:
            await self._store_body(flight)
        row = replace(
            flight.row,
            status=status,
            first_token_at=flight.answer.first_token_at,
            finish_reason=flight.finished.finish_reason if flight.finished else None,
            error=error.cause if error else None,
        )
        if flight.exchanges:
            row = replace(
                row, wire_hash=await context.store.put_blob(encode_record(flight.exchanges))
            )
        if flight.body is not None:
            tools = self._tool_tokens.of(flight.outgoing.messages)
            row = replace(
                row,
                tool_tokens=tuple(
                    (name, context.models.calibrated(context.model, tokens))
                    for name, tokens in sorted(tools.items())
                ),
            )
        usage = flight.finished.usage if flight.finished else error.usage if error else None
        if usage is not None and usage.prompt_tokens:
            context.models.calibrate(context.model, flight.uncorrected, usage.prompt_tokens)
        estimate = self._estimated_usage(flight, status)
        return await context.finish_request(row, usage.filled(estimate) if usage else estimate)

    def _estimated_usage(self, flight: _InFlight, status: RequestEnd) -> Usage | None:
        """Our estimate, for what the provider did not report.

        None for a request that was refused, since it bills nothing; one that was sent and then
        stopped counts with its prompt.
        """
        answer, end = flight.answer, flight.finished
        if not answer.chars and (status == "error" or flight.body is None or flight.refused):
            return None
        row = self._context.path.get(answer.message_id)
        text = (row.content + row.reasoning) if row else ""
        completion = self._context.estimate(text)
        if end is not None:
            calls = [call.name + call.arguments for call in end.tool_calls]
            completion += self._context.estimate(json.dumps(calls)) if calls else 0
        else:
            # Of calls that were broken off, only their length is known.
            completion += sum(flight.drafted.values()) // _CHARS_OF_A_TOKEN
        reasoning = self._context.estimate(row.reasoning) if row and row.reasoning else 0
        return Usage(
            prompt_tokens=flight.estimate,
            completion_tokens=completion,
            reasoning_tokens=reasoning,
            source="estimated",
        )
