"""Forking a session, on every store: what is copied, what stays the origin's."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from chatglass.chat.forking import fork_session
from chatglass.store.protocol import SessionStore, StoreError
from chatglass.store.records import (
    COPIED,
    CompactionRow,
    MessageRow,
    Parameters,
    SessionRow,
    ToolResult,
)
from chatglass.store.sqlite import SqliteStore
from chatglass.store.usage_records import UsageQuery
from chatglass.values.ids import new_id
from store.builders import answer, finished, message, new_session, request, tool_call


class Origin:
    """A session of two turns, the first with a tool call, on a path of six messages."""

    def __init__(self, session: SessionRow, path: list[MessageRow], call_id: str) -> None:
        self.session, self.path, self.call_id = session, path, call_id


async def make_origin(store: SessionStore) -> Origin:
    session = await new_session(
        store, title="A title", tags=("a",), parameters=Parameters(system_prompt="Be kind.")
    )
    rows: list[MessageRow] = []

    async def say(make: Any, **fields: Any) -> MessageRow:
        rows.append(make(session.id, rows[-1].id if rows else None, **fields))
        await store.append_message(rows[-1])
        return rows[-1]

    await say(message, content="the first question", turn_id="t1")
    asked = await say(answer, content="", tool_calls='[{"id": "call_1"}]', turn_id="t1")
    await say(message, role="tool", content="seen", tool_call_id="call_1", turn_id="t1")
    said = await say(answer, content="the first answer", turn_id="t1")
    await say(message, content="the second question", turn_id="t2")
    await say(answer, content="the second answer", turn_id="t2")
    sent = request(session.id, message_id=said.id)
    await store.add_request(sent)
    await store.finish_request(replace(sent, **finished(sent)))
    call = tool_call(session.id, request_id=sent.id, message_id=asked.id, turn_id="t1")
    await store.add_tool_calls([call])
    result = ToolResult("produced in full " * 5_000, "seen")
    await store.update_tool_call(replace(call, state="ok", result_bytes=85_000), result)
    await store.add_compaction(
        CompactionRow(
            id=new_id(),
            session_id=session.id,
            anchor_id=said.id,
            first_kept_id=said.id,
            strategy="trim",
            created_at=5_000,
            summary="the start",
            request_id=sent.id,
        )
    )
    return Origin(await store.get_session(session.id), rows, call.id)


class Forks:
    async def test_an_answer_is_forked_with_all_before_it(self, store: SessionStore) -> None:
        origin = await make_origin(store)
        fork = await fork_session(store, origin.session.id, origin.path[3].id)
        row = fork.session
        assert fork.prompt is None
        assert row.forked_from == (origin.session.id, origin.path[3].id)
        assert row.title == "A title (fork)"
        assert (row.root, row.model, row.parameters, row.tags) == (
            origin.session.root,
            origin.session.model,
            origin.session.parameters,
            ("a",),
        )
        path = await store.path(row.id, row.leaf_id)
        assert [(each.role, each.content, each.created_at) for each in path] == [
            (each.role, each.content, each.created_at) for each in origin.path[:4]
        ]
        ids = {each.id for each in origin.path}
        assert not ids & {each.id for each in path}
        assert len({each.turn_id for each in path}) == 1
        assert path[0].turn_id != "t1"
        assert await store.get_session(origin.session.id) == origin.session

    async def test_nothing_is_spent_in_it_and_no_call_counts_twice(
        self, store: SessionStore
    ) -> None:
        origin = await make_origin(store)
        before = {
            by: await store.usage(UsageQuery(by=by)) for by in ("day", "model", "tool", "session")
        }
        fork = await fork_session(store, origin.session.id, origin.path[5].id)
        assert (fork.session.cost, fork.session.requests) == (Decimal(0), 0)
        assert fork.session.total_tokens == 0
        assert await store.requests(fork.session.id) == []
        for by, rows in before.items():
            assert await store.usage(UsageQuery(by=by)) == rows  # pyright: ignore[reportArgumentType]
        (of_tool,) = before["tool"]
        assert of_tool.calls == 1
        # A fork of the fork is no different.
        again = await fork_session(store, fork.session.id, fork.session.leaf_id or "")
        assert again.session.title == "A title (fork)"
        assert again.session.forked_from == (fork.session.id, fork.session.leaf_id)
        assert await store.usage(UsageQuery(by="tool")) == before["tool"]

    async def test_results_and_compactions_come_along(self, store: SessionStore) -> None:
        origin = await make_origin(store)
        fork = await fork_session(store, origin.session.id, origin.path[5].id)
        (call,) = await store.tool_calls(fork.session.id)
        path = await store.path(fork.session.id, fork.session.leaf_id)
        assert (call.message_id, call.request_id, call.state) == (path[1].id, COPIED, "ok")
        assert await store.tool_result(call.id) == await store.tool_result(origin.call_id)
        (compaction,) = await store.compactions(fork.session.id)
        assert (compaction.anchor_id, compaction.summary) == (path[3].id, "the start")
        # They are the fork's own.
        await store.delete_session(origin.session.id)
        result = await store.tool_result(call.id)
        assert result is not None
        assert result.produced.startswith("produced in full")
        assert any(
            hit.session_id == fork.session.id for hit in await store.search("produced in full")
        )

    async def test_tool_messages_stay_with_the_answer_that_asked(self, store: SessionStore) -> None:
        origin = await make_origin(store)
        fork = await fork_session(store, origin.session.id, origin.path[1].id)
        path = await store.path(fork.session.id, fork.session.leaf_id)
        assert [each.role for each in path] == ["user", "assistant", "tool"]
        assert await store.compactions(fork.session.id) == []

    @pytest.mark.parametrize(("at", "kept"), [(0, 0), (4, 4)])
    async def test_a_prompt_is_left_to_be_said_anew(
        self, store: SessionStore, at: int, kept: int
    ) -> None:
        origin = await make_origin(store)
        fork = await fork_session(store, origin.session.id, origin.path[at].id)
        assert fork.prompt == origin.path[at]
        path = await store.path(fork.session.id, fork.session.leaf_id)
        assert len(path) == kept
        assert fork.session.forked_from == (origin.session.id, origin.path[at].id)

    async def test_what_is_not_final_is_refused(self, store: SessionStore) -> None:
        origin = await make_origin(store)
        half = answer(origin.session.id, origin.path[-1].id, status="partial")
        await store.append_message(half)
        with pytest.raises(StoreError, match="still being written"):
            await fork_session(store, origin.session.id, half.id)
        asked = answer(origin.session.id, origin.path[-1].id, tool_calls="[]")
        await store.append_message(asked)
        await store.add_tool_calls(
            [tool_call(origin.session.id, message_id=asked.id, state="running")]
        )
        with pytest.raises(StoreError, match="read_file still runs"):
            await fork_session(store, origin.session.id, asked.id)
        other = await new_session(store)
        with pytest.raises(StoreError):
            await fork_session(store, other.id, origin.path[0].id)

    async def test_an_export_and_a_copy_keep_it(self, store: SessionStore) -> None:
        origin = await make_origin(store)
        fork = await fork_session(store, origin.session.id, origin.path[3].id)
        whole = await store.whole_session(fork.session.id)
        await store.delete_session(fork.session.id)
        await store.add_whole_session(whole)
        assert await store.whole_session(fork.session.id) == whole
        assert whole.session.forked_from == (origin.session.id, origin.path[3].id)


class TestInAFile(Forks):
    @pytest.fixture
    async def store(self, tmp_path: Path) -> AsyncIterator[SessionStore]:
        store = SqliteStore(tmp_path / "sessions.sqlite3")
        await store.open()
        yield store
        await store.close()


@pytest.mark.needs("redis")
class TestOnRedis(Forks):
    @pytest.fixture
    async def store(self, redis_store: SessionStore) -> SessionStore:
        return redis_store
