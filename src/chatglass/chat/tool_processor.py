"""ToolProcessor: runs the tool calls of one assistant message.

Each call is validated and decided; the call and the decision are on disk before it runs. Results
are stored as they come and answer the model in the order of the calls. Whatever happens, every
call gets exactly one tool message.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

from chatglass.chat.chat_context import ChatContext
from chatglass.chat.compaction.stubs import is_stub
from chatglass.chat.deciding import Deciding, DecisionPorts, TurnEnded
from chatglass.chat.events import (
    ToolCallDecided,
    ToolCallFinished,
    ToolCallProgress,
    ToolCallStarted,
)
from chatglass.chat.ports import Decision, PendingCall
from chatglass.chat.to_the_end import to_the_end
from chatglass.chat.tool_call_log import NOT_RUN
from chatglass.chat.turn_events import TurnEvents
from chatglass.store.records import ToolCallRow, ToolResult
from chatglass.tools.tool import (
    InvalidArguments,
    Progress,
    Tool,
    ToolOutput,
    UnknownTool,
)
from chatglass.values.clock import now_ms
from chatglass.values.text import storable

CANCELLED = "The user stopped the turn before this call was done; it may have taken effect."
NOT_STARTED = "The user stopped the turn before this call ran."
BROKEN_OFF = "An error ended the turn before this call was done; it may have taken effect."
_A_STUB = (
    "The arguments hold a note that a text was left out, not the text: nothing was done. read_result gives "
    "the text by the id in the note; make the call again with all of it."
)
_PREVIEW_CHARS = 2_000


@dataclass(frozen=True, slots=True)
class _Ready:
    """A call that may run."""

    tool: Tool
    arguments: dict[str, Any]


class ToolProcessor:
    """`loop_after`: the same call with the same arguments so many times in a turn is asked about."""

    def __init__(self, context: ChatContext, ports: DecisionPorts, *, loop_after: int = 3) -> None:
        self._context = context
        self._deciding = Deciding(ports, loop_after=loop_after)
        self._rows: dict[str, ToolCallRow] = {}

    def begin_turn(self) -> None:
        self._deciding.begin_turn()

    async def run(self, rows: Sequence[ToolCallRow], events: TurnEvents) -> None:
        """Run the calls, in parallel where allowed. Cancelling answers the open ones `cancelled`, and
        so does TurnEnded, which goes on."""
        self._rows = {row.id: row for row in rows}
        alone = [self._runs_alone(row.name) for row in rows]
        tasks: list[asyncio.Task[str]] = []
        for place, row in enumerate(rows):
            before = [
                task for task, each in zip(tasks, alone, strict=False) if each or alone[place]
            ]
            tasks.append(asyncio.ensure_future(self._one(row.id, before, events)))
        answered = 0
        try:
            for row, task in zip(rows, tasks, strict=True):
                output = await asyncio.shield(task)
                answered += 1
                await to_the_end(self._answer(row.id, output))
        except BaseException as error:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            stopped = isinstance(error, (asyncio.CancelledError, TurnEnded))
            await self._answer_rest(rows[answered:], events, stopped=stopped)
            raise

    async def give_up(self, rows: Sequence[ToolCallRow], events: TurnEvents) -> None:
        """Answer calls `cancelled` that the end of the turn overtook before they were looked at."""
        self._rows = {row.id: row for row in rows}
        await to_the_end(self._answer_rest(rows, events, stopped=True))

    def _runs_alone(self, name: str) -> bool:
        try:
            return not self._context.tools.get(name).spec.parallel
        except UnknownTool:
            return False

    async def _answer_rest(
        self, rows: Sequence[ToolCallRow], events: TurnEvents, *, stopped: bool
    ) -> None:
        for row in rows:
            await self._answer(row.id, await self._settle_cancelled(row.id, events, stopped))

    async def _answer(self, row_id: str, seen: str) -> None:
        row = self._rows[row_id]
        await self._context.add_tool_response(row.call_id, seen, row.name, status=row.state)

    # -- one call; each returns what the model sees

    async def _one(
        self, row_id: str, before: Sequence[asyncio.Task[str]], events: TurnEvents
    ) -> str:
        """Decide at once, and run after `before`: a tool that must run alone, as one that writes,
        would otherwise change what calls beside it see."""
        ready = await self._decide(row_id, events)
        if isinstance(ready, ToolOutput):
            state = "denied" if self._rows[row_id].state == "denied" else "error"
            return await self._settle(row_id, state, ready, events)
        if before:
            await asyncio.wait(before)
        output = await self._run(row_id, ready, events)
        return await self._settle(row_id, output.status, output, events)

    async def _decide(self, row_id: str, events: TurnEvents) -> _Ready | ToolOutput:
        """The call as it may run, or what is answered instead."""
        row = self._rows[row_id]
        try:
            tool = self._context.tools.get(row.name)
            await self._update(row_id, server=tool.spec.server)
            arguments = tool.validate(_parse(row.arguments))
            if is_stub(arguments):
                raise InvalidArguments(_A_STUB)
            # Judging resolves paths and host names.
            assessment = await asyncio.to_thread(tool.assess, arguments, self._context.root)
        except (UnknownTool, InvalidArguments) as error:
            return ToolOutput.error(str(error))
        # A tool is foreign code: whatever it raises is its result, never the end of the turn.
        except Exception as error:  # noqa: BLE001
            return _failed(row.name, error)
        call = PendingCall(
            session_id=row.session_id,
            turn_id=row.turn_id,
            tool_call_id=row.id,
            spec=tool.spec,
            arguments=arguments,
            assessment=assessment,
            root=str(self._context.root),
        )

        async def asking() -> None:
            await self._update(row_id, state="asking")

        try:
            decision = await self._deciding.decide(call, tool, events, asking)
        except InvalidArguments as error:
            return ToolOutput.error(f"The edited arguments do not fit: {error}")
        await self._commit(row_id, decision, events)
        if decision.verdict == "deny":
            reason = f" Reason: {decision.reason}" if decision.reason else ""
            return ToolOutput.error(f"This call was denied by {decision.decided_by}.{reason}")
        return _Ready(tool, arguments if decision.arguments is None else decision.arguments)

    async def _commit(self, row_id: str, decision: Decision, events: TurnEvents) -> None:
        """Store the decision before anything runs by it."""
        edited = decision.arguments if decision.verdict == "edited" else None
        row = await self._update(
            row_id,
            state="denied" if decision.verdict == "deny" else "approved",
            decided_by=storable(decision.decided_by),
            reason=storable(decision.reason),
            decided_at=now_ms(),
            edited_arguments=None if edited is None else storable(json.dumps(edited)),
        )
        events.emit(
            ToolCallDecided(
                **events.stamp(),
                tool_call_id=row.id,
                decision=decision.verdict,
                decided_by=row.decided_by,
                reason=row.reason,
            )
        )

    async def _run(self, row_id: str, ready: _Ready, events: TurnEvents) -> ToolOutput:
        await self._update(row_id, state="running", started_at=now_ms())
        events.emit(ToolCallStarted(**events.stamp(), tool_call_id=row_id))

        def report(progress: Progress) -> None:
            events.emit(
                ToolCallProgress(
                    **events.stamp(),
                    tool_call_id=row_id,
                    message=progress.message,
                    fraction=progress.fraction,
                )
            )

        name = ready.tool.spec.name
        try:
            return await ready.tool.run(ready.arguments, self._context.root, report)
        except asyncio.CancelledError as error:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            return _failed(name, error)
        # As in _decide().
        except Exception as error:  # noqa: BLE001
            return _failed(name, error)

    # -- ends

    async def _settle(self, row_id: str, state: str, output: ToolOutput, events: TurnEvents) -> str:
        await to_the_end(self._store_end(row_id, state, output, events))
        return output.seen

    async def _settle_cancelled(self, row_id: str, events: TurnEvents, stopped: bool) -> str:
        """What a call that the turn's end overtook answers: its result, if it has one already."""
        row = self._rows[row_id]
        if row.finished_at is not None:
            result = await self._context.store.tool_result(row_id)
            return result.seen if result else CANCELLED
        if row.started_at is None:
            text = NOT_STARTED if stopped else NOT_RUN
        else:
            text = CANCELLED if stopped else BROKEN_OFF
        await self._store_end(row_id, "cancelled", ToolOutput("error", text, text), events)
        return text

    async def _store_end(
        self, row_id: str, state: str, output: ToolOutput, events: TurnEvents
    ) -> None:
        row = replace(
            self._rows[row_id],
            state=cast(Any, state),
            finished_at=now_ms(),
            error=None if state == "ok" else storable(output.seen[:_PREVIEW_CHARS]),
        )
        row = await self._context.settle_call(row, ToolResult(output.produced, output.seen))
        self._rows[row_id] = row
        events.emit(
            ToolCallFinished(
                **events.stamp(),
                tool_call_id=row.id,
                status=cast(Any, state),
                duration_ms=row.duration_ms,
                result_bytes=row.result_bytes,
                seen_bytes=row.seen_bytes,
                preview=storable(output.seen[:_PREVIEW_CHARS]),
            )
        )

    async def _update(self, row_id: str, **changes: Any) -> ToolCallRow:
        row = self._rows[row_id] = replace(self._rows[row_id], **changes)
        await self._context.calls.update(row)
        return row


def _failed(name: str, error: BaseException) -> ToolOutput:
    return ToolOutput.error(f"{name} failed: {type(error).__name__}: {error}")


def _parse(arguments: str) -> dict[str, Any]:
    """The arguments object. An empty text is an empty object, as some servers send it."""
    try:
        parsed: Any = json.loads(arguments or "{}")
    except ValueError as error:
        raise InvalidArguments(
            f"The arguments are not valid JSON ({error}). Send the whole call again."
        ) from error
    if not isinstance(parsed, dict):
        raise InvalidArguments(f"The arguments must be a JSON object, not {type(parsed).__name__}.")
    return cast(dict[str, Any], parsed)
