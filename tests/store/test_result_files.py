"""Large results are files beside the store: whole, private, and gone with their session."""

# ruff: noqa: ASYNC240 - nothing else waits for the event loop of a test

from __future__ import annotations

import os
import stat
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from chatglass.store.protocol import StoreError
from chatglass.store.records import ToolResult
from chatglass.store.sqlite import SqliteStore
from chatglass.store.sqlite.check import check
from chatglass.store.sqlite.copying import back_up
from chatglass.store.sqlite.result_files import INLINE_CHARS, ORPHAN_SECONDS, folder_of
from store.builders import answer, message, new_session, tool_call

LARGE = "first words " + "é" * INLINE_CHARS + " last words"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "s.sqlite3"


@pytest.fixture
async def store(file: Path) -> AsyncIterator[SqliteStore]:
    store = SqliteStore(file)
    await store.open()
    yield store
    await store.close()


async def with_result(store: SqliteStore, result: ToolResult) -> tuple[str, str]:
    """Ids of a session and of its one call."""
    session = await new_session(store)
    prompt = message(session.id, None)
    reply = answer(session.id, prompt.id)
    await store.append_message(prompt)
    await store.append_message(reply)
    call = tool_call(session.id, message_id=reply.id)
    await store.add_tool_calls([call])
    await store.update_tool_call(replace(call, state="ok"), result)
    return session.id, call.id


def files(file: Path) -> list[Path]:
    folder = folder_of(file)
    return sorted(folder.iterdir()) if folder.exists() else []


def make_old(path: Path) -> None:
    then = path.stat().st_mtime - ORPHAN_SECONDS - 1
    os.utime(path, (then, then))


class TestKeeping:
    async def test_whole_private_and_named_by_the_call(
        self, store: SqliteStore, file: Path
    ) -> None:
        result = ToolResult(LARGE, "seen")
        _, call_id = await with_result(store, result)
        (kept,) = files(file)
        assert kept.name.startswith(call_id)
        assert kept.read_text() == LARGE
        assert stat.S_IMODE(kept.stat().st_mode) == 0o600
        assert stat.S_IMODE(kept.parent.stat().st_mode) == 0o700
        assert await store.tool_result(call_id) == result
        assert file.stat().st_size + (await store.size()).total > len(LARGE.encode())

    async def test_what_the_model_saw_whole(self, store: SqliteStore) -> None:
        _, call_id = await with_result(store, ToolResult(LARGE, LARGE))
        assert await store.tool_result(call_id) == ToolResult(LARGE, LARGE)

    async def test_sixty_four_megabytes(self, store: SqliteStore, file: Path) -> None:
        largest = "0123456789abcdef" * (4 * 1024 * 1024)
        _, call_id = await with_result(store, ToolResult(largest, "seen"))
        found = await store.tool_result(call_id)
        assert found is not None
        assert found.produced == largest
        wal = file.with_name(file.name + "-wal")
        assert file.stat().st_size + wal.stat().st_size < 4_000_000

    async def test_a_small_one_stays_in_the_database(self, store: SqliteStore, file: Path) -> None:
        await with_result(store, ToolResult("x" * INLINE_CHARS, "x"))
        assert files(file) == []

    async def test_in_memory_there_are_no_files(self) -> None:
        store = SqliteStore(None)
        await store.open()
        _, call_id = await with_result(store, ToolResult(LARGE, "seen"))
        assert await store.tool_result(call_id) == ToolResult(LARGE, "seen")
        await store.close()

    async def test_the_search_knows_its_start(self, store: SqliteStore) -> None:
        await with_result(store, ToolResult(LARGE, "seen"))
        assert len(await store.search("first words")) == 1
        assert await store.search("last words") == []

    async def test_nothing_changes_where_it_can_not_be_written(
        self, store: SqliteStore, file: Path
    ) -> None:
        folder_of(file).write_text("in the way")
        with pytest.raises(StoreError, match=r"s\.sqlite3\.results"):
            await with_result(store, ToolResult(LARGE, "seen"))
        found = await store._db.read(
            lambda db: db.execute("SELECT state FROM tool_calls").fetchall()
        )
        assert found == [("proposed",)]


class TestGoing:
    async def test_with_its_session(self, store: SqliteStore, file: Path) -> None:
        gone, _ = await with_result(store, ToolResult(LARGE, "seen"))
        _, stays = await with_result(store, ToolResult(LARGE, "seen"))
        await store.delete_session(gone)
        (left,) = files(file)
        assert left.name.startswith(stays)

    async def test_what_a_crash_left_is_swept_when_it_is_old(
        self, store: SqliteStore, file: Path
    ) -> None:
        await with_result(store, ToolResult(LARGE, "seen"))
        await store.close()
        (kept,) = files(file)
        orphan, fresh = kept.with_name("ORPHAN"), kept.with_name("X.12.part")
        orphan.write_text("o")
        fresh.write_text("f")
        make_old(orphan)
        make_old(kept)
        again = SqliteStore(file)
        await again.open()
        await again.close()
        assert files(file) == sorted([kept, fresh])


class TestWhole:
    async def test_from_store_to_store(self, store: SqliteStore, tmp_path: Path) -> None:
        session_id, call_id = await with_result(store, ToolResult(LARGE, "seen"))
        other = SqliteStore(tmp_path / "o.sqlite3")
        await other.open()
        whole = await store.whole_session(session_id)
        assert whole.results == {call_id: ToolResult(LARGE, "seen")}
        assert await other.add_whole_session(whole)
        assert not await other.add_whole_session(whole)
        assert (await other.whole_session(session_id)).results == whole.results
        assert len(files(tmp_path / "o.sqlite3")) == 1
        await other.close()

    async def test_an_id_is_no_path(self, store: SqliteStore, file: Path) -> None:
        session_id, _ = await with_result(store, ToolResult("r", "r"))
        whole = await store.whole_session(session_id)
        await store.delete_session(session_id)
        strange = replace(whole.tool_calls[0], id="../../" + "x" * 300)
        whole = replace(
            whole, tool_calls=(strange,), results={strange.id: ToolResult(LARGE, "seen")}
        )
        await store.add_whole_session(whole)
        assert len(files(file)) == 1
        assert await store.tool_result(strange.id) == ToolResult(LARGE, "seen")

    async def test_a_backup_has_them(self, store: SqliteStore, file: Path, tmp_path: Path) -> None:
        _, call_id = await with_result(store, ToolResult(LARGE, "seen"))
        target = tmp_path / "copies" / "b.sqlite3"
        target.parent.mkdir()
        back_up(file, target)
        assert sorted(path.name for path in target.parent.iterdir()) == [
            "b.sqlite3",
            "b.sqlite3.results",
        ]
        assert check(target).faults == []
        copy = SqliteStore(target)
        await copy.open()
        assert await copy.tool_result(call_id) == ToolResult(LARGE, "seen")
        await copy.close()
        with pytest.raises(StoreError, match="is there already"):
            back_up(file, target)


class TestDamage:
    async def test_a_file_that_is_gone(self, store: SqliteStore, file: Path) -> None:
        _, call_id = await with_result(store, ToolResult(LARGE, "seen"))
        (kept,) = files(file)
        kept.unlink()
        found = await store.tool_result(call_id)
        assert found is not None
        assert found.produced.startswith("first words")
        assert f"the rest is missing: {kept}" in found.produced
        (fault,) = check(file).faults
        assert str(kept) in fault

    async def test_a_file_that_was_cut(self, store: SqliteStore, file: Path) -> None:
        _, call_id = await with_result(store, ToolResult(LARGE, "seen"))
        (kept,) = files(file)
        os.truncate(kept, 70_000)
        found = await store.tool_result(call_id)
        assert found is not None
        assert "is damaged: it has 70,000 bytes" in found.produced
        assert "70,000 bytes" in check(file).faults[0]

    async def test_a_file_that_was_changed(self, store: SqliteStore, file: Path) -> None:
        await with_result(store, ToolResult(LARGE, "seen"))
        (kept,) = files(file)
        kept.write_bytes(kept.read_bytes().replace(b"first", b"worst"))
        assert "has been changed" in check(file).faults[0]

    async def test_a_file_too_many(self, store: SqliteStore, file: Path) -> None:
        await with_result(store, ToolResult(LARGE, "seen"))
        (kept,) = files(file)
        orphan = kept.with_name("ORPHAN")
        orphan.write_text("o")
        make_old(orphan)
        report = check(file)
        assert report.faults == []
        assert "1 files in" in report.notes[0]
