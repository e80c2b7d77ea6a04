"""What it costs, counted: tables touched, rows stepped over, commits; and who waits for whom."""

from __future__ import annotations

import asyncio
import itertools
import re
import sqlite3
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from chatglass.store.records import SessionQuery, ToolResult
from chatglass.store.sqlite import SqliteStore, rows, search
from store.builders import (
    ALL,
    answer,
    finished,
    message,
    new_session,
    request,
    session,
    talk,
    tool_call,
    whole_session,
)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    store = SqliteStore(tmp_path / "s.sqlite3")
    await store.open()
    await store.list_sessions(ALL)  # so that the reader has its connection
    yield store
    await store.close()


async def watch(store: SqliteStore, which: str, do: Callable[[sqlite3.Connection], object]) -> None:
    """`do` with the connection of the writer or a reader, in its thread, outside a transaction."""
    if which == "writer":
        assert store._db._writer is not None
        await asyncio.wrap_future(store._db._writer.submit(do, in_transaction=False))
    else:
        await asyncio.wrap_future(store._db._readers[which].submit(do))


@asynccontextmanager
async def touched(store: SqliteStore, which: str) -> AsyncIterator[set[tuple[str, str]]]:
    """Fills with ("read" or "write", table) of all statements while it is open."""
    seen: set[tuple[str, str]] = set()
    verbs = {
        sqlite3.SQLITE_READ: "read",
        sqlite3.SQLITE_INSERT: "write",
        sqlite3.SQLITE_UPDATE: "write",
        sqlite3.SQLITE_DELETE: "write",
    }

    def note(action: int, table: str | None, *_: str | None) -> int:
        if action in verbs and table:
            seen.add((verbs[action], table))
        return sqlite3.SQLITE_OK

    # This also throws away the statements that are prepared already.
    await watch(store, which, lambda db: db.set_authorizer(note))
    seen.clear()
    yield seen
    await watch(store, which, lambda db: db.set_authorizer(None))


async def steps(store: SqliteStore, which: str, call: Callable[[], Awaitable[object]]) -> int:
    """How many tens of SQLite's instructions `call` takes."""
    count = 0

    def tick() -> int:
        nonlocal count
        count += 1
        return 0

    await watch(store, which, lambda db: db.set_progress_handler(tick, 10))
    await call()
    await watch(store, which, lambda db: db.set_progress_handler(None, 0))
    return count


class TestListing:
    async def test_it_reads_no_transcript(self, store: SqliteStore) -> None:
        await whole_session(store)
        async with touched(store, "store-reader") as seen:
            assert (
                len(await store.list_sessions(SessionQuery(title_contains="a", root="/work"))) == 1
            )
            assert await store.newest_session("/work")
        assert seen == {("read", "sessions"), ("read", "queued_prompts")}

    async def test_its_cost_does_not_grow_with_the_transcripts(self, store: SqliteStore) -> None:
        made = [await new_session(store) for _ in range(30)]
        for row in made:
            await talk(store, row.id, 1)
        before = await steps(store, "store-reader", lambda: store.list_sessions(ALL))
        for row in made:
            await talk(store, row.id, 10)
        after = await steps(store, "store-reader", lambda: store.list_sessions(ALL))
        assert before > 30
        assert abs(after - before) <= 2

    async def test_ten_thousand_sessions(self, store: SqliteStore) -> None:
        many = [session(draft="d", updated_at=at, title=f"Session {at}") for at in range(10_000)]

        def fill(db: sqlite3.Connection) -> None:
            sql = rows.insert("sessions", rows.SESSION)
            db.executemany(sql, [rows.session_values(row) for row in many])

        await store._db.write(fill)
        assert await store.list_sessions(ALL) == many[::-1]
        found = await store.list_sessions(SessionQuery(title_contains="session 999"))
        assert len(found) == 11
        page = SessionQuery(limit=20)
        whole = await steps(store, "store-reader", lambda: store.list_sessions(ALL))
        part = await steps(store, "store-reader", lambda: store.list_sessions(page))
        assert part * 100 < whole


class TestLength:
    """What a call costs doesn't depend on what lies beside it."""

    async def test_reading_scans_no_table(self, store: SqliteStore) -> None:
        row = await whole_session(store)
        assert row.leaf_id is not None
        sent = (await store.requests(row.id))[0]
        call = (await store.tool_calls(row.id))[0]
        statements: list[str] = []
        await watch(store, "store-reader", lambda db: db.set_trace_callback(statements.append))
        await store.get_session(row.id)
        await store.path(row.id, row.leaf_id)
        await store.siblings(row.leaf_id)
        await store.leaf_below(row.leaf_id)
        await store.requests(row.id)
        await store.request_parts(sent.id)
        await store.get_blob((await store.request_parts(sent.id))[0][1])
        await store.tool_calls(row.id)
        await store.tool_result(call.id)
        await store.compactions(row.id)
        await store.queued_prompts(row.id)
        await watch(store, "store-reader", lambda db: db.set_trace_callback(None))
        selects = [each for each in statements if re.match(r"\s*(SELECT|WITH)", each)]
        assert len(selects) >= 12

        def plans(db: sqlite3.Connection) -> list[str]:
            return [
                f"{step[3]}: {sql}"
                for sql in selects
                for step in db.execute(f"EXPLAIN QUERY PLAN {sql}")
                # The rows of a path, which it has just made itself.
                if "SCAN" in step[3] and not re.match("SCAN (up|down)", step[3])
            ]

        assert await store._db.read(plans) == []

    async def test_writing_scans_no_table(self, store: SqliteStore) -> None:
        async def turn(session_id: str, leaf_id: str | None) -> str:
            prompt = message(session_id, leaf_id)
            await store.append_message(prompt)
            begun = answer(session_id, prompt.id, status="partial")
            await store.append_message(begun)
            await store.checkpoint_message(begun.id, "so far", "")
            await store.finish_message(replace(begun, status="complete"))
            sent = request(session_id)
            await store.add_request(sent)
            await store.finish_request(replace(sent, **finished(sent)))
            call = tool_call(session_id)
            await store.add_tool_calls([call])
            await store.update_tool_call(call, ToolResult("r", "r"))
            await store.rename_session(session_id, "title", by_user=False)
            return begun.id

        row = await new_session(store)
        leaf: str | None = None

        async def one() -> None:
            nonlocal leaf
            leaf = await turn(row.id, leaf)

        await one()
        first = [await steps(store, "writer", one) for _ in range(3)]
        other = await new_session(store)
        for _ in range(30):
            await whole_session(store)
            await talk(store, other.id, 10)
        last = [await steps(store, "writer", one) for _ in range(3)]
        # The index merges what it holds now and then, so the least of three.
        assert min(last) <= min(first) * 1.5, (first, last)

    async def test_deleting_one_does_not_pass_through_the_others(self, store: SqliteStore) -> None:
        async def delete_one() -> None:
            row = await whole_session(store)
            counted.append(await steps(store, "writer", lambda: store.delete_session(row.id)))

        counted: list[int] = []
        for _ in range(3):
            await delete_one()
        for _ in range(60):
            await whole_session(store)
        for _ in range(3):
            await delete_one()
        assert min(counted[3:]) <= min(counted[:3]) * 1.5

    async def test_requests_of_a_long_session_share_their_parts(self, store: SqliteStore) -> None:
        row = await new_session(store)
        parts = tuple(("message", f"{at:026}") for at in range(5_000))

        async def size() -> int:
            sql = (
                "SELECT (SELECT sum(length(text)) FROM blobs) + "
                "(SELECT sum(length(part_chunks) + length(part_tail)) FROM requests)"
            )
            return await store._db.read(lambda db: db.execute(sql).fetchone()[0])

        await store.add_request(request(row.id, parts=parts[:4_900]))
        first = await size()
        for end in range(4_902, 5_002, 2):
            await store.add_request(request(row.id, parts=parts[:end]))
        assert await size() - first < first * 50 * 0.05


class TestWriting:
    async def test_a_checkpoint_leaves_the_index_and_the_list_alone(
        self, store: SqliteStore
    ) -> None:
        row = await new_session(store)
        begun = answer(row.id, None, status="partial")
        await store.append_message(begun)
        async with touched(store, "writer") as seen:
            await store.checkpoint_message(begun.id, "so far", "")
        assert {table for verb, table in seen if verb == "write"} == {"messages"}

    async def test_writes_that_wait_share_a_commit(self, store: SqliteStore) -> None:
        row = await new_session(store)
        statements: list[str] = []
        await watch(store, "writer", lambda db: db.set_trace_callback(statements.append))
        gate = threading.Event()
        assert store._db._writer is not None
        store._db._writer.submit(lambda _: gate.wait(10), in_transaction=False)
        tasks = [asyncio.create_task(store.set_draft(row.id, str(at))) for at in range(20)]
        await asyncio.sleep(0)
        gate.set()
        await asyncio.gather(*tasks)
        assert statements.count("COMMIT") == 1
        assert (await store.get_session(row.id)).draft == "19"

    async def test_a_transaction_that_sqlite_throws_away_is_done_again_one_by_one(
        self, store: SqliteStore
    ) -> None:
        row = await new_session(store)

        def throw_away(db: sqlite3.Connection) -> None:
            # As after some errors of the disk: not the statement but all is rolled back.
            db.execute("INSERT OR ROLLBACK INTO sessions SELECT * FROM sessions")

        outcomes = await asyncio.gather(
            store.set_draft(row.id, "before"),
            store._db.write(throw_away),
            store.set_model(row.id, "other", "other-1"),
            return_exceptions=True,
        )
        assert [type(each).__name__ for each in outcomes] == ["NoneType", "StoreError", "NoneType"]
        after = await store.get_session(row.id)
        assert (after.draft, after.model) == ("before", "other-1")

    async def test_the_index_holds_what_the_rows_hold(self, store: SqliteStore) -> None:
        kept, gone = await whole_session(store), await whole_session(store)
        call = (await store.tool_calls(kept.id))[0]
        long = ToolResult("é" * 300 + "\0" + "x" * 300, "")
        await store.update_tool_call(call, long, preview_chars=200)
        await store.update_tool_call(replace(call, arguments="{}"), long)
        await store.rename_session(kept.id, "Other", by_user=True)
        await store.append_message(message(kept.id, content="nul \0 within"))
        await store.delete_session(gone.id)

        def check(db: sqlite3.Connection) -> tuple[int, int]:
            db.execute("INSERT INTO search (search, rank) VALUES ('integrity-check', 1)")
            (rows_,) = db.execute("SELECT count(*) FROM search_rows").fetchone()
            (texts,) = db.execute(
                "SELECT count(*) FROM search_texts WHERE text IS NOT NULL"
            ).fetchone()
            return rows_, texts

        rows_, texts = await store._db.write(check)
        assert rows_ == texts == 6
        assert len(await store.search("within")) == 1

    async def test_the_pairs_of_what_is_gone_are_gone(self, store: SqliteStore) -> None:
        kept, gone = await whole_session(store), await whole_session(store, title="去年文件")
        call = (await store.tool_calls(kept.id))[0]
        await store.update_tool_call(call, ToolResult("测试解析", ""))
        await store.update_tool_call(call, ToolResult("留下", ""))
        await store.rename_session(kept.id, "旧名字", by_user=True)
        await store.rename_session(kept.id, "新名", by_user=True)
        await store.delete_session(gone.id)

        def pairs(db: sqlite3.Connection) -> set[str]:
            db.execute("CREATE VIRTUAL TABLE temp.v USING fts5vocab (main, search_pairs, row)")
            return {term for (term,) in db.execute("SELECT term FROM v")}

        assert await store._db.write(pairs) == {"留下", "新名"}

    async def test_a_deleted_text_is_out_of_the_file(self, store: SqliteStore) -> None:
        row = await new_session(store)
        await store.append_message(message(row.id, content="zebrasecret"))
        await store.delete_session(row.id)

        def left(db: sqlite3.Connection) -> list[int]:
            db.execute("INSERT INTO search (search) VALUES ('optimize')")
            tables = [
                name
                for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
                if not name.startswith("search")
            ]
            return [db.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in tables]

        assert not any(await store._db.write(left))


class TestSearching:
    async def test_a_rare_pair_spares_passing_through_a_common_word(
        self, store: SqliteStore
    ) -> None:
        row = await new_session(store, title="")
        await store.append_message(message(row.id, content="common 文件"))

        async def cost() -> int:
            return await steps(store, "store-search", lambda: store.matches("common 文件"))

        assert len((await store.matches("common 文件")).sessions) == 1
        before = await cost()
        for _ in range(300):
            await store.append_message(message(row.id, content="common"))
        assert abs(await cost() - before) <= 2

    async def test_common_pairs_beside_a_word(
        self, store: SqliteStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(search, "_FEW", 0)
        row = await new_session(store, title="")
        for text in ("word 文件 a", "word", "文件", "WORD in 取文件 b"):
            await store.append_message(message(row.id, content=text))
        assert [hit.line for hit in await store.search("word 文件")] == [
            "WORD in 取文件 b",
            "word 文件 a",
        ]
        assert [hit.line for hit in await store.search("word 文件 b")] == ["WORD in 取文件 b"]

    async def test_names_of_tools_are_found_without_passing_through_their_calls(
        self, store: SqliteStore
    ) -> None:
        async def cost() -> int:
            return await steps(store, "store-search", lambda: store.sessions_using("tool", "rare"))

        made = [await new_session(store) for _ in range(100)]
        await store.add_tool_calls([tool_call(made[0].id, name="rare")])
        await store.add_tool_calls([tool_call(made[0].id, name="common")])
        assert await store.sessions_using("tool", "rare") == {made[0].id}
        before = await cost()
        await store.add_tool_calls([tool_call(row.id, name="common") for row in made])
        assert abs(await cost() - before) <= 2


class TestWaiting:
    async def test_a_slow_search_delays_no_one(self, store: SqliteStore) -> None:
        row = await new_session(store, draft="d")
        gate = threading.Event()
        slow = asyncio.create_task(store._db.search(lambda db: gate.wait(10)))
        await asyncio.sleep(0)
        await store.set_draft(row.id, "written")
        assert (await store.get_session(row.id)).draft == "written"
        assert not slow.done()
        gate.set()
        assert await slow

    async def test_a_slow_write_delays_no_read(self, store: SqliteStore) -> None:
        row = await new_session(store, draft="d")
        gate = threading.Event()
        slow = asyncio.create_task(store._db.write(lambda db: gate.wait(10)))
        await asyncio.sleep(0)
        assert (await store.get_session(row.id)).draft == "d"
        assert not slow.done()
        gate.set()
        assert await slow

    async def test_a_cancelled_search_is_broken_off(self, store: SqliteStore) -> None:
        begun = threading.Event()

        def endless(db: sqlite3.Connection) -> None:
            begun.set()
            db.execute(
                "WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) "
                "SELECT count(*) FROM n"
            ).fetchone()

        task = asyncio.create_task(store._db.search(endless))
        await asyncio.to_thread(begun.wait, 10)
        # Until its statement runs, an interrupt finds nothing to stop.
        while not task.done():
            task.cancel()
            await asyncio.sleep(0.005)
            reader = store._db._readers["store-search"]
            if reader._current is not None:
                reader.abandon(reader._current)
        with pytest.raises(asyncio.CancelledError):
            await task
        async with asyncio.timeout(10):
            assert await store.search("anything") == []


async def test_a_path_holds_each_id_once(store: SqliteStore) -> None:
    row = await new_session(store)
    said = await talk(store, row.id, 4)
    path = await store.path(row.id, said[-1].id)
    assert len(path) > 2
    for before, after in itertools.pairwise(path):
        assert after.parent_id is before.id
        assert after.session_id is before.session_id
    assert len({id(each.role) for each in path}) == len({each.role for each in path})
