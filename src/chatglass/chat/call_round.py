"""What is around a tool call: the request that made it, the one that took its result back, and the
same call before."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from chatglass.store.protocol import SessionStore
from chatglass.store.records import RequestRow, ToolCallRow


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRound:
    request: RequestRow | None
    """The one whose answer held the call; None where it isn't in the store."""
    taken_back_by: RequestRow | None
    """The next one of the turn, which sent the result."""
    before: tuple[ToolCallRow, ...]
    """Earlier calls of the same tool with the same arguments, oldest first: attempts of it."""


async def call_round(
    store: SessionStore, call: ToolCallRow, calls: Iterable[ToolCallRow]
) -> CallRound:
    """`calls` are those of the session. Raises StoreError."""
    rows = await store.requests(call.session_id)
    after = call.finished_at
    return CallRound(
        request=next((row for row in rows if row.id == call.request_id), None),
        taken_back_by=None
        if after is None
        else next(
            (
                row
                for row in rows
                if row.turn_id == call.turn_id
                and row.id != call.request_id
                and row.started_at >= after
                and row.purpose == "answer"
            ),
            None,
        ),
        before=tuple(
            each
            for each in calls
            if each.id != call.id
            and each.proposed_at <= call.proposed_at
            and (each.name, each.arguments) == (call.name, call.arguments)
        ),
    )
