"""Several processes on one day's budget."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

from chatglass.store.sqlite import SqliteStore
from chatglass.store.usage_records import UsageQuery
from chatglass.values.usage import Usage
from store.builders import new_session

PROGRAM = Path(__file__).with_name("reserving_process.py")
NOW = 1_000_000
DAY = {"now": NOW, "since": NOW, "until": NOW + 10}


async def start(file: Path, session_id: str, most: str, what: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        str(PROGRAM),
        *(str(file), session_id, most, what),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )


async def test_processes_never_overspend_together(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "s.sqlite3")
    await store.open()
    sessions = [await new_session(store) for _ in range(3)]
    running = [await start(tmp_path / "s.sqlite3", one.id, "0.25", "20") for one in sessions]
    made = [int((await one.communicate())[0]) for one in running]
    # Where two reserve at the same time the one of them may be refused what the other gives back.
    assert 20 <= sum(made) <= 25
    (day,) = await store.usage(UsageQuery(by="day"))
    assert day.cost == Decimal("0.01") * sum(made) <= Decimal("0.25")
    assert (await store.reserve(sessions[0].id, Decimal(1), most=None, **DAY)).reserved == 0
    await store.close()


async def test_what_a_killed_process_had_reserved_is_free_again(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "s.sqlite3")
    await store.open()
    one, other = await new_session(store), await new_session(store)
    holding = await start(tmp_path / "s.sqlite3", one.id, "1", "hold")
    assert holding.stdout is not None
    assert await holding.stdout.readline() == b"1\n"
    refused = await store.reserve(other.id, Decimal("0.6"), most=Decimal(1), **DAY)
    assert (refused.made, refused.reserved) == (False, Decimal("0.50"))
    holding.kill()
    await holding.wait()
    assert (await store.reserve(other.id, Decimal("0.6"), most=Decimal(1), **DAY)).made
    await store.close()


async def test_what_a_killed_process_had_sent_may_have_been_billed(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "s.sqlite3")
    await store.open()
    one, other = await new_session(store), await new_session(store)
    sending = await start(tmp_path / "s.sqlite3", one.id, "1", "send")
    assert sending.stdout is not None
    assert await sending.stdout.readline() == b"1\n"
    sending.kill()
    await sending.wait()
    refused = await store.reserve(other.id, Decimal("0.6"), most=Decimal(1), **DAY)
    assert (refused.made, refused.reserved) == (False, Decimal("0.50"))
    # Opening the session settles it: the estimate counts instead.
    await store.recover(one.id)
    (row,) = await store.requests(one.id)
    usage = Usage(prompt_tokens=1, source="estimated")
    await store.finish_request(replace(row, finished_at=NOW, usage=usage, cost=Decimal("0.1")))
    settled = await store.reserve(other.id, Decimal("0.6"), most=Decimal(1), **DAY)
    assert (settled.made, settled.spent, settled.reserved) == (True, Decimal("0.1"), 0)
    await store.close()
