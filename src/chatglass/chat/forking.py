"""Forking: what was said up to a message, as a session of its own that names its origin."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from chatglass.store.protocol import SessionStore, StoreError
from chatglass.store.records import (
    COPIED,
    CompactionRow,
    MessageRow,
    SessionRow,
    ToolCallRow,
    ToolResult,
    WholeSession,
)
from chatglass.values.clock import now_ms
from chatglass.values.ids import new_id

_MARK = " (fork)"
_OPEN = frozenset({"proposed", "asking", "approved", "running"})


@dataclass(frozen=True, slots=True)
class Fork:
    session: SessionRow
    """As it is stored: it begins with nothing spent."""
    prompt: MessageRow | None
    """The prompt of the origin at which it was forked. It is not in the new session, where it can
    be said anew; None where an answer was the place."""


async def fork_session(
    store: SessionStore, session_id: str, message_id: str, *, into: SessionStore | None = None
) -> Fork:
    """Store a new session (`into` another store than the origin's, if given) that holds what stands
    before a prompt, or what stands up to an answer with the results of its tool calls.

    Messages, tool calls with their results, and compactions are copied with ids of their own;
    requests and what they cost stay the origin's. The origin is only read, so it may be at work, or
    be held by another process. Raises StoreError.
    """
    origin = await store.get_session(session_id)
    path = await store.path(session_id, await store.leaf_below(message_id))
    at = next((place for place, row in enumerate(path) if row.id == message_id), None)
    if at is None:
        raise StoreError(f"Message {message_id} is not in session {session_id}.")
    place = path[at]
    copied = path[:at] if place.role == "user" else path[: _end_of(path, at)]
    if any(row.status == "partial" for row in copied):
        raise StoreError("That answer is still being written; fork when it has ended.")
    copies = _Copies(origin, place)
    whole = copies.whole(
        copied, await store.tool_calls(session_id), await store.compactions(session_id)
    )
    results = await _results(store, copies.calls)
    target = into or store
    await target.add_whole_session(replace(whole, results=results))
    prompt = place if place.role == "user" else None
    return Fork(await target.get_session(whole.session.id), prompt)


def _title_of(origin: SessionRow) -> str:
    is_marked = not origin.title or origin.title.endswith(_MARK)
    return origin.title if is_marked else f"{origin.title}{_MARK}"


def _end_of(path: Sequence[MessageRow], at: int) -> int:
    """One behind the message at `at` and the tool messages that belong to it."""
    end = at + 1
    while end < len(path) and path[end].role == "tool":
        end += 1
    return end


async def _results(store: SessionStore, calls: dict[str, str]) -> dict[str, ToolResult]:
    found: dict[str, ToolResult] = {}
    for old, new in calls.items():
        result = await store.tool_result(old)
        if result is not None:
            found[new] = result
    return found


class _Copies:
    """New rows for those of the origin, under new ids."""

    def __init__(self, origin: SessionRow, place: MessageRow) -> None:
        now = now_ms()
        self.session = SessionRow(
            id=new_id(),
            title=_title_of(origin),
            root=origin.root,
            endpoint=origin.endpoint,
            model=origin.model,
            created_at=now,
            updated_at=now,
            parameters=origin.parameters,
            tags=origin.tags,
            forked_from=(origin.id, place.id),
        )
        self.calls: dict[str, str] = {}
        """Ids of the origin's tool calls, and of their copies."""
        self._messages: dict[str, str] = {}
        self._turns: dict[str, str] = {}
        self._compactions: dict[str, str] = {}

    def whole(
        self,
        path: Sequence[MessageRow],
        calls: Iterable[ToolCallRow],
        compactions: Iterable[CompactionRow],
    ) -> WholeSession:
        messages = tuple(self._message(row) for row in path)
        leaf_id = messages[-1].id if messages else None
        return WholeSession(
            session=replace(self.session, leaf_id=leaf_id),
            messages=messages,
            tool_calls=tuple(self._call(row) for row in calls if row.message_id in self._messages),
            compactions=tuple(
                self._compaction(row)
                for row in compactions
                if row.anchor_id in self._messages and row.first_kept_id in self._messages
            ),
        )

    def _message(self, row: MessageRow) -> MessageRow:
        copy = replace(
            row,
            id=new_id(),
            session_id=self.session.id,
            parent_id=None if row.parent_id is None else self._messages[row.parent_id],
            turn_id=self._turn(row.turn_id),
        )
        self._messages[row.id] = copy.id
        return copy

    def _turn(self, turn_id: str) -> str:
        return self._turns.setdefault(turn_id, new_id())

    def _call(self, row: ToolCallRow) -> ToolCallRow:
        if row.state in _OPEN:
            raise StoreError(f"{row.name} still runs there; fork when it has ended.")
        copy = replace(
            row,
            id=new_id(),
            session_id=self.session.id,
            turn_id=self._turn(row.turn_id),
            message_id=self._messages[row.message_id],
            request_id=COPIED,
        )
        self.calls[row.id] = copy.id
        return copy

    def _compaction(self, row: CompactionRow) -> CompactionRow:
        """Versions come after what they replace, whose anchor is on the path where theirs is."""
        copy = replace(
            row,
            id=new_id(),
            session_id=self.session.id,
            anchor_id=self._messages[row.anchor_id],
            first_kept_id=self._messages[row.first_kept_id],
            elided_through=self._messages.get(row.elided_through or ""),
            replaces=self._compactions.get(row.replaces or ""),
            request_id=None,
        )
        self._compactions[row.id] = copy.id
        return copy
