"""SummaryRequests: the requests to a model that a compaction takes, stored and priced as others."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from chatglass.chat.compaction.strategy import SummaryFailed
from chatglass.chat.context_size import window_learned
from chatglass.chat.ports import BeforeRequest, Proceed, RequestPlan, Stop
from chatglass.chat.request_flight import Departure, Ending, HeldAnswer, Piece, lead
from chatglass.chat.turn_events import TurnEvents
from chatglass.models.estimates import estimate_request
from chatglass.models.wire import WINDOW_FULL, Adapted, JsonObject, ModelRef, ModelRequest, Waiting
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
        answer = _Summary(self._events)
        ending = await lead(
            self._context, self._open(messages, estimate, most, answer), self._events.watch
        )
        if ending.stopped:
            raise asyncio.CancelledError
        if (error := ending.error) is not None:
            await self._learned_window()
            raise SummaryFailed(error.cause, too_large=error.kind == "context_overflow") from error
        _check_end(ending)
        return answer.said()[0]

    async def _learned_window(self) -> None:
        """Take over what a refusal told of the window, and say so."""
        before = self._window
        self._window = await self._context.models.context_window(self.model)
        if told := window_learned(self.model, before, self._window):
            self._events.notice("information", told, kind="context")

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

    async def _open(
        self, messages: list[JsonObject], estimate: int, most: int, answer: _Summary
    ) -> Departure:
        context = self._context
        row = context.requests.new(
            context.session, self._events.turn_id, None, "compaction", model=self.model
        )
        row = replace(row, compaction_id=self.compaction_id, estimated_prompt_tokens=estimate)
        self.count, self.last_id = self.count + 1, row.id
        request = ModelRequest(
            model=self.model.model,
            messages=messages,
            max_output_tokens=self._most_output(most),
        )
        return Departure(row=row, request=request, recipient=answer)

    def _most_output(self, most: int) -> int:
        wanted = 2 * most + _THINKING
        return wanted if self._window is None else min(wanted, self._answer_room)


class _Summary(HeldAnswer):
    """What a model makes of a text; tells what happens to the request."""

    def __init__(self, events: TurnEvents) -> None:
        super().__init__()
        self._events = events

    def take(self, piece: Piece) -> None:
        super().take(piece)
        match piece:
            case Waiting(seconds, _, cause, _):
                again = f"It is asked again in {seconds:.0f} s."
                self._events.notice("warning", cause, again, "compaction")
            case Adapted(_, note):
                self._events.notice("information", note, kind="adapted")
            case _:
                pass

    async def ended(self, ending: Ending) -> None:
        self._events.usage(ending.row)


def _check_end(ending: Ending) -> None:
    """Raises SummaryFailed where the answer is no whole summary, whatever text it has."""
    end = ending.finished
    if end is None:
        return
    if end.tool_calls:
        raise SummaryFailed("The model called a tool instead of summing up.")
    if end.finish_reason == "content_filter":
        raise SummaryFailed("The endpoint's content filter ended the summary.")
    # What is cut off is the end, which is where the open questions stand.
    if end.finish_reason in ("length", WINDOW_FULL):
        raise SummaryFailed("The summary was cut: it reached the most output tokens.")
