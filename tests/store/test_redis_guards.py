"""What the Redis store costs, counted: commands and bytes, not seconds."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Any

import pytest

from chatglass.store.records import ToolResult
from chatglass.store.redis import RedisStore
from chatglass.store.redis.spool import Spool, pack
from store.builders import ALL, message, new_session, request, tool_call
from store.redis_server import RedisServer

pytestmark = pytest.mark.needs("redis")

_BACKGROUND = ("config", "info", "ping", "hello", "client", "select")


@pytest.fixture
async def store(redis_store: Any) -> RedisStore:
    return redis_store


class Counted:
    """Commands that a server ran and bytes that it got and gave, since it was made."""

    def __init__(self, server: RedisServer) -> None:
        self._server = server
        server.command("CONFIG", "RESETSTAT")

    @property
    def commands(self) -> dict[str, int]:
        text = self._server.command("INFO", "commandstats").decode()
        found = re.findall(r"cmdstat_([^:]+):calls=(\d+)", text)
        return {name: int(calls) for name, calls in found if name.split("|")[0] not in _BACKGROUND}

    def bytes(self, which: str) -> int:
        text = self._server.command("INFO", "stats").decode()
        found = re.search(rf"total_net_{which}_bytes:(\d+)", text)
        assert found is not None
        return int(found.group(1))


async def test_an_append_costs_the_same_at_any_length(
    store: RedisStore, server: RedisServer
) -> None:
    row = await new_session(store)
    costs: list[tuple[dict[str, int], int]] = []
    parent: str | None = None
    for length in range(1_201):
        each = message(row.id, parent, content="the same words again and again")
        measured = length in (10, 100, 1_200)
        counted = Counted(server) if measured else None
        await store.append_message(each)
        if counted is not None:
            costs.append((counted.commands, counted.bytes("input")))
        parent = each.id
    (first, first_bytes), *later = costs
    assert first["evalsha"] == 1, "one round trip"
    for commands, sent in later:
        assert commands == first
        assert sent < first_bytes * 1.05


async def test_a_request_costs_the_same_at_any_length(
    store: RedisStore, server: RedisServer
) -> None:
    row = await new_session(store)
    costs: list[int] = []
    for number in range(301):
        counted = Counted(server) if number in (10, 300) else None
        await store.add_request(request(row.id))
        if counted is not None:
            costs.append(sum(counted.commands.values()))
    assert costs[0] == costs[1]


async def test_a_list_reads_no_transcript(store: RedisStore, server: RedisServer) -> None:
    rows = [await new_session(store) for _ in range(20)]
    await store.append_message(message(rows[0].id, content="x"))
    await store.list_sessions(ALL)  # the first one gives the server the script
    for row in rows:
        kept = await store.get_session(row.id)
        await store.append_message(message(row.id, kept.leaf_id, content="x"))
    counted = Counted(server)
    await store.list_sessions(ALL)
    before, commands = counted.bytes("output"), counted.commands
    for row in rows:
        kept = await store.get_session(row.id)
        await store.append_message(message(row.id, kept.leaf_id, content="y" * 20_000))
    counted = Counted(server)
    assert len(await store.list_sessions(ALL)) == 20
    assert counted.bytes("output") < before * 1.1
    assert counted.commands == commands


async def test_a_rare_word_is_looked_for_in_few_texts(
    store: RedisStore, server: RedisServer
) -> None:
    row = await new_session(store)
    parent: str | None = None
    for number in range(1_280):
        text = "xylophone" if number == 7 else f"line {number} of ordinary prose"
        each = message(row.id, parent, content=text)
        await store.append_message(each)
        parent = each.id
    counted = Counted(server)
    (hit,) = await store.search("xylophone")
    assert hit.line == "xylophone"
    assert counted.commands["hgetall"] <= 2, "of 20 blocks"
    assert counted.commands["evalsha"] == 2
    counted = Counted(server)
    assert await store.search("quartz") == []
    assert counted.commands.get("hgetall", 0) <= 1


async def test_waiting_writes_share_a_round_trip(store: RedisStore, server: RedisServer) -> None:
    import asyncio

    row = await new_session(store)
    sent: list[int] = []
    write = store._opened._link.write  # type: ignore[union-attr]  # pyright: ignore

    async def counted(commands: Any) -> Any:
        sent.append(len(commands))
        return await write(commands)

    store._opened._link.write = counted  # type: ignore  # pyright: ignore
    await asyncio.gather(*(store.set_draft(row.id, f"{at}") for at in range(60)))
    assert sum(sent) == 60
    assert len(sent) <= 3


async def test_a_result_of_64_megabytes_comes_back(store: RedisStore) -> None:
    row = await new_session(store)
    call = tool_call(row.id)
    await store.add_tool_calls([call])
    produced = "needle " + "0123456789abcdef" * (4 * 2**20) + "é"
    await store.update_tool_call(call, ToolResult(produced, "cut"))
    kept = await store.tool_result(call.id)
    assert kept is not None
    assert kept.seen == "cut"
    assert hashlib.sha256(kept.produced.encode()).digest() == (
        hashlib.sha256(produced.encode()).digest()
    )
    assert len(await store.search("needle")) == 1
    await store.delete_session(row.id)


async def test_nothing_is_left_of_a_deleted_session(store: RedisStore, server: RedisServer) -> None:
    from store.whole_conformance import full_session

    whole = await full_session(store)
    await store.claim(whole.session.id)
    await store.delete_session(whole.session.id)
    keys = server.command("KEYS", "chatglass:*").decode()
    left = set(re.findall(r"chatglass:[^\r]+", keys))
    assert not [key for key in left if whole.session.id in key]
    names = {key.split(":")[1] for key in left}
    # The bits of an index stay (they say where to look, not what is there), and the counters.
    assert names <= {"version", "writer", "slot", "last_doc", "sizes", "held", "blob"}
    assert b"texts\r\n$1\r\n0\r\n" in server.command("HGETALL", "chatglass:sizes")


class TestSpool:
    def test_records_come_back_in_order(self, tmp_path: Path) -> None:
        spool = Spool.make(tmp_path, "writer", "redis://x")
        args = [b"", b"\0\n\xff", b"x" * 100_000]
        spool.append([pack(at, [*args, str(at).encode()]) for at in range(1, 6)])
        first = spool.records(spool.start, most_bytes=150_000)
        rest = spool.records(first[-1].end, most_bytes=10**9)
        assert [each.number for each in (*first, *rest)] == [1, 2, 3, 4, 5]
        assert len(first) == 2
        assert rest[-1].args == (*args, b"5")
        assert spool.count() == 5
        spool.clear()
        assert spool.count() == 0

    def test_a_damaged_record_ends_it(self, tmp_path: Path) -> None:
        spool = Spool.make(tmp_path, "writer", "redis://x")
        spool.append([pack(1, [b"one"]), pack(2, [b"two"]), pack(3, [b"three"])])
        text = spool.path.read_bytes()
        spool.path.write_bytes(text.replace(b"two", b"tow"))
        assert [each.args for each in spool.records(spool.start, most_bytes=10**6)] == [(b"one",)]

    def test_a_living_process_keeps_its_own(self, tmp_path: Path) -> None:
        spool = Spool.make(tmp_path, "writer", "redis://x")
        assert list(Spool.leftovers(tmp_path)) == []
        spool.close()
        (left,) = Spool.leftovers(tmp_path)
        assert left.writer == "writer"
        left.remove()
        assert list(tmp_path.iterdir()) == []
