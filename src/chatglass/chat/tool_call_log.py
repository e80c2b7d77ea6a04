"""ToolCallLog: the tool call rows of a session, from proposal to result."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from chatglass.models.wire import ProposedCall
from chatglass.store.protocol import SessionStore
from chatglass.store.records import ToolCallRow, ToolResult
from chatglass.values.clock import now_ms
from chatglass.values.ids import new_id
from chatglass.values.text import storable

NOT_RUN = "This call was not run: its turn ended before."
"""The answer to a call that was never run."""
_OPEN = frozenset({"proposed", "asking", "approved", "running"})


class ToolCallLog:
    """Writes each step of a call before the next one is taken."""

    def __init__(self, store: SessionStore) -> None:
        self._store = store
        self.count = 0
        """Settled calls of the session, on all branches."""
        self._rows: dict[str, ToolCallRow] = {}

    async def propose(
        self,
        session_id: str,
        turn_id: str,
        request_id: str,
        message_id: str,
        calls: Sequence[ProposedCall],
    ) -> list[ToolCallRow]:
        """Store the calls of one answer, before anything is decided about them."""
        rows = [
            ToolCallRow(
                id=new_id(),
                session_id=session_id,
                turn_id=turn_id,
                request_id=request_id,
                message_id=message_id,
                call_id=call.id,
                position=position,
                name=storable(call.name),
                arguments=storable(call.arguments),
                proposed_at=now_ms(),
            )
            for position, call in enumerate(calls)
        ]
        await self._store.add_tool_calls(rows)
        self._rows = {row.call_id: row for row in rows}
        return rows

    async def update(self, row: ToolCallRow) -> None:
        self._rows[row.call_id] = row
        await self._store.update_tool_call(row)

    async def settle(self, row: ToolCallRow, result: ToolResult) -> ToolCallRow:
        """Store a call's end with its result. Returns the row as stored."""
        result = ToolResult(storable(result.produced), storable(result.seen))
        row = replace(
            row,
            finished_at=row.finished_at or now_ms(),
            result_bytes=len(result.produced.encode()),
            seen_bytes=len(result.seen.encode()),
        )
        await self._store.update_tool_call(row, result)
        self._rows[row.call_id] = row
        self.count += 1
        return row

    def still_open(self, call_id: str) -> ToolCallRow | None:
        """The call of the newest answer with that id, if it has no result yet."""
        row = self._rows.get(call_id)
        return row if row is not None and row.state in _OPEN else None
