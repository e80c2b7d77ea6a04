"""Deciding: from a valid call to the decision by which it runs or not.

Rules and modes speak first; what they leave open is put to a person. Arguments that the person
edited are judged anew, and asked about anew where there is more to say of them than was shown. A
call that would run unasked, though the same was made again and again, makes the turn pause.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path

from chatglass.chat.ports import (
    Ask,
    AskToGoOn,
    DecideTool,
    Decision,
    EndTurn,
    JudgeCall,
    Pause,
    PendingCall,
    TellModel,
)
from chatglass.chat.turn_events import TurnEvents
from chatglass.tools.tool import Assessment, InvalidArguments, Tool

StartAsking = Callable[[], Awaitable[None]]
"""Called before a person is asked."""


class TurnEnded(Exception):
    """The user ended the turn while it stood still."""


@dataclass(frozen=True, slots=True)
class DecisionPorts:
    """Without `ask_to_go_on` a call that repeats is put to `decide_tool`."""

    judge: JudgeCall
    decide_tool: DecideTool
    ask_to_go_on: AskToGoOn | None = None


class Deciding:
    """For one conversation. `loop_after`: so many same calls in a turn are a loop."""

    def __init__(self, ports: DecisionPorts, *, loop_after: int) -> None:
        self._ports = ports
        self._loop_after = loop_after
        self._made: Counter[str] = Counter()
        self._allowed: dict[str, int] = {}
        """How often a call may be made in this turn before it pauses the next time."""

    def begin_turn(self) -> None:
        self._made.clear()
        self._allowed.clear()

    async def decide(
        self, call: PendingCall, tool: Tool, events: TurnEvents, asking: StartAsking
    ) -> Decision:
        """The decision; where it is `edited`, with arguments that are valid and were judged. Raises
        InvalidArguments for edited ones that are not, TurnEnded."""
        found = await asyncio.to_thread(self._ports.judge, call)
        if isinstance(found, Decision):
            if found.verdict != "allow" or not self._repeats(call, events):
                return found
            if self._ports.ask_to_go_on is not None:
                await asking()
                return await self._pause(call, found, self._ports.ask_to_go_on)
            assessment = replace(call.assessment, verdict="ask", why=self._words(call), rule="loop")
            call, found = replace(call, assessment=assessment), Ask("loop")
        elif self._repeats(call, events):
            why = f"{call.assessment.why} {self._words(call)}"
            call = replace(call, assessment=replace(call.assessment, why=why))
        await asking()
        return await ask_person(replace(call, asked_by=found.by), tool, self._ports)

    # -- loops

    def _repeats(self, call: PendingCall, events: TurnEvents) -> bool:
        key = _key(call)
        self._made[key] += 1
        if self._made[key] < self._allowed.get(key, self._loop_after):
            return False
        events.notice(
            "warning", self._words(call), "Stop the turn if the model goes in circles.", "loop"
        )
        return True

    def _words(self, call: PendingCall) -> str:
        return self._pause_of(call).words

    def _pause_of(self, call: PendingCall) -> Pause:
        return Pause(
            session_id=call.session_id,
            turn_id=call.turn_id,
            kind="loop",
            count=self._made[_key(call)],
            more=self._loop_after,
            tool_call_id=call.tool_call_id,
            name=call.spec.name,
            arguments=call.arguments,
        )

    async def _pause(self, call: PendingCall, found: Decision, ask: AskToGoOn) -> Decision:
        pause = self._pause_of(call)
        match await ask(pause):
            case EndTurn():
                raise TurnEnded
            case TellModel(text):
                return Decision(verdict="deny", decided_by="user", reason=text or pause.words)
            case _:
                self._allowed[_key(call)] = pause.count + pause.more
                return replace(found, decided_by=f"{found.decided_by}, and the user at a loop")


async def ask_person(call: PendingCall, tool: Tool, ports: DecisionPorts) -> Decision:
    """A person's decision on a call, which is asked about again while edits make more of it than was
    shown. An `edited` one has arguments that are valid and were judged. Raises InvalidArguments."""
    first = call
    while True:
        decision = await ports.decide_tool(call)
        if decision.verdict == "allow" and call is not first:
            return replace(decision, verdict="edited", arguments=call.arguments)
        if decision.verdict != "edited":
            return decision
        arguments = tool.validate(decision.arguments or {})
        try:
            # Judging resolves paths and host names.
            assessment = await asyncio.to_thread(tool.assess, arguments, Path(call.root))
        except InvalidArguments:
            raise
        # A tool is foreign code: whatever it raises is the result of the call.
        except Exception as error:
            raise InvalidArguments(
                f"{call.spec.name} failed: {type(error).__name__}: {error}"
            ) from error
        edited = replace(call, arguments=arguments, assessment=assessment, asked_by="", edited=True)
        found = await asyncio.to_thread(ports.judge, edited)
        if isinstance(found, Decision) and found.verdict == "deny":
            return replace(found, reason=f"The edited call is denied: {found.reason}")
        if isinstance(found, Decision) or not _says_more(call.assessment, assessment):
            return replace(decision, arguments=arguments)
        call = replace(edited, asked_by=found.by)


def _key(call: PendingCall) -> str:
    return json.dumps([call.spec.name, call.arguments], sort_keys=True, default=str)


def _says_more(shown: Assessment, now: Assessment) -> bool:
    """Whether the question would say what it did not say of the arguments before."""

    def said(assessment: Assessment) -> tuple[object, ...]:
        details = assessment.details
        where = [details.get(label, "") for label in ("path", "address", "origin")]
        return (assessment.always_ask, assessment.private, assessment.rule, *where)

    return said(now) != said(shown)
