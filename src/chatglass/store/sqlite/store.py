"""SqliteStore: sessions in one SQLite file. See `store.protocol` for what each method promises."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Literal

from chatglass.store.records import (
    Added,
    CompactionRow,
    Holder,
    MessageRow,
    Parameters,
    QueuedPrompt,
    RequestRow,
    SessionQuery,
    SessionRow,
    StoreSize,
    ToolCallRow,
    ToolResult,
    WholeSession,
)
from chatglass.store.search_records import Matches, MessageExcerpt, SearchHit
from chatglass.store.sqlite import (
    blobs,
    claims,
    excerpts,
    messages,
    pending,
    recovery,
    requests,
    result_files,
    salvage,
    search,
    sessions,
    sizes,
    spending,
    tool_calls,
    whole_sessions,
)
from chatglass.store.sqlite.database import Database
from chatglass.store.sqlite.errors import describe
from chatglass.store.sqlite.schema import MIGRATIONS, Migration
from chatglass.store.usage_records import Reserved, UsageQuery, UsageRow


class SqliteStore:
    """A `SessionStore` in the file `path`, or in memory where that is None or `:memory:`."""

    def __init__(
        self, path: Path | str | None, *, migrations: Sequence[Migration] = MIGRATIONS
    ) -> None:
        """Nothing is touched before `open`. `migrations` is what the schema is made by."""
        self.file = (
            None if path is None or str(path) == ":memory:" else Path(path).expanduser().absolute()
        )
        self._db = Database(self.file, migrations)
        self._results = None if self.file is None else result_files.folder_of(self.file)
        """The folder with the large results."""
        self._claimed: set[str] = set()

    @property
    def location(self) -> str:
        return describe(self.file)

    async def open(self) -> None:
        if self._db.is_open:
            return
        await self._db.open()
        folder = self._results
        if folder is not None:
            self._db.tidy(lambda db: result_files.sweep(db, folder))

    async def close(self) -> None:
        claimed, self._claimed = self._claimed, set()
        if self._db.is_open and claimed:
            await self._db.write(claims.release, sorted(claimed))
        await self._db.close()

    # -- sessions
    async def create_session(self, row: SessionRow) -> None:
        await self._db.write(sessions.create, row)

    async def get_session(self, session_id: str) -> SessionRow:
        return await self._db.read(sessions.get, session_id)

    async def find_session(self, prefix: str) -> SessionRow:
        return await self._db.read(sessions.find, prefix)

    async def list_sessions(self, query: SessionQuery) -> list[SessionRow]:
        return await self._db.read(sessions.list_sessions, query)

    async def newest_session(self, root: str) -> SessionRow | None:
        return await self._db.read(sessions.newest, root)

    async def rename_session(self, session_id: str, title: str, *, by_user: bool) -> None:
        await self._db.write(sessions.rename, session_id, title, by_user)

    async def set_model(self, session_id: str, endpoint: str, model: str) -> None:
        await self._db.write(sessions.set_model, session_id, endpoint, model)

    async def set_parameters(self, session_id: str, parameters: Parameters) -> None:
        await self._db.write(sessions.set_parameters, session_id, parameters)

    async def set_root(self, session_id: str, root: str) -> None:
        await self._db.write(sessions.set_root, session_id, root)

    async def set_leaf(self, session_id: str, leaf_id: str | None) -> None:
        await self._db.write(sessions.set_leaf, session_id, leaf_id)

    async def set_pinned(self, session_id: str, pinned: bool) -> None:
        await self._db.write(sessions.set_pinned, session_id, pinned)

    async def set_archived(self, session_id: str, archived: bool) -> None:
        await self._db.write(sessions.set_archived, session_id, archived)

    async def set_tags(self, session_id: str, tags: Sequence[str]) -> None:
        await self._db.write(sessions.set_tags, session_id, tuple(tags))

    async def set_draft(self, session_id: str, draft: str) -> None:
        await self._db.write(sessions.set_draft, session_id, draft)

    def set_draft_now(self, session_id: str, draft: str) -> None:
        self._db.write_now(sessions.set_draft, session_id, draft)

    async def delete_session(self, session_id: str) -> None:
        await self._db.write_then(
            sessions.delete, lambda names: result_files.remove(self._results, names), session_id
        )

    # -- a session as a whole
    async def whole_session(self, session_id: str) -> WholeSession:
        return await self._db.read(whole_sessions.read, self._results, session_id)

    async def add_whole_session(self, whole: WholeSession) -> Added:
        return await self._db.write_after(
            lambda: whole_sessions.keep_results(self._results, whole),
            lambda db, results: whole_sessions.add(db, whole, results),
        )

    async def salvage(self, session_id: str) -> salvage.Salvaged:
        """What can be read of a session that can't be read as it should. Raises StoreError."""
        return await self._db.read(salvage.read, self._results, session_id)

    # -- who runs a session
    async def claim(self, session_id: str) -> Holder | None:
        # Noted first: a claim whose caller is cancelled is made all the same.
        self._claimed.add(session_id)
        return await self._db.write(claims.claim, session_id)

    async def release(self, session_id: str) -> None:
        self._claimed.discard(session_id)
        await self._db.write(claims.release, [session_id])

    # -- messages
    async def append_message(self, row: MessageRow, *, queued_id: str | None = None) -> None:
        await self._db.write(messages.append, row, queued_id)

    async def checkpoint_message(self, message_id: str, content: str, reasoning: str) -> None:
        await self._db.write(messages.checkpoint, message_id, content, reasoning)

    async def finish_message(self, row: MessageRow) -> None:
        await self._db.write(messages.finish, row)

    async def path(self, session_id: str, leaf_id: str | None) -> list[MessageRow]:
        return await self._db.read(messages.path, session_id, leaf_id)

    async def siblings(self, message_id: str) -> list[str]:
        return await self._db.read(messages.siblings, message_id)

    async def forks(self, session_id: str) -> dict[str | None, list[str]]:
        return await self._db.read(messages.forks, session_id)

    async def leaf_below(self, message_id: str) -> str:
        return await self._db.read(messages.leaf_below, message_id)

    async def excerpts(
        self,
        session_id: str,
        around: str = "",
        *,
        text: str = "",
        before: int = 6,
        after: int = 6,
        chars: int = 1_500,
    ) -> list[MessageExcerpt]:
        extent = excerpts.Extent(before, after, chars)
        return await self._db.read(excerpts.read, session_id, around, text, extent)

    # -- requests and tool calls
    async def put_blob(self, text: str) -> str:
        return await self._db.write(blobs.put, text)

    async def get_blob(self, digest: str) -> str:
        return await self._db.read(blobs.get, digest)

    async def add_request(self, row: RequestRow) -> None:
        await self._db.write(requests.add, row)

    async def finish_request(self, row: RequestRow) -> None:
        await self._db.write(requests.finish, row)

    async def requests(self, session_id: str) -> list[RequestRow]:
        return await self._db.read(requests.of_session, session_id)

    async def request_parts(self, request_id: str) -> tuple[tuple[str, str], ...]:
        return await self._db.read(requests.parts, request_id)

    async def add_tool_calls(self, rows: Sequence[ToolCallRow]) -> None:
        await self._db.write(tool_calls.add, tuple(rows))

    async def update_tool_call(
        self, row: ToolCallRow, result: ToolResult | None = None, *, preview_chars: int = 65_536
    ) -> None:
        if result is None:
            await self._db.write(tool_calls.change, row, None, preview_chars)
            return
        await self._db.write_after(
            lambda: result_files.keep(self._results, row.id, result),
            lambda db, kept: tool_calls.change(db, row, kept, preview_chars),
        )

    async def tool_calls(self, session_id: str, *, turn_id: str | None = None) -> list[ToolCallRow]:
        return await self._db.read(tool_calls.of_session, session_id, turn_id)

    async def tool_result(self, tool_call_id: str) -> ToolResult | None:
        return await self._db.read(tool_calls.result, self._results, tool_call_id)

    # -- spending
    async def usage(self, query: UsageQuery) -> list[UsageRow]:
        return await self._db.read(spending.usage, query)

    async def reserve(
        self,
        session_id: str,
        amount: Decimal,
        *,
        now: int,
        since: int,
        until: int,
        most: Decimal | None,
    ) -> Reserved:
        return await self._db.write(
            spending.reserve, session_id, amount, now=now, since=since, until=until, most=most
        )

    async def end_reservation(self, session_id: str) -> None:
        await self._db.write(spending.end_reservation, session_id)

    # -- compactions, queue
    async def add_compaction(self, row: CompactionRow) -> None:
        await self._db.write(pending.add_compaction, row)

    async def compactions(self, session_id: str) -> list[CompactionRow]:
        return await self._db.read(pending.compactions, session_id)

    async def enqueue_prompt(self, prompt: QueuedPrompt) -> None:
        await self._db.write(pending.enqueue, prompt)

    async def queued_prompts(self, session_id: str) -> list[QueuedPrompt]:
        return await self._db.read(pending.queued_prompts, session_id)

    async def remove_queued_prompt(self, prompt_id: str) -> None:
        await self._db.write(pending.remove_queued, prompt_id)

    # -- after a crash, and search
    async def recover(self, session_id: str) -> None:
        await self._db.write(recovery.recover, session_id)

    async def search(self, text: str, limit: int = 200) -> list[SearchHit]:
        return await self._db.search(search.find, text, limit)

    async def matches(self, text: str, *, limit: int = 1_000, after: str = "") -> Matches:
        return await self._db.search(search.matches, text, limit, after)

    async def match_lines(self, text: str, refs: Sequence[str]) -> dict[str, SearchHit]:
        return await self._db.search(search.lines, text, tuple(refs))

    async def calls_with(self, session_id: str, text: str) -> frozenset[str]:
        return await self._db.search(search.calls, session_id, text)

    async def sessions_using(self, kind: Literal["tool", "model"], name: str) -> frozenset[str]:
        return await self._db.search(search.uses, kind, name)

    async def size(self) -> StoreSize:
        return await self._db.read(sizes.of_store)
