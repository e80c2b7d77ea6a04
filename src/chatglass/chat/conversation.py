"""Conversation: runs turns, and tells what happens as typed events.

A turn runs in a task of its own, so that stopping it (`stop()`) can finish its writes and its last
events while whoever reads them goes on reading.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from chatglass.chat.approvals import by_assessment
from chatglass.chat.attachments import Attachment
from chatglass.chat.chat_context import ChatContext
from chatglass.chat.compactor import Compactor
from chatglass.chat.deciding import DecisionPorts, TurnEnded
from chatglass.chat.events import Event, TurnFinished, TurnStarted, TurnStatus, UserSpoke
from chatglass.chat.model_request import AnswerOutcome, ModelRequestRunner
from chatglass.chat.ports import (
    AskToGoOn,
    BeforeRequest,
    DecideTool,
    GoOn,
    JudgeCall,
    Pause,
    Proceed,
    RequestPlan,
    TellModel,
)
from chatglass.chat.request_gate import RequestGate
from chatglass.chat.to_the_end import to_the_end
from chatglass.chat.tool_processor import ToolProcessor
from chatglass.chat.turn_events import Observe, TurnEvents
from chatglass.models.wire import WINDOW_FULL
from chatglass.store.protocol import StoreError
from chatglass.values.clock import now_ms
from chatglass.values.ids import new_id
from chatglass.values.ways import NameWay, unnamed


@dataclass(frozen=True, slots=True)
class Prompt:
    """What a turn begins with. `queued_id` names the queued prompt that it was."""

    text: str
    attachments: tuple[Attachment, ...] = ()
    queued_id: str | None = None


async def _always_proceed(plan: RequestPlan) -> Proceed:
    return Proceed()


class Conversation:
    """The turns of one ChatContext, one at a time."""

    def __init__(
        self,
        context: ChatContext,
        *,
        decide_tool: DecideTool,
        judge: JudgeCall = by_assessment,
        ask_to_go_on: AskToGoOn | None = None,
        before_request: BeforeRequest = _always_proceed,
        max_requests: int = 50,
        loop_after: int = 3,
        observe: Observe | None = None,
        name_way: NameWay = unnamed,
    ) -> None:
        """Without `ask_to_go_on` a turn ends after `max_requests`, where else it pauses."""
        self.context = context
        self._observe = observe
        self._name_way = name_way
        self.max_requests = max_requests
        self._ask_to_go_on = ask_to_go_on
        ports = DecisionPorts(judge, decide_tool, ask_to_go_on)
        self._tools = ToolProcessor(context, ports, loop_after=loop_after)
        self._requests = ModelRequestRunner(context)
        self._compactor = Compactor(context, before_request)
        self._gate = RequestGate(context, self._compactor, before_request)
        self._turn: asyncio.Task[None] | None = None
        self._stopping = False
        self._begun = False
        """The task of the turn has taken its first step; one that is cancelled before never does."""
        self.prompt_stored = False
        """The prompt of the newest turn is a message now; otherwise it is still a prompt."""

    async def run_turn(self, prompt: Prompt | None) -> AsyncGenerator[Event]:
        """Answer `prompt`, or where it is None the end of the shown path (retry, continue).

        The last event is always TurnFinished. Closing the iterator stops the turn.
        """
        async with aclosing(self._events_of(lambda events: self._turn_of(prompt, events))) as told:
            async for event in told:
                yield event

    async def compact(self, instructions: str = "") -> AsyncGenerator[Event]:
        """Compact now, as a turn of its own without an answer. Closing the iterator stops it."""
        async with aclosing(
            self._events_of(lambda events: self._compact_by_hand(instructions, events))
        ) as told:
            async for event in told:
                yield event

    async def _events_of(self, work: _Work) -> AsyncGenerator[Event]:
        if self._turn is not None and not self._turn.done():
            raise RuntimeError("a turn of this session is running")
        events = TurnEvents(self.context.session.id, new_id(), self._observe, self._name_way)
        self._stopping = self._begun = self.prompt_stored = False
        self._turn = asyncio.ensure_future(self._run(work, events))
        try:
            while True:
                event = await events.next()
                yield event
                if isinstance(event, TurnFinished):
                    break
            await self._turn
        finally:
            await self.end()

    def stop(self) -> None:
        """Stop the running turn in whatever phase it is; its last events still come."""
        if self._turn is None or self._turn.done() or self._stopping:
            return
        self._stopping = True
        if self._begun:
            self._turn.cancel()

    async def end(self) -> None:
        """Stop the running turn and wait until its end is stored."""
        self.stop()
        if self._turn is not None and not self._turn.done():
            await asyncio.wait([self._turn])

    # -- one turn

    async def _run(self, work: _Work, events: TurnEvents) -> None:
        self._begun = True
        began = now_ms()
        self._tools.begin_turn()
        status: TurnStatus = "error"
        try:
            status = await work(events)
        except asyncio.CancelledError:
            status = "interrupted"
            if self.prompt_stored and not events.requests:
                events.notice(
                    "information", "It was stopped before the prompt was sent.", "/retry sends it."
                )
        except TurnEnded:
            status = "limit"
        except StoreError as error:
            if not events.count:
                events.emit(TurnStarted(**events.stamp(), user_message_id=None))
            events.notice("error", str(error), "What is on screen may not be saved.", "store")
        finally:
            events.request_id = None
            events.emit(
                TurnFinished(
                    **events.stamp(),
                    status=status,
                    requests=events.requests,
                    duration_ms=now_ms() - began,
                )
            )

    async def _turn_of(self, prompt: Prompt | None, events: TurnEvents) -> TurnStatus:
        refusal = await self._gate.refusal(prompt.text, prompt.attachments) if prompt else None
        if refusal:
            events.emit(TurnStarted(**events.stamp(), user_message_id=None))
            events.notice("error", *refusal)
            return "limit"
        await to_the_end(self._begin(prompt, events))
        if self._stopping:
            return "interrupted"
        await self.context.find_window()
        overflowed = False
        allowed = self.max_requests
        while True:
            if events.requests >= allowed:
                if not await self._goes_on(events):
                    return "limit"
                allowed = events.requests + self.max_requests
            may_compact = self.context.infinite and not overflowed
            async with self.context.requests.one_at_a_time():
                stopped = await self._gate.prepare(events, events.requests + 1)
                if stopped is not None:
                    events.notice("error", stopped.reason, stopped.advice, "limit")
                    return "limit"
                tokens = self.context.next_request_tokens()
                outcome = await self._requests.run(events, tells_overflow=not may_compact)
            if outcome.stopped:
                await self._tools.give_up(outcome.calls, events)
                return "interrupted"
            if outcome.error is not None:
                if may_compact and outcome.error.kind == "context_overflow":
                    async with self.context.requests.one_at_a_time():
                        overflowed = await self._gate.after_overflow(outcome.error, tokens, events)
                    if overflowed:
                        continue
                return "error"
            _tell_finish(outcome, events)
            if not outcome.calls:
                return "complete"
            await self._tools.run(outcome.calls, events)

    async def _goes_on(self, events: TurnEvents) -> bool:
        """At the most requests of a turn: whether someone lets it go on."""
        pause = Pause(
            session_id=self.context.session.id,
            turn_id=events.turn_id,
            kind="requests",
            count=events.requests,
            more=self.max_requests,
        )
        answer = await self._ask_to_go_on(pause) if self._ask_to_go_on is not None else None
        if isinstance(answer, GoOn):
            return True
        if isinstance(answer, TellModel):
            await to_the_end(self._tell(answer.text, events))
            return True
        events.notice(
            "warning",
            pause.words,
            "Send a message to let it go on, or raise turn.max_requests in the settings.",
            "max_requests",
        )
        return False

    async def _tell(self, text: str, events: TurnEvents) -> None:
        """What the user says in the middle of a turn."""
        message_id = await self.context.add_user_message(text, turn_id=events.turn_id)
        events.request_id = None
        events.emit(UserSpoke(**events.stamp(), message_id=message_id, text=text))

    async def _begin(self, prompt: Prompt | None, events: TurnEvents) -> None:
        context = self.context
        await context.answer_open_calls()
        message_id: str | None = None
        if prompt is None:
            context.turn_id = events.turn_id
        else:
            message_id = await context.add_user_message(
                prompt.text,
                prompt.attachments,
                turn_id=events.turn_id,
                queued_id=prompt.queued_id,
            )
            self.prompt_stored = True
        events.emit(TurnStarted(**events.stamp(), user_message_id=message_id))

    async def _compact_by_hand(self, instructions: str, events: TurnEvents) -> TurnStatus:
        events.emit(TurnStarted(**events.stamp(), user_message_id=None))
        await self.context.find_window()
        tokens = self.context.context_parts().total
        async with self.context.requests.one_at_a_time():
            done = await self._compactor.run(
                events, limit=tokens, instructions=instructions, by_hand=True
            )
        if not done:
            events.notice("information", self._nothing_left_out(), kind="compaction")
        return "complete"

    def _nothing_left_out(self) -> str:
        if len(self.context.path.turns()) < 2:
            return "There is nothing to leave out yet: the last turn is always kept."
        return (
            "Nothing was left out: the messages before the last turn are no larger than what would "
            "stand for them."
        )


_Work = Callable[[TurnEvents], Coroutine[Any, Any, TurnStatus]]
"""What a turn does between its first event and its last."""


def _tell_finish(outcome: AnswerOutcome, events: TurnEvents) -> None:
    if outcome.finish_reason == "length":
        events.notice(
            "warning",
            "The answer was cut: it reached the most output tokens.",
            "Ask to go on, or raise the session's most output.",
            "length",
        )
    elif outcome.finish_reason == WINDOW_FULL:
        events.notice(
            "warning",
            "The answer was cut: the context window is full.",
            "Compact{compact} to make room, then ask to go on.",
            "length",
        )
    elif outcome.finish_reason == "content_filter":
        events.notice(
            "warning",
            "The endpoint's content filter ended the answer.",
            "Rephrase the prompt, or choose another model{model}.",
            "content_filter",
        )
