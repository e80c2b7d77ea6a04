"""ModelRequestRunner: one request of a turn, from the list to the stored answer."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import cast

from chatglass.chat.chat_context import ChatContext
from chatglass.chat.events import (
    ReasoningDelta,
    RequestFinished,
    RequestStarted,
    Retrying,
    TextDelta,
    ToolCallDelta,
    ToolCallProposed,
)
from chatglass.chat.messages import to_wire
from chatglass.chat.request_flight import Departure, Ending, Piece, lead
from chatglass.chat.streamed_answer import StreamedAnswer
from chatglass.chat.tool_tokens import ToolTokens
from chatglass.chat.turn_events import TurnEvents
from chatglass.models.adaptation import has_images
from chatglass.models.wire import (
    Adapted,
    ModelError,
    ModelRef,
    ModelRequest,
    ReasoningPiece,
    TextPiece,
    ToolCallPiece,
    Waiting,
)
from chatglass.store.protocol import StoreError
from chatglass.store.records import MessageStatus, RequestRow, ToolCallRow


@dataclass(frozen=True, slots=True)
class AnswerOutcome:
    """How a request ended: its stored tool calls, or the error that was shown.

    `stopped`: the turn was stopped meanwhile, and the calls, if there are any, must not run.
    """

    calls: tuple[ToolCallRow, ...] = ()
    finish_reason: str | None = None
    error: ModelError | None = None
    stopped: bool = False


class ModelRequestRunner:
    def __init__(self, context: ChatContext) -> None:
        self._context = context
        self._tool_tokens = ToolTokens()
        self._told_of_images: set[ModelRef] = set()

    async def run(self, events: TurnEvents, *, tells_overflow: bool = True) -> AnswerOutcome:
        """Send the context and store the answer. A ModelError is told and returned, not raised; so
        is a cancellation, after what there is of the answer is stored. Without `tells_overflow`
        it is left to the caller to tell that the request was too large."""
        recipient = _Recipient(self._context, events, tells_overflow=tells_overflow)
        without_images = await self._leaves_out_images(events)
        opening = self._open(recipient, leaves_out_images=without_images)
        ending = await lead(self._context, opening, events.watch)
        reason = ending.finished.finish_reason if ending.finished else None
        return AnswerOutcome(recipient.calls, reason, ending.error, ending.stopped)

    async def _open(self, recipient: _Recipient, *, leaves_out_images: bool) -> Departure:
        context = self._context
        session, outgoing = context.session, context.outgoing()
        estimate = context.next_request_tokens()
        uncorrected = context.size.estimated_parts(session, context.path).total
        message_id = await context.begin_assistant()
        recipient.open(message_id)
        compaction = context.path.compaction()
        row = replace(
            context.requests.new(session, context.turn_id, message_id),
            estimated_prompt_tokens=estimate,
            compaction_id=compaction.id if compaction else None,
        )
        request = ModelRequest(
            model=row.model,
            messages=outgoing.messages,
            tools=context.tools.schemas(context.path),
            temperature=session.parameters.temperature,
            max_output_tokens=context.size.most_output(session),
            reasoning_effort=session.parameters.reasoning_effort,
            leaves_out_images=leaves_out_images,
        )
        return Departure(
            row=row,
            request=request,
            recipient=recipient,
            outgoing=outgoing,
            uncorrected=uncorrected,
            tool_tokens=self._tool_tokens,
        )

    async def _leaves_out_images(self, events: TurnEvents) -> bool:
        """Whether images would be sent that the model is known not to take; told once."""
        context = self._context
        attached = (to_wire(row) for row in context.path.sent_rows() if row.content_is_json)
        if not any(map(has_images, attached)):
            return False
        model = context.model
        if await context.models.takes_images(model) is not False:
            return False
        if model not in self._told_of_images:
            self._told_of_images.add(model)
            cause = f"{model.model} on {model.endpoint} takes no images; they were left out."
            events.notice("information", cause, "", "adapted")
        return True


class _Recipient:
    """Stores an answer while it comes, and tells of it."""

    def __init__(self, context: ChatContext, events: TurnEvents, *, tells_overflow: bool) -> None:
        self._context = context
        self._events = events
        self._tells_overflow = tells_overflow
        self._told_unsaved = False
        self._drafted: dict[int, int] = {}
        """Characters of arguments so far, by the call's position."""
        self.calls: tuple[ToolCallRow, ...] = ()
        """Those of a whole answer, once they are stored."""

    def open(self, message_id: str) -> None:
        """The message exists, and is empty."""
        self._answer = StreamedAnswer(self._context, message_id, self.unsaved)

    @property
    def chars(self) -> int:
        return self._answer.chars

    @property
    def first_token_at(self) -> int | None:
        return self._answer.first_token_at

    def said(self) -> tuple[str, str]:
        row = self._context.path.get(self._answer.message_id)
        return (row.content, row.reasoning) if row else ("", "")

    def started(self, row: RequestRow) -> None:
        self._events.request_id = row.id
        self._events.emit(
            RequestStarted(
                **self._events.stamp(),
                message_id=self._answer.message_id,
                endpoint=row.endpoint,
                model=row.model,
                estimated_prompt_tokens=row.estimated_prompt_tokens,
                limit=self._context.limit(),
            )
        )

    def unsaved(self, failure: StoreError) -> None:
        if not self._told_unsaved:
            self._told_unsaved = True
            advice = "The answer goes on; what is on screen may not be saved."
            self._events.notice("warning", str(failure), advice, "store")

    def take(self, piece: Piece) -> None:
        answer, events = self._answer, self._events
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
                answer.mark_output(argument_chars - self._drafted.get(position, 0))
                self._drafted[position] = argument_chars
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
                events.notice("information", note, "", "adapted")
            case _:
                pass

    # -- the end

    async def keep(self, ending: Ending) -> None:
        await self._answer.settle()
        await self._context.finish_assistant(
            self._answer.message_id,
            tool_calls=ending.calls,
            status=cast(MessageStatus, ending.status),
            reasoning_ms=self._answer.reasoning_ms,
            error=ending.error.cause if ending.error else None,
        )

    async def ended(self, ending: Ending) -> None:
        """Tell of usage and end, then store and tell the calls."""
        events, message_id = self._events, self._answer.message_id
        events.usage(ending.row)
        self._finished(ending)
        error = ending.error
        if error is not None and (self._tells_overflow or error.kind != "context_overflow"):
            events.notice("error", error.cause, error.advice, error.kind)
        if not ending.calls:
            return
        calls = await self._context.propose_calls(message_id, ending.row.id, ending.calls)
        for call in calls:
            events.emit(
                ToolCallProposed(
                    **events.stamp(),
                    message_id=message_id,
                    tool_call_id=call.id,
                    position=call.position,
                    name=call.name,
                    arguments=call.arguments,
                    call_id=call.call_id,
                )
            )
        self.calls = tuple(calls)

    def _finished(self, ending: Ending) -> None:
        row, end = ending.row, ending.finished
        self._events.emit(
            RequestFinished(
                **self._events.stamp(),
                message_id=self._answer.message_id,
                status=ending.status,
                finish_reason=row.finish_reason,
                duration_ms=(row.finished_at or row.started_at) - row.started_at,
                first_token_ms=row.first_token_at - row.started_at if row.first_token_at else None,
                response_id=end.response_id if end else "",
                response_model=end.model if end else "",
            )
        )
