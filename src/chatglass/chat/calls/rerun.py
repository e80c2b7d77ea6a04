"""Reruns: runs tool calls of a session again for the user, under the same rules as the model's.

Nothing of it is stored, and the model learns nothing of it: rows and results are kept here, for as
long as the session is open in this window.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import IO, Any, cast

from chatglass.chat.calls.rerun_row import RerunRow
from chatglass.chat.chat_context import ChatContext
from chatglass.chat.deciding import DecisionPorts, ask_person
from chatglass.chat.ports import Decision, PendingCall
from chatglass.store.records import ToolCallRow, ToolCallState, ToolResult
from chatglass.tools.tool import (
    Assessment,
    InvalidArguments,
    JsonObject,
    Progress,
    Tool,
    ToolOutput,
    UnknownTool,
)
from chatglass.values.clock import now_ms
from chatglass.values.ids import new_id
from chatglass.values.text import storable

BY_USER = "user, by running it again"
"""Who decided, where running it again was the answer."""
STOPPED = "You stopped it; it may have taken effect."
_ERROR_CHARS = 2_000
_IN_MEMORY = 262_144
"""Characters of a result that is kept in memory; longer ones go to a file without a name."""
_PIECE = 1_000_000


class CantRunAgain(Exception):
    """The call can't be run again now. `str()` says why, and the way on."""


@dataclass(slots=True)
class _Kept:
    """A result: itself, or a file that holds what was produced and, behind it, what would be seen."""

    result: ToolResult | None
    file: IO[bytes] | None = None
    produced_bytes: int = 0

    def read(self) -> ToolResult:
        if self.result is not None:
            return self.result
        assert self.file is not None
        self.file.seek(0)
        produced = self.file.read(self.produced_bytes).decode()
        return ToolResult(produced, self.file.read().decode())


Changed = Callable[[RerunRow], None]


class Reruns:
    """`changed` is called with each new state of a row. All tasks are those of the callers.

    `since` is when the session was opened: what the user approved before that, elsewhere maybe, is
    asked about again.
    """

    def __init__(
        self, context: ChatContext, ports: DecisionPorts, changed: Changed, *, since: int
    ) -> None:
        self._context = context
        self._ports = ports
        self._changed = changed
        self._rows: dict[str, RerunRow] = {}
        self._results: dict[str, _Kept] = {}
        self._alone = asyncio.Lock()
        self._tasks: set[asyncio.Task[Any]] = set()
        """Those in which something runs."""
        self._since = since

    @property
    def rows(self) -> list[RerunRow]:
        """All of them, oldest first."""
        return list(self._rows.values())

    def __contains__(self, tool_call_id: object) -> bool:
        return tool_call_id in self._rows

    def row(self, tool_call_id: str) -> RerunRow | None:
        return self._rows.get(tool_call_id)

    async def result(self, tool_call_id: str) -> ToolResult | None:
        """What it gave; None while there is nothing yet."""
        kept = self._results.get(tool_call_id)
        if kept is None or kept.result is not None:
            return kept and kept.result
        return await asyncio.to_thread(kept.read)

    # -- before it runs

    def objection(self, name: str, arguments: str) -> str | None:
        """What is wrong with these arguments of that tool, or None."""
        try:
            self._context.tool_manager.get(name).validate(_parse(arguments))
        except (UnknownTool, InvalidArguments) as error:
            return str(error)
        return None

    def begin(
        self, origin: ToolCallRow, arguments: str | None = None, *, working: bool = False
    ) -> RerunRow:
        """A row for running `origin` again, with what ran then or with other `arguments` (JSON).

        `working` says that a turn is under way. Raises CantRunAgain.
        """
        ran = _ran(origin)
        given = ran if arguments is None else arguments
        try:
            spec = self._context.tool_manager.get(origin.name).spec
        except UnknownTool as error:
            raise CantRunAgain(f"{error} Its server may be stopped: /mcp.") from error
        if working and not spec.parallel:
            raise CantRunAgain(
                f"{origin.name} runs alone. Wait for the end of the turn, or stop it (Esc)."
            )
        row = RerunRow(
            id=new_id(),
            session_id=origin.session_id,
            turn_id=origin.turn_id,
            request_id=origin.request_id,
            message_id=origin.message_id,
            call_id="",
            position=origin.position,
            name=origin.name,
            server=spec.server,
            arguments=storable(ran),
            edited_arguments=None if _same(given, ran) else storable(given),
            proposed_at=now_ms(),
            rerun_of=origin.id,
        )
        return self._put(row)

    # -- running

    async def run(self, row: RerunRow, origin: ToolCallRow) -> RerunRow:
        """Judge, ask and run what `begin` gave. Cancelling ends the tool; the row says so."""
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            return await self._run(row, origin)
        finally:
            self._tasks.discard(task)

    async def close(self) -> None:
        """End what runs."""
        running = list(self._tasks)
        for task in running:
            task.cancel()
        if running:
            await asyncio.wait(running)

    async def _run(self, row: RerunRow, origin: ToolCallRow) -> RerunRow:
        try:
            output, state = await self._judged(row, origin)
            result = ToolResult(output.produced, output.seen)
            if len(result.produced) + len(result.seen) <= _IN_MEMORY:
                kept = _Kept(ToolResult(storable(result.produced), storable(result.seen)))
            else:
                kept = await asyncio.to_thread(_in_file, result)
        except asyncio.CancelledError:
            self._settle(row.id, "cancelled", _Kept(ToolResult(STOPPED, STOPPED)), STOPPED)
            raise
        return self._settle(row.id, state, kept, output.seen)

    async def _judged(self, row: RerunRow, origin: ToolCallRow) -> tuple[ToolOutput, ToolCallState]:
        root = self._context.root
        try:
            tool = self._context.tool_manager.get(row.name)
            arguments = tool.validate(_parse(_ran(row)))
            assessment = await asyncio.to_thread(tool.assess, arguments, root)
        except (UnknownTool, InvalidArguments) as error:
            return ToolOutput.error(str(error)), "error"
        # A tool is foreign code: whatever it raises is its result.
        except Exception as error:  # noqa: BLE001
            return _failed(row.name, error), "error"
        try:
            decision = await self._decide(row, origin, tool, arguments, assessment)
        except InvalidArguments as error:
            return ToolOutput.error(str(error)), "error"
        denied = decision.verdict == "deny"
        edited = decision.arguments if decision.verdict == "edited" else None
        row = self._put(
            replace(
                self._rows[row.id],
                state="denied" if denied else "approved",
                decided_by=storable(decision.decided_by),
                reason=storable(decision.reason),
                decided_at=now_ms(),
                **({} if edited is None else {"edited_arguments": storable(json.dumps(edited))}),
            )
        )
        if denied:
            reason = f" {decision.reason}" if decision.reason else ""
            return ToolOutput.error(f"Denied by {decision.decided_by}.{reason}"), "denied"
        if edited is not None:
            arguments = edited
        output = await self._run_tool(row, tool, arguments)
        return output, output.status

    async def _decide(
        self,
        row: RerunRow,
        origin: ToolCallRow,
        tool: Tool,
        arguments: JsonObject,
        assessment: Assessment,
    ) -> Decision:
        call = PendingCall(
            session_id=row.session_id,
            turn_id=row.turn_id,
            tool_call_id=row.id,
            spec=tool.spec,
            arguments=arguments,
            assessment=assessment,
            root=str(self._context.root),
        )
        found = await asyncio.to_thread(self._ports.judge, call)
        if isinstance(found, Decision):
            return found
        # A rule or a mode of the user's that asks is no question that was answered before.
        if found.by == assessment.rule and self.stands_for_answer(row, origin, assessment):
            return Decision(verdict="allow", decided_by=BY_USER)
        row = self._put(replace(row, state="asking"))
        return await ask_person(replace(call, asked_by=found.by), tool, self._ports)

    def stands_for_answer(self, row: RerunRow, origin: ToolCallRow, assessment: Assessment) -> bool:
        """Whether running it again is itself the answer to the question.

        Only where the user answered the very same question in this window: the same arguments, and
        nothing in the question that may be another by now, as the diff of a write is.
        """
        return (
            assessment.verdict == "ask"
            and not assessment.always_ask
            and "diff" not in assessment.details
            and row.edited_arguments is None
            and origin.state in ("ok", "error")
            and origin.decided_by in ("user", BY_USER)
            and (origin.decided_at or 0) >= self._since
        )

    async def _run_tool(self, row: RerunRow, tool: Tool, arguments: JsonObject) -> ToolOutput:
        if tool.spec.parallel:
            return await self._run_now(row, tool, arguments)
        async with self._alone:
            return await self._run_now(row, tool, arguments)

    async def _run_now(self, row: RerunRow, tool: Tool, arguments: JsonObject) -> ToolOutput:
        self._put(replace(self._rows[row.id], state="running", started_at=now_ms()))

        def report(_: Progress) -> None:
            """The row has no place for it."""

        try:
            return await tool.run(arguments, self._context.root, report)
        except asyncio.CancelledError as error:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            return _failed(row.name, error)
        # As in _judged().
        except Exception as error:  # noqa: BLE001
            return _failed(row.name, error)

    # -- rows

    def _settle(self, row_id: str, state: ToolCallState, kept: _Kept, seen: str) -> RerunRow:
        self._results[row_id] = kept
        seen = storable(seen)
        whole = kept.result
        return self._put(
            replace(
                self._rows[row_id],
                state=state,
                finished_at=now_ms(),
                result_bytes=len(whole.produced.encode()) if whole else kept.produced_bytes,
                seen_bytes=len(seen.encode()),
                error=None if state == "ok" else seen[:_ERROR_CHARS],
            )
        )

    def _put(self, row: RerunRow) -> RerunRow:
        self._rows[row.id] = row
        self._changed(row)
        return row


def _in_file(result: ToolResult) -> _Kept:
    """Written in pieces: encoding 64 MB at once would hold the interpreter. For a thread."""
    import tempfile

    file = tempfile.TemporaryFile()  # noqa: SIM115 - it is read until the session is closed
    for start in range(0, len(result.produced), _PIECE):
        file.write(storable(result.produced[start : start + _PIECE]).encode())
    produced_bytes = file.tell()
    file.write(storable(result.seen).encode())
    return _Kept(None, file, produced_bytes)


def _ran(row: ToolCallRow) -> str:
    """The arguments that ran, as JSON."""
    return row.arguments if row.edited_arguments is None else row.edited_arguments


def _same(one: str, other: str) -> bool:
    try:
        return json.loads(one or "{}") == json.loads(other or "{}")
    except ValueError:
        return one == other


def _parse(arguments: str) -> JsonObject:
    try:
        parsed: Any = json.loads(arguments or "{}")
    except ValueError as error:
        raise InvalidArguments(f"This is no valid JSON: {error}.") from error
    if not isinstance(parsed, dict):
        raise InvalidArguments(f"The arguments must be a JSON object, not {type(parsed).__name__}.")
    return cast(JsonObject, parsed)


def _failed(name: str, error: BaseException) -> ToolOutput:
    return ToolOutput.error(f"{name} failed: {type(error).__name__}: {error}")
