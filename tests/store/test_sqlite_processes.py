"""Real processes on one file: side by side, killed at any moment, and who runs a session."""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
from asyncio.subprocess import PIPE, Process
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from chatglass.store import holders
from chatglass.store.protocol import StoreError
from chatglass.store.records import Holder
from chatglass.store.sqlite import SqliteStore
from store.builders import ALL, answer, new_session, talk

WRITER = Path(__file__).with_name("writer_process.py")

Start = Callable[..., Awaitable[Process]]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "s.sqlite3"


@pytest.fixture
async def store(file: Path) -> AsyncIterator[SqliteStore]:
    store = SqliteStore(file)
    await store.open()
    yield store
    await store.close()


@pytest.fixture
async def start(file: Path) -> AsyncIterator[Start]:
    """Starts writer_process.py with the file; what still runs at the end is killed."""
    started: list[Process] = []

    async def start(what: str, *rest: object) -> Process:
        words = [str(WRITER), what, str(file), *map(str, rest)]
        process = await asyncio.create_subprocess_exec(
            sys.executable, *words, stdin=PIPE, stdout=PIPE, stderr=PIPE
        )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def line(process: Process) -> list[str]:
    assert process.stdout is not None
    words = (await process.stdout.readline()).decode().split()
    if not words:
        assert process.stderr is not None
        pytest.fail((await process.stderr.read()).decode())
    return words


def integrity(db: sqlite3.Connection) -> list[str]:
    # With rank 1 the index is also compared with the texts.
    db.execute("INSERT INTO search (search, rank) VALUES ('integrity-check', 1)")
    assert db.execute("PRAGMA foreign_key_check").fetchall() == []
    return [row[0] for row in db.execute("PRAGMA integrity_check")]


class TestKilled:
    @pytest.mark.parametrize("run", range(4))
    async def test_at_any_moment(self, file: Path, start: Start, run: int) -> None:
        await self.kill_and_look(file, start, random.Random(run))

    @pytest.mark.slow
    @pytest.mark.parametrize("run", range(100, 120))
    async def test_at_many_moments(self, file: Path, start: Start, run: int) -> None:
        await self.kill_and_look(file, start, random.Random(run))

    async def kill_and_look(self, file: Path, start: Start, chance: random.Random) -> None:
        process = await start("turns")
        lines = [await line(process) for _ in range(chance.randrange(1, 60))]
        # Not at an acknowledgement, but somewhere in the writes after it.
        await asyncio.sleep(chance.random() * 0.005)
        process.send_signal(signal.SIGKILL)
        rest, _ = await process.communicate()
        lines += [each.split() for each in rest.decode().splitlines(keepends=True) if "\n" in each]
        said: dict[str, dict[str, int]] = defaultdict(dict)
        for what, id_, *number in lines:
            said[what][id_] = int(number[0]) if number else 0
        (session_id,) = said["session"]

        store = SqliteStore(file)
        await store.open()
        assert await store._db.write(integrity) == ["ok"]
        row = await store.get_session(session_id)
        messages = {each.id: each for each in await store.path(session_id, row.leaf_id)}
        requests = {each.id: each for each in await store.requests(session_id)}
        assert said["message"].keys() <= messages.keys()
        assert said["request"].keys() <= requests.keys()
        assert all(messages[id_].status == "complete" for id_ in said["complete"])
        assert all(requests[id_].status == "complete" for id_ in said["finished"])
        assert all(len(messages[id_].content) >= size for id_, size in said["text"].items())
        for id_ in said["result"]:
            result = await store.tool_result(id_)
            assert result is not None
            assert len(result.produced) == 100_000

        assert row.messages == len(messages)
        assert row.requests == len(requests)
        assert row.cost == sum(each.cost or 0 for each in requests.values())
        assert row.tool_calls == len(await store.tool_calls(session_id))
        # A prompt is queued or a message, never both and never neither.
        assert len(await store.queued_prompts(session_id)) <= 1

        await store.recover(session_id)
        again = await store.path(session_id, row.leaf_id)
        assert {each.status for each in again} <= {"complete", "interrupted"}
        assert "running" not in {each.status for each in await store.requests(session_id)}
        assert await store._db.write(integrity) == ["ok"]
        await store.close()


class TestSideBySide:
    async def test_two_write_and_one_reads(self, store: SqliteStore, start: Start) -> None:
        shared = await new_session(store, draft="d")
        processes = [await start("drafts", shared.id, 40) for _ in range(2)]
        mine = await talk(store, shared.id, 40)
        ended = [await process.communicate() for process in processes]
        for process, (out, errors) in zip(processes, ended, strict=True):
            assert process.returncode == 0, errors.decode()
            theirs = await store.get_session(out.decode().split()[1])
            rows = await store.path(theirs.id, theirs.leaf_id)
            assert [row.content for row in rows] == [f"{process.pid} {at}" for at in range(40)]
            assert len(await store.search(f'"{process.pid} 3"')) == 11
        assert await store.path(shared.id, mine[-1].id) == mine
        assert (await store.get_session(shared.id)).draft in {
            f"{process.pid} 39" for process in processes
        }
        assert len(await store.list_sessions(ALL)) == 3
        assert await store._db.write(integrity) == ["ok"]

    async def test_all_may_be_the_first(self, file: Path, start: Start) -> None:
        processes = [await start("drafts", "nobody", 0) for _ in range(4)]
        for process in processes:
            _, errors = await process.communicate()
            assert process.returncode == 0, errors.decode()
        store = SqliteStore(file)
        await store.open()
        assert (
            len(await store._db.read(lambda db: db.execute("SELECT 1 FROM sessions").fetchall()))
            == 4
        )
        await store.close()

    async def test_opening_waits_for_a_reader_that_is_in_the_way(self, file: Path) -> None:
        store = SqliteStore(file)
        await store.open()
        await new_session(store, draft="d")
        await store.close()
        other = sqlite3.connect(file, isolation_level=None)
        other.execute("PRAGMA journal_mode = DELETE")
        other.execute("BEGIN")
        other.execute("SELECT * FROM sessions").fetchall()
        opening = asyncio.create_task(store.open())
        done, _ = await asyncio.wait([opening], timeout=0.2)
        assert not done
        other.execute("ROLLBACK")
        other.close()
        await opening
        assert len(await store.list_sessions(ALL)) == 1
        await store.close()

    async def test_a_lock_that_lasts_is_said(self, store: SqliteStore, file: Path) -> None:
        row = await new_session(store)
        await store._db._read(
            "writer", lambda db: db.execute("PRAGMA busy_timeout = 20").fetchall()
        )
        other = sqlite3.connect(file, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        outcomes = await asyncio.gather(
            *(store.set_draft(row.id, str(at)) for at in range(3)), return_exceptions=True
        )
        for outcome in outcomes:
            assert isinstance(outcome, StoreError)
            assert str(file) in str(outcome)
            assert "another process has kept it locked" in str(outcome)
        assert (await store.get_session(row.id)).draft == ""
        other.execute("ROLLBACK")
        other.close()
        await store.set_draft(row.id, "now")
        assert (await store.get_session(row.id)).draft == "now"


class TestHolders:
    async def test_a_session_that_another_runs(self, store: SqliteStore, start: Start) -> None:
        row = await new_session(store)
        torn = answer(row.id, None, status="partial")
        await store.append_message(torn)
        other = await start("claim", row.id)
        assert await line(other) == ["claimed", str(other.pid)]

        holder = await store.claim(row.id)
        assert holder is not None
        assert holder.pid == other.pid
        await store.release(row.id)
        assert await store.claim(row.id) == holder
        await store.recover(row.id)
        assert (await store.path(row.id, torn.id))[0].status == "partial"
        with pytest.raises(StoreError, match=f"process {other.pid}.*not deleted"):
            await store.delete_session(row.id)

        other.kill()
        await other.wait()
        assert await store.claim(row.id) is None
        await store.recover(row.id)
        assert (await store.path(row.id, torn.id))[0].status == "interrupted"
        await store.delete_session(row.id)

    async def test_the_other_way_round(self, store: SqliteStore, start: Start) -> None:
        row = await new_session(store)
        assert await store.claim(row.id) is None
        other = await start("claim", row.id)
        assert await line(other) == ["held", "by", str(os.getpid()), str(other.pid)]
        await store.release(row.id)
        assert (await line(await start("claim", row.id)))[0] == "claimed"

    async def test_closing_gives_claims_up(self, store: SqliteStore, start: Start) -> None:
        row = await new_session(store)
        other = await start("claim", row.id)
        await line(other)
        await other.communicate(b"")
        assert other.returncode == 0
        assert await store._db.read(lambda db: db.execute("SELECT * FROM holders").fetchall()) == []

    async def test_a_used_pid_and_an_earlier_boot_do_not_live(self, store: SqliteStore) -> None:
        row = await new_session(store)
        parent = holders.this_process(0)
        parent = replace(parent, pid=os.getppid(), started=holders._start(os.getppid()) or "")
        assert await self.claim_over(store, row.id, parent) == parent
        for dead in (replace(parent, started="1"), replace(parent, boot="another")):
            assert await self.claim_over(store, row.id, dead) is None

    async def claim_over(
        self, store: SqliteStore, session_id: str, holder: Holder
    ) -> Holder | None:
        def put(db: sqlite3.Connection) -> None:
            db.execute("DELETE FROM holders")
            db.execute(
                "INSERT INTO holders VALUES (?, ?, ?, ?, ?)",
                (session_id, holder.pid, holder.started, holder.boot, holder.claimed_at),
            )

        await store._db.write(put)
        return await store.claim(session_id)


@pytest.mark.parametrize("asked", ["proc", "ps"])
def test_when_a_process_started(
    asked: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if asked == "ps":
        if not shutil.which("ps"):
            pytest.skip("ps is not installed")
        monkeypatch.setattr(holders, "_PROC", tmp_path)
    mine = holders._start(os.getpid())
    assert mine
    assert mine == holders._start(os.getpid())
    # Ended, but not waited for: a zombie runs nothing.
    ended = subprocess.Popen([sys.executable, "-c", ""])
    os.waitid(os.P_PID, ended.pid, os.WEXITED | os.WNOWAIT)
    assert holders._start(ended.pid) is None
    ended.wait()
    assert holders._start(ended.pid) is None
