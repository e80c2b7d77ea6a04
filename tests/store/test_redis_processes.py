"""Several chatglass on one Redis: claims with leases, and writes at once."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from chatglass.store.protocol import StoreError
from chatglass.store.records import SessionRow
from chatglass.store.redis import RedisStore
from chatglass.store.status import StoreStatus
from store.builders import ALL, answer, message, new_session, request, talk
from store.redis_server import RedisServer

pytestmark = pytest.mark.needs("redis")


@pytest.fixture
async def store(redis_store: Any) -> RedisStore:
    return redis_store


@pytest.fixture
async def other(server: RedisServer, tmp_path: Path) -> AsyncIterator[RedisStore]:
    """Of the same process."""
    store = RedisStore(server.url, tmp_path)
    await store.open()
    yield store
    await store.close()


def elsewhere(server: RedisServer, row: SessionRow, *, milliseconds: int, **given: object) -> None:
    """A claim of a process of another machine."""
    holder = {
        "pid": 4242, "started": "1", "boot": "b", "claimed_at": 7, "host": "far-away",
        "place": "far-away b", "token": "far-away b 4242 1",
    }  # fmt: skip
    text = json.dumps(holder | given)
    server.command("SET", f"chatglass:holder:{row.id}", text, "PX", str(milliseconds))


def dead_process() -> subprocess.Popen[bytes]:
    done = subprocess.Popen([sys.executable, "-c", ""])
    done.wait()
    return done


async def test_another_machine_holds_it_until_its_lease_ends(
    store: RedisStore, server: RedisServer
) -> None:
    row = await new_session(store)
    torn = answer(row.id, None, status="partial")
    await store.append_message(torn)
    elsewhere(server, row, milliseconds=300)
    holder = await store.claim(row.id)
    assert holder is not None
    assert (holder.pid, holder.host, holder.claimed_at) == (4242, "far-away", 7)
    with pytest.raises(StoreError, match="process 4242 on far-away"):
        await store.delete_session(row.id)
    whole = await store.whole_session(row.id)
    grown = replace(whole, messages=(*whole.messages, message(row.id, torn.id)))
    with pytest.raises(StoreError, match="open in another chatglass"):
        await store.add_whole_session(grown)
    await store.recover(row.id)
    assert (await store.path(row.id, torn.id))[0].status == "partial", "it is another's"
    await asyncio.sleep(0.35)
    assert await store.claim(row.id) is None
    await store.recover(row.id)
    assert (await store.path(row.id, torn.id))[0].status == "interrupted"


async def test_a_lease_is_renewed_while_the_process_lives(
    server: RedisServer, tmp_path: Path
) -> None:
    store = RedisStore(server.url, tmp_path, lease=0.15)
    await store.open()
    row = await new_session(store)
    await store.claim(row.id)
    for _ in range(5):
        await asyncio.sleep(0.1)
        assert b"pid" in server.command("GET", f"chatglass:holder:{row.id}")
    await store.close()
    assert server.command("GET", f"chatglass:holder:{row.id}") == b"$-1\r\n"


async def test_a_session_that_was_taken_over_is_said_to_be_so(
    server: RedisServer, tmp_path: Path
) -> None:
    store = RedisStore(server.url, tmp_path, lease=0.1)
    await store.open()
    row = await new_session(store)
    await store.claim(row.id)
    told: asyncio.Queue[StoreStatus] = asyncio.Queue()
    store.observe(told.put_nowait)
    elsewhere(server, row, milliseconds=60_000)
    status = await asyncio.wait_for(told.get(), 5)
    assert status.taken_over == (row.id,)
    assert row.id in str(status)
    await store.close()
    assert b"far-away" in server.command("GET", f"chatglass:holder:{row.id}")


async def test_a_dead_process_of_this_machine_holds_nothing(
    store: RedisStore, server: RedisServer
) -> None:
    row = await new_session(store)
    await store.claim(row.id)
    text = server.command("GET", f"chatglass:holder:{row.id}").split(b"\r\n")[1]
    ours = json.loads(text)
    await store.release(row.id)
    done = dead_process()
    dead = {**ours, "pid": done.pid, "token": "the dead one's"}
    elsewhere(server, row, milliseconds=60_000, **dead)
    assert await store.claim(row.id) is None
    await store.release(row.id)
    elsewhere(server, row, milliseconds=60_000, **dead)
    await store.delete_session(row.id)


async def test_reservations_of_a_dead_process_end(store: RedisStore, server: RedisServer) -> None:
    row, mine = await new_session(store), await new_session(store)
    day = {"now": 5, "since": 0, "until": 10, "most": Decimal(1)}
    await store.reserve(row.id, Decimal("0.9"), **day)  # type: ignore[arg-type]
    key = f"chatglass:reserved:{row.id}"
    held = json.loads(server.command("GET", key).split(b"\r\n")[1])
    assert not (await store.reserve(mine.id, Decimal("0.5"), **day)).made  # type: ignore[arg-type]
    done = dead_process()
    server.command("SET", key, json.dumps({**held, "pid": done.pid, "token": "x"}))
    assert (await store.reserve(mine.id, Decimal("0.5"), **day)).made  # type: ignore[arg-type]


async def test_sums_of_money_are_exact_beyond_what_a_double_holds(store: RedisStore) -> None:
    row, other = await new_session(store), await new_session(store)
    spent = Decimal("1000000.000000000001")
    await store.add_request(request(row.id, cost=spent, started_at=5))
    day = {"now": 5, "since": 0, "until": 10}
    refused = await store.reserve(other.id, Decimal("1e-12"), most=spent, **day)
    assert (refused.made, refused.spent) == (False, spent)
    assert (
        await store.reserve(other.id, Decimal("1e-12"), most=spent + Decimal("1e-12"), **day)
    ).made


async def test_two_stores_write_at_once(store: RedisStore, other: RedisStore) -> None:
    row = await new_session(store)
    (first,) = await talk(store, row.id, 1)
    mine = [answer(row.id, first.id, content=f"needle {at}") for at in range(50)]
    theirs = [answer(row.id, first.id, content=f"needle {at}") for at in range(50)]
    await asyncio.gather(
        *(store.append_message(each) for each in mine),
        *(other.append_message(each) for each in theirs),
        *(store.add_request(request(row.id, cost=Decimal("0.01"))) for _ in range(50)),
        *(other.add_request(request(row.id, cost=Decimal("0.01"))) for _ in range(50)),
    )
    kept = await other.get_session(row.id)
    assert (kept.messages, kept.requests, kept.cost) == (101, 100, Decimal("1"))
    assert kept == await store.get_session(row.id)
    assert sorted(await store.siblings(mine[0].id)) == sorted(each.id for each in (*mine, *theirs))
    assert len(await other.search("needle")) == 100
    assert [each.id for each in await other.list_sessions(ALL)] == [row.id]


async def test_two_programs_write_at_once(server: RedisServer, tmp_path: Path) -> None:
    writers = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-m", "store.redis_writer", server.url, str(tmp_path),
            stdout=asyncio.subprocess.PIPE, cwd=Path(__file__).parents[1],
        )
        for _ in range(2)
    ]  # fmt: skip
    try:
        lines = [await _lines(writer, 50) for writer in writers]
    finally:
        for writer in writers:
            writer.kill()
            await writer.wait()
    store = RedisStore(server.url, tmp_path)
    await store.open()
    for session_id, *confirmed in lines:
        kept = await store.get_session(session_id)
        path = [row.id for row in await store.path(session_id, kept.leaf_id)]
        assert path[: len(confirmed)] == confirmed
        assert len(path) == kept.messages
    await store.close()


async def _lines(writer: asyncio.subprocess.Process, count: int) -> list[str]:
    assert writer.stdout is not None
    return [(await writer.stdout.readline()).decode().strip() for _ in range(count)]
