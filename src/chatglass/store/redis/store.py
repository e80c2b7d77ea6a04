"""RedisStore: sessions on a Redis server. See `store.protocol` for what each method promises."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

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
from chatglass.store.redis import adding, listing, reading, searching, spending, steps
from chatglass.store.redis.leases import LEASE_SECONDS
from chatglass.store.redis.life import RedisLife
from chatglass.store.redis.mirror import kept_result
from chatglass.store.search_records import Matches, MessageExcerpt, SearchHit
from chatglass.store.sqlite.excerpts import Extent
from chatglass.store.usage_records import Reserved, UsageQuery, UsageRow


class RedisStore(RedisLife):
    """A `SessionStore` on a Redis server, and an `ObservableStore`."""

    def __init__(
        self,
        url: str,
        folder: Path,
        *,
        password: str | None = None,
        lease: float = LEASE_SECONDS,
    ) -> None:
        """See `RedisLife`."""
        super().__init__(url, folder, password=password, lease=lease)
        self._words: dict[str, int] = {}
        """Of the calls that this process made: a hash of what of them is indexed."""

    # -- sessions
    async def create_session(self, row: SessionRow) -> None:
        await self._here.write(
            row.id, steps.create(row), lambda m: m.create_session(row), creates=True
        )

    async def get_session(self, session_id: str) -> SessionRow:
        return await self._here.read(
            session_id,
            lambda link: reading.session(link, session_id),
            lambda m: m.get_session(session_id),
        )

    async def find_session(self, prefix: str) -> SessionRow:
        return await self._here.ask(lambda link: reading.find(link, prefix))

    async def list_sessions(self, query: SessionQuery) -> list[SessionRow]:
        return await self._here.ask(lambda link: listing.list_sessions(link, query))

    async def newest_session(self, root: str) -> SessionRow | None:
        found = await self.list_sessions(SessionQuery(root=root, limit=1))
        return found[0] if found else None

    async def rename_session(self, session_id: str, title: str, *, by_user: bool) -> None:
        await self._here.write(
            session_id,
            steps.rename(session_id, title, by_user),
            lambda m: m.rename_session(session_id, title, by_user=by_user),
        )

    async def set_model(self, session_id: str, endpoint: str, model: str) -> None:
        await self._here.write(
            session_id,
            steps.change(session_id, endpoint=endpoint, model=model),
            lambda m: m.set_model(session_id, endpoint, model),
        )

    async def set_parameters(self, session_id: str, parameters: Parameters) -> None:
        await self._here.write(
            session_id,
            steps.change(session_id, parameters=parameters),
            lambda m: m.set_parameters(session_id, parameters),
        )

    async def set_root(self, session_id: str, root: str) -> None:
        await self._here.write(
            session_id, steps.change(session_id, root=root), lambda m: m.set_root(session_id, root)
        )

    async def set_pinned(self, session_id: str, pinned: bool) -> None:
        await self._here.write(
            session_id,
            steps.change(session_id, pinned=pinned),
            lambda m: m.set_pinned(session_id, pinned),
        )

    async def set_archived(self, session_id: str, archived: bool) -> None:
        await self._here.write(
            session_id,
            steps.change(session_id, archived=archived),
            lambda m: m.set_archived(session_id, archived),
        )

    async def set_tags(self, session_id: str, tags: Sequence[str]) -> None:
        kept = tuple(tags)
        await self._here.write(
            session_id, steps.change(session_id, tags=kept), lambda m: m.set_tags(session_id, kept)
        )

    async def set_leaf(self, session_id: str, leaf_id: str | None) -> None:
        await self._here.write(
            session_id,
            steps.set_leaf(session_id, leaf_id),
            lambda m: m.set_leaf(session_id, leaf_id),
        )

    async def set_draft(self, session_id: str, draft: str) -> None:
        await self._here.write(
            session_id,
            steps.change(session_id, draft=draft),
            lambda m: m.set_draft(session_id, draft),
        )

    def set_draft_now(self, session_id: str, draft: str) -> None:
        """Where the server does not take it at once, it is committed to the spool."""
        self._here.set_draft_now(session_id, draft)

    async def delete_session(self, session_id: str) -> None:
        here = self._here
        await here.bury(session_id)
        await here.write(
            session_id,
            steps.delete(session_id, here.token),
            lambda m: m.delete_session(session_id),
        )

    # -- a session as a whole
    async def whole_session(self, session_id: str) -> WholeSession:
        here = self._here
        whole, _ = await here.ask(
            lambda link: reading.whole(link, session_id, here.writer, with_results=True)
        )
        return whole

    async def add_whole_session(self, whole: WholeSession) -> Added:
        """A large session takes several writes, and is shown with the last of them."""
        here = self._here
        plan = await here.ask(lambda link: adding.plan(link, whole, here.writer, here.token))
        for part in plan.writes():
            await here.write(whole.session.id, part, lambda m: m.add_whole_session(whole))
        return plan.added

    # -- who runs a session
    async def claim(self, session_id: str) -> Holder | None:
        return await self._here.claim(session_id)

    async def release(self, session_id: str) -> None:
        await self._here.release(session_id)

    # -- messages
    async def append_message(self, row: MessageRow, *, queued_id: str | None = None) -> None:
        await self._here.write(
            row.session_id,
            steps.append(row, queued_id),
            lambda m: m.append_message(row, queued_id=queued_id),
        )

    async def checkpoint_message(self, message_id: str, content: str, reasoning: str) -> None:
        await self._here.write(
            None,
            steps.checkpoint(message_id, content, reasoning),
            lambda m: m.checkpoint_message(message_id, content, reasoning),
        )

    async def finish_message(self, row: MessageRow) -> None:
        await self._here.write(row.session_id, steps.finish(row), lambda m: m.finish_message(row))

    async def path(self, session_id: str, leaf_id: str | None) -> list[MessageRow]:
        return await self._here.read(
            session_id,
            lambda link: reading.path(link, session_id, leaf_id),
            lambda m: m.path(session_id, leaf_id),
        )

    async def siblings(self, message_id: str) -> list[str]:
        return await self._here.read(
            None, lambda link: reading.siblings(link, message_id), lambda m: m.siblings(message_id)
        )

    async def forks(self, session_id: str) -> dict[str | None, list[str]]:
        return await self._here.read(
            session_id, lambda link: reading.forks(link, session_id), lambda m: m.forks(session_id)
        )

    async def leaf_below(self, message_id: str) -> str:
        return await self._here.read(
            None,
            lambda link: reading.leaf_below(link, message_id),
            lambda m: m.leaf_below(message_id),
        )

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
        extent = Extent(before, after, chars)
        return await self._here.read(
            session_id,
            lambda link: reading.excerpts(link, session_id, around, text, extent),
            lambda m: m.excerpts(
                session_id, around, text=text, before=before, after=after, chars=chars
            ),
        )

    # -- requests and tool calls
    async def put_blob(self, text: str) -> str:
        digest, put = steps.put_blob(text)
        await self._here.write(None, put, lambda m: m.put_blob(text))
        return digest

    async def get_blob(self, digest: str) -> str:
        return await self._here.read(
            None, lambda link: reading.blob(link, digest), lambda m: m.get_blob(digest)
        )

    async def add_request(self, row: RequestRow) -> None:
        await self._here.write(row.session_id, steps.add_request(row), lambda m: m.add_request(row))

    async def finish_request(self, row: RequestRow) -> None:
        await self._here.write(
            row.session_id, steps.finish_request(row), lambda m: m.finish_request(row)
        )

    async def requests(self, session_id: str) -> list[RequestRow]:
        return await self._here.read(
            session_id,
            lambda link: reading.requests(link, session_id),
            lambda m: m.requests(session_id),
        )

    async def request_parts(self, request_id: str) -> tuple[tuple[str, str], ...]:
        return await self._here.read(
            None,
            lambda link: reading.request_parts(link, request_id),
            lambda m: m.request_parts(request_id),
        )

    async def add_tool_calls(self, rows: Sequence[ToolCallRow]) -> None:
        calls = tuple(rows)
        if not calls:
            return
        for row in calls:
            self._words[row.id] = hash(steps.words_of(row))
        await self._here.write(
            calls[0].session_id, steps.add_calls(calls), lambda m: m.add_tool_calls(calls)
        )

    async def update_tool_call(
        self, row: ToolCallRow, result: ToolResult | None = None, *, preview_chars: int = 65_536
    ) -> None:
        # Indexed anew where they differ, or were another process's: mostly they don't.
        words = hash(steps.words_of(row))
        other_words = self._words.get(row.id) != words
        self._words[row.id] = words
        await self._here.write(
            row.session_id,
            steps.change_call(row, result, preview_chars=preview_chars, other_words=other_words),
            lambda m: m.update_tool_call(row, kept_result(result), preview_chars=preview_chars),
        )

    async def tool_calls(self, session_id: str, *, turn_id: str | None = None) -> list[ToolCallRow]:
        return await self._here.read(
            session_id,
            lambda link: reading.tool_calls(link, session_id, turn_id),
            lambda m: m.tool_calls(session_id, turn_id=turn_id),
        )

    async def tool_result(self, tool_call_id: str) -> ToolResult | None:
        return await self._here.read(
            None,
            lambda link: reading.tool_result(link, tool_call_id),
            lambda m: _known_result(m.tool_result(tool_call_id)),
        )

    # -- spending
    async def usage(self, query: UsageQuery) -> list[UsageRow]:
        return await self._here.ask(lambda link: spending.usage(link, query))

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
        """While the server is away, only the sessions open here are counted."""
        here = self._here
        return await here.read(
            session_id,
            lambda _: spending.reserve(
                here.leases, session_id, amount, now=now, since=since, until=until, most=most
            ),
            lambda m: m.reserve(session_id, amount, now=now, since=since, until=until, most=most),
        )

    async def end_reservation(self, session_id: str) -> None:
        here = self._here
        await here.read(
            session_id,
            lambda _: here.leases.end_reservation(session_id),
            lambda m: m.end_reservation(session_id),
        )

    # -- compactions, queue
    async def add_compaction(self, row: CompactionRow) -> None:
        await self._here.write(
            row.session_id, steps.add_compaction(row), lambda m: m.add_compaction(row)
        )

    async def compactions(self, session_id: str) -> list[CompactionRow]:
        return await self._here.read(
            session_id,
            lambda link: reading.compactions(link, session_id),
            lambda m: m.compactions(session_id),
        )

    async def enqueue_prompt(self, prompt: QueuedPrompt) -> None:
        await self._here.write(
            prompt.session_id, steps.enqueue(prompt), lambda m: m.enqueue_prompt(prompt)
        )

    async def queued_prompts(self, session_id: str) -> list[QueuedPrompt]:
        return await self._here.read(
            session_id,
            lambda link: reading.queued_prompts(link, session_id),
            lambda m: m.queued_prompts(session_id),
        )

    async def remove_queued_prompt(self, prompt_id: str) -> None:
        await self._here.write(
            None, steps.unqueue(prompt_id), lambda m: m.remove_queued_prompt(prompt_id)
        )

    # -- after a crash, and search
    async def recover(self, session_id: str) -> None:
        await self._here.recover(session_id)

    async def search(self, text: str, limit: int = 200) -> list[SearchHit]:
        return await self._here.ask(lambda link: searching.find(link, text, limit))

    async def matches(self, text: str, *, limit: int = 1_000, after: str = "") -> Matches:
        return await self._here.ask(lambda link: searching.matches(link, text, limit, after))

    async def match_lines(self, text: str, refs: Sequence[str]) -> dict[str, SearchHit]:
        return await self._here.ask(lambda link: searching.lines(link, text, refs))

    async def calls_with(self, session_id: str, text: str) -> frozenset[str]:
        return await self._here.ask(lambda link: searching.calls(link, session_id, text))

    async def sessions_using(self, kind: Literal["tool", "model"], name: str) -> frozenset[str]:
        return await self._here.ask(lambda link: reading.sessions_using(link, kind, name))

    async def size(self) -> StoreSize:
        """Of the whole server, which may hold more than sessions."""
        return await self._here.ask(searching.size)


async def _known_result(found: Awaitable[ToolResult | None]) -> Any:
    """A mirror has the results of calls that ran since it was made; of others it knows nothing."""
    result = await found
    if result is None:
        raise LookupError
    return result
