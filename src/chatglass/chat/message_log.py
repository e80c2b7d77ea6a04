"""MessageLog: the messages of a session on their way to disk, and the shown path they make."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from chatglass.chat.shown_path import ShownPath
from chatglass.models.wire import ModelRef
from chatglass.store.protocol import SessionStore
from chatglass.store.records import CompactionRow, MessageRow, MessageStatus, Role
from chatglass.values.clock import now_ms
from chatglass.values.ids import new_id
from chatglass.values.text import storable


class MessageLog:
    """Writes each message at the end of the path. None of its methods may be broken off between
    the store and the path (`to_the_end`)."""

    def __init__(self, store: SessionStore, session_id: str) -> None:
        self._store = store
        self._session_id = session_id
        self.path = ShownPath()
        self.turn_id: str | None = None

    async def take_path(self, leaf_id: str | None, compactions: Sequence[CompactionRow]) -> None:
        """Show the path to that message. Raises StoreError."""
        rows = [] if leaf_id is None else await self._store.path(self._session_id, leaf_id)
        path = ShownPath(rows, compactions)
        await path.measure()
        self.path = path

    async def whole_path(self) -> Sequence[MessageRow]:
        """All rows of the shown path; those that are no longer sent come from the store. Raises
        StoreError."""
        path = self.path
        if not path.rows_gone:
            return path.rows
        stored = await self._store.path(self._session_id, path.leaf_id)
        return [*stored[: path.rows_gone], *path.rows]

    async def find(self, message_id: str) -> MessageRow | None:
        """That row, if it is on the shown path. Raises StoreError."""
        return self.path.get(message_id) or next(
            (row for row in await self.whole_path() if row.id == message_id), None
        )

    def text_of(self, message_id: str) -> str:
        """What was said in a message of the shown path; else nothing."""
        row = self.path.get(message_id)
        return row.content + row.reasoning if row is not None else ""

    def row(self, role: Role, content: str) -> MessageRow:
        """A row for the end of the path; it is not stored yet."""
        return MessageRow(
            id=new_id(),
            session_id=self._session_id,
            parent_id=self.path.leaf_id,
            turn_id=self.turn_id or "",
            role=role,
            content=content,
            created_at=now_ms(),
        )

    async def append(self, row: MessageRow, *, queued_id: str | None = None) -> str:
        await self._store.append_message(row, queued_id=queued_id)
        self.path.append(row)
        return row.id

    async def begin(self, model: ModelRef) -> str:
        """Store an empty `partial` answer of that model. Returns its id."""
        row = self.row("assistant", "")
        return await self.append(
            replace(row, status="partial", endpoint=model.endpoint, model=model.model)
        )

    async def checkpoint(self, message_id: str, delta: str, reasoning: str) -> None:
        """Add to a `partial` answer, and store what it has so far."""
        row = self.get(message_id)
        row = replace(
            row,
            content=row.content + storable(delta),
            reasoning=row.reasoning + storable(reasoning),
        )
        self.path.replace(row)
        await self._store.checkpoint_message(row.id, row.content, row.reasoning)

    async def finish(
        self,
        message_id: str,
        *,
        text: str | None,
        tool_calls: str | None,
        status: MessageStatus,
        reasoning_ms: int,
        error: str | None,
    ) -> MessageRow:
        """Store the final form of an answer: `text`, or where it is None what was checkpointed.
        `tool_calls` is OpenAI's array as JSON text."""
        row = self.get(message_id)
        row = replace(
            row,
            content=row.content if text is None else storable(text),
            tool_calls=tool_calls,
            status=status,
            reasoning_ms=reasoning_ms,
            error=error,
        )
        await self._store.finish_message(row)
        self.path.replace(row)
        return row

    def get(self, message_id: str) -> MessageRow:
        row = self.path.get(message_id)
        if row is None:
            raise KeyError(f"message {message_id} is not on the shown path")
        return row
