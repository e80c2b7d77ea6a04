"""A server that goes away: nothing that was confirmed is lost, and nothing is there twice."""

from __future__ import annotations

import asyncio
import os
import signal
import stat
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from chatglass.store.protocol import SessionGone, StoreError
from chatglass.store.records import SessionRow, ToolResult
from chatglass.store.redis import RedisStore
from chatglass.store.status import StoreStatus
from chatglass.values.ids import new_id
from store.builders import (
    ALL,
    answer,
    finished,
    message,
    new_session,
    queued,
    request,
    talk,
    tool_call,
)
from store.redis_server import RedisServer

pytestmark = pytest.mark.needs("redis")


@pytest.fixture
def durable(tmp_path: Path) -> Iterator[RedisServer]:
    """A server of its own that keeps its data over a crash."""
    server = RedisServer(tmp_path / "redis", durable=True).start()
    yield server
    server.stop()


@pytest.fixture
async def store(durable: RedisServer, tmp_path: Path) -> AsyncIterator[RedisStore]:
    store = RedisStore(durable.url, tmp_path)
    await store.open()
    yield store
    await store.close()


async def until(store: RedisStore, wanted: Callable[[StoreStatus], bool]) -> StoreStatus:
    """Waits for such a status."""
    changed = asyncio.Event()
    end = store.observe(lambda _: changed.set())
    try:
        async with asyncio.timeout(15):
            while not wanted(store.status):
                await changed.wait()
                changed.clear()
    finally:
        end()
    return store.status


async def connected(store: RedisStore) -> None:
    await until(store, lambda status: status.state == "connected")


async def claimed(store: RedisStore, **fields: object) -> SessionRow:
    row = await new_session(store, **fields)
    assert await store.claim(row.id) is None
    return row


def spools(folder: Path) -> list[Path]:
    return sorted(folder.glob("spool/*/*.spool"))


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def start_writer(url: str, folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "store.redis_writer", url, str(folder)],
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[1],
        text=True,
    )


async def test_a_turn_goes_on_while_the_server_is_away(
    store: RedisStore, durable: RedisServer, tmp_path: Path
) -> None:
    row = await claimed(store, title="a turn")
    (prompt,) = await talk(store, row.id, 1)
    blob = await store.put_blob("system")
    durable.kill()

    asked = answer(row.id, prompt.id, content="", status="partial")
    sent = request(row.id, message_id=asked.id, parts=(("blob", blob),))
    call = tool_call(row.id, message_id=asked.id, request_id=sent.id)
    waiting = queued(row.id)
    await store.append_message(asked)
    await store.add_request(sent)
    await store.checkpoint_message(asked.id, "half", "")
    ended = replace(asked, content="the whole needle", status="complete")
    await store.finish_message(ended)
    done = replace(sent, **finished(sent))
    await store.finish_request(done)
    await store.add_tool_calls([call])
    ran = replace(call, state="ok")
    await store.update_tool_call(ran, ToolResult("produced", "seen"))
    await store.enqueue_prompt(waiting)
    await store.rename_session(row.id, "renamed", by_user=True)

    status = store.status
    assert (status.state, status.waiting) == ("spooling", 9)
    assert "9 writes wait" in str(status)
    assert status.since is not None
    known = await store.get_session(row.id)
    assert (known.title, known.messages, known.leaf_id) == ("renamed", 2, asked.id)
    assert await store.path(row.id, asked.id) == [prompt, ended]
    assert await store.requests(row.id) == [replace(done, parts=())]
    assert await store.request_parts(sent.id) == (("blob", blob),)
    assert await store.tool_calls(row.id) == [ran]
    assert await store.tool_result(call.id) == ToolResult("produced", "seen")
    assert await store.queued_prompts(row.id) == [waiting]
    (spool,) = spools(tmp_path)
    assert (mode_of(spool), mode_of(spool.parent)) == (0o600, 0o700)

    durable.start()
    await connected(store)
    assert (store.status.waiting, str(store.status)) == (0, "")
    after = await store.get_session(row.id)
    assert after == known
    assert await store.path(row.id, asked.id) == [prompt, ended]
    assert await store.requests(row.id) == [replace(done, parts=())]
    assert await store.tool_result(call.id) == ToolResult("produced", "seen")
    assert await store.queued_prompts(row.id) == [waiting]
    assert [hit.message_id for hit in await store.search("needle")] == [asked.id]


async def test_what_was_torn_is_settled_meanwhile(store: RedisStore, durable: RedisServer) -> None:
    row = await claimed(store)
    torn = answer(row.id, None, content="", status="partial")
    await store.append_message(torn)
    await store.checkpoint_message(torn.id, "the torn needle", "")
    running = request(row.id)
    await store.add_request(running)
    durable.kill()
    await store.recover(row.id)
    more = message(row.id, torn.id)
    await store.append_message(more)
    ended = replace(torn, content="the torn needle", status="interrupted")
    for _ in range(2):
        assert await store.path(row.id, more.id) == [ended, more]
        assert (await store.requests(row.id))[0].status == "interrupted"
        if store.status.state == "spooling":
            durable.start()
            await connected(store)
    assert [hit.message_id for hit in await store.search("needle")] == [torn.id]


async def test_what_does_not_fit_is_refused_while_it_is_away(
    store: RedisStore, durable: RedisServer
) -> None:
    row = await claimed(store)
    _, final = await talk(store, row.id, 2)
    durable.kill()
    with pytest.raises(SessionGone):
        await store.append_message(message(row.id, new_id()))
    with pytest.raises(StoreError, match="final"):
        await store.finish_message(replace(final, content="otherwise"))
    with pytest.raises(StoreError):
        await store.append_message(final)
    durable.start()
    await connected(store)
    assert (await store.get_session(row.id)).messages == 2
    assert store.status.refused == 0


async def test_what_is_not_known_here_is_said_to_be_out_of_reach(
    store: RedisStore, durable: RedisServer
) -> None:
    other = await new_session(store, draft="d")
    stranger = message(other.id)
    await store.append_message(stranger)
    durable.kill()
    for call in (
        store.list_sessions(ALL),
        store.search("needle"),
        store.find_session(other.id),
        store.get_session(other.id),
        store.path(other.id, None),
        store.siblings(stranger.id),
        store.set_draft(other.id, "x"),
        store.checkpoint_message(stranger.id, "x", ""),
        store.claim(other.id),
        store.whole_session(other.id),
    ):
        with pytest.raises(StoreError, match=r"away|did not answer"):
            await call


async def test_a_session_made_meanwhile_is_sent_whole(
    store: RedisStore, durable: RedisServer
) -> None:
    await claimed(store)
    durable.kill()
    row = await claimed(store, title="made offline")
    rows = await talk(store, row.id, 3)
    store.set_draft_now(row.id, "not yet sent")
    assert (await store.get_session(row.id)).draft == "not yet sent"
    durable.start()
    await connected(store)
    kept = await store.get_session(row.id)
    assert (kept.title, kept.messages, kept.draft) == ("made offline", 3, "not yet sent")
    assert await store.path(row.id, rows[-1].id) == rows


async def test_the_spool_is_sent_by_the_next_start(durable: RedisServer, tmp_path: Path) -> None:
    first = RedisStore(durable.url, tmp_path)
    await first.open()
    row = await claimed(first)
    durable.kill()
    rows = await talk(first, row.id, 4)
    await first.close()
    assert len(spools(tmp_path)) == 1

    second = RedisStore(durable.url, tmp_path)
    with pytest.raises(StoreError, match="refuses connections"):
        await second.open()
    assert len(spools(tmp_path)) == 1
    durable.start()
    await second.open()
    assert await second.path(row.id, rows[-1].id) == rows
    assert spools(tmp_path) == []
    await second.close()


async def test_a_store_that_is_opened_again_sends_it_too(
    store: RedisStore, durable: RedisServer
) -> None:
    row = await claimed(store)
    durable.kill()
    rows = await talk(store, row.id, 2)
    await store.close()
    durable.start()
    await store.open()
    assert str(store.status) == ""
    assert await store.path(row.id, rows[-1].id) == rows


async def test_a_long_session_goes_on_as_soon_as_it_was_read(
    store: RedisStore, durable: RedisServer
) -> None:
    """Its mirror is made while it is worked on: nothing of it is missing, nothing is there twice."""
    row = await new_session(store)
    rows = await talk(store, row.id, 600)
    await store.claim(row.id)
    first = answer(row.id, rows[-1].id, content="while it is read")
    await store.append_message(first)
    await store.get_session(row.id)
    second = answer(row.id, first.id, content="read by now")
    await store.append_message(second)
    assert store._opened is not None  # pyright: ignore[reportPrivateUsage]
    await store._opened._mirror.learned(row.id)  # pyright: ignore[reportPrivateUsage]
    durable.kill()
    third = answer(row.id, second.id, content="away")
    await store.append_message(third)
    everything = [*rows, first, second, third]
    assert await store.path(row.id, third.id) == everything
    assert (await store.get_session(row.id)).messages == 603
    durable.start()
    await connected(store)
    assert await store.path(row.id, third.id) == everything


async def test_a_spool_that_was_half_sent_is_not_sent_twice(
    durable: RedisServer, tmp_path: Path
) -> None:
    first = RedisStore(durable.url, tmp_path)
    await first.open()
    row = await claimed(first)
    durable.kill()
    await talk(first, row.id, 4)
    await first.add_request(request(row.id, cost=None))
    await first.close()
    (spool,) = spools(tmp_path)
    whole = spool.read_bytes()
    durable.start()
    for _ in range(2):
        # As if the program had been killed after it was sent, and before the file was removed.
        spool.write_bytes(whole)
        store = RedisStore(durable.url, tmp_path)
        await store.open()
        kept = await store.get_session(row.id)
        assert (kept.messages, kept.requests) == (4, 1)
        assert store.status.refused == 0
        await store.close()


async def test_a_torn_spool_is_sent_up_to_the_tear(durable: RedisServer, tmp_path: Path) -> None:
    first = RedisStore(durable.url, tmp_path)
    await first.open()
    row = await claimed(first)
    durable.kill()
    await talk(first, row.id, 3)
    await first.close()
    (spool,) = spools(tmp_path)
    spool.write_bytes(spool.read_bytes()[:-7])
    durable.start()
    second = RedisStore(durable.url, tmp_path)
    await second.open()
    assert (await second.get_session(row.id)).messages == 2
    await second.close()


async def test_what_the_server_refuses_later_is_kept_apart(
    durable: RedisServer, tmp_path: Path
) -> None:
    first = RedisStore(durable.url, tmp_path)
    await first.open()
    row, other = await claimed(first), await claimed(first)
    durable.kill()
    await first.append_message(message(row.id, content="orphaned"))
    await first.append_message(message(other.id))
    await first.close()
    durable.start()
    # Another machine deletes the session before the spool arrives.
    durable.command("DEL", f"chatglass:session:{row.id}")
    second = RedisStore(durable.url, tmp_path)
    await second.open()
    assert second.status.refused == 1
    assert "refused" in str(second.status)
    kept = Path(second.status.refused_file)
    assert row.id.encode() in await asyncio.to_thread(kept.read_bytes)
    assert mode_of(kept) == 0o600
    assert (await second.get_session(other.id)).messages == 1
    await second.close()


@pytest.mark.parametrize("rounds", [3, pytest.param(40, marks=pytest.mark.slow)])
async def test_killed_in_the_middle_of_writes(
    store: RedisStore, durable: RedisServer, rounds: int
) -> None:
    row = await claimed(store)
    # Bounded, so that writing goes on as fast as it is looked at, before, at and after each kill.
    confirmed: asyncio.Queue[str] = asyncio.Queue(4)
    acknowledged: list[str] = []
    stop = asyncio.Event()

    async def write() -> None:
        parent: str | None = None
        while not stop.is_set():
            each = message(row.id, parent, content="x" * 2_000)
            await store.append_message(each)
            parent = each.id
            await confirmed.put(each.id)

    async def take(count: int) -> None:
        acknowledged.extend([await confirmed.get() for _ in range(count)])

    async def take_during(change: Coroutine[None, None, object]) -> None:
        changing = asyncio.create_task(change)
        while not changing.done():
            await take(1)
        await changing

    writing = asyncio.create_task(write())
    for number in range(rounds):
        await take(20 + 7 * (number % 5))
        await take_during(asyncio.to_thread(durable.kill))
        await take(10)
        assert store.status.state == "spooling"
        await take_during(asyncio.to_thread(durable.start))
        await connected(store)
    stop.set()
    while not writing.done() or confirmed.qsize():
        await take(1)
    await writing
    kept = await store.get_session(row.id)
    assert kept.messages == len(acknowledged)
    assert [each.id for each in await store.path(row.id, kept.leaf_id)] == acknowledged
    assert (store.status.refused, store.status.lost) == (0, 0)


async def test_a_server_that_hangs_is_away(
    durable: RedisServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chatglass.store.redis.link.ANSWER_SECONDS", 0.2)
    store = RedisStore(durable.url, tmp_path)
    await store.open()
    row = await claimed(store)
    durable.freeze()
    try:
        rows = await talk(store, row.id, 3)
        assert store.status.state == "spooling"
        assert "does not answer" in store.status.cause
    finally:
        durable.thaw()
    await connected(store)
    # What it got while it hung it does after all, and not again.
    assert await store.path(row.id, rows[-1].id) == rows
    assert (await store.get_session(row.id)).messages == 3
    await store.close()


async def test_a_full_server_is_away_until_there_is_room(
    store: RedisStore, durable: RedisServer
) -> None:
    row = await claimed(store)
    (first,) = await talk(store, row.id, 1)
    durable.command("CONFIG", "SET", "maxmemory", "1")
    more = answer(row.id, first.id)
    await asyncio.gather(store.append_message(more), store.set_draft(row.id, "after it"))
    assert "memory is full" in str(store.status)
    assert (await store.get_session(row.id)).draft == "after it"
    durable.command("CONFIG", "SET", "maxmemory", "0")
    await connected(store)
    assert await store.path(row.id, more.id) == [first, more]
    assert (await store.get_session(row.id)).draft == "after it"


async def test_a_server_that_forgot_its_last_second_gets_it_again(
    store: RedisStore, durable: RedisServer
) -> None:
    """With `appendfsync everysec` a machine that crashes loses what it had confirmed."""
    row = await claimed(store)
    first, _ = await talk(store, row.id, 2)
    await asyncio.to_thread(durable.stop)
    log = durable.folder / "appendonlydir"
    (tail,) = log.glob("*.incr.aof")
    before = tail.stat().st_size
    await asyncio.to_thread(durable.start)
    rest = [message(row.id, first.id, content=f"late {at}") for at in range(5)]
    for each in rest:
        await store.append_message(each)
    await connected(store)
    await asyncio.to_thread(durable.kill)
    (tail,) = log.glob("*.incr.aof")
    os.truncate(tail, before)
    await asyncio.to_thread(durable.start)
    store.set_draft_now(row.id, "and on")
    await connected(store)
    kept = await store.get_session(row.id)
    assert (kept.messages, kept.draft, store.status.lost) == (7, "and on", 0)
    assert (await store.siblings(rest[0].id))[1:] == [each.id for each in rest]


async def test_a_spool_that_can_not_be_written_is_no_confirmation(
    store: RedisStore, durable: RedisServer, tmp_path: Path
) -> None:
    row = await claimed(store)
    (first,) = await talk(store, row.id, 1)
    (tmp_path / "spool").write_text("in the way")
    durable.kill()
    with pytest.raises(StoreError, match="spool"):
        await store.append_message(answer(row.id, first.id))
    (tmp_path / "spool").unlink()
    durable.start()
    await connected(store)
    assert (await store.get_session(row.id)).messages == 1


async def test_a_killed_process_leaves_what_it_confirmed(
    durable: RedisServer, tmp_path: Path
) -> None:
    """The writer prints each id once it is confirmed; first the server goes, then the writer."""
    writer = start_writer(durable.url, tmp_path)
    assert writer.stdout is not None
    try:
        session_id = (await asyncio.to_thread(writer.stdout.readline)).strip()
        confirmed = [(await asyncio.to_thread(writer.stdout.readline)).strip() for _ in range(30)]
        await asyncio.to_thread(durable.kill)
        confirmed += [(await asyncio.to_thread(writer.stdout.readline)).strip() for _ in range(60)]
    finally:
        writer.send_signal(signal.SIGKILL)
        confirmed += [line.strip() for line in writer.stdout if line.endswith("\n")]
        writer.wait()
    await asyncio.to_thread(durable.start)
    store = RedisStore(durable.url, tmp_path)
    await store.open()
    kept = await store.get_session(session_id)
    path = [row.id for row in await store.path(session_id, kept.leaf_id)]
    assert path[: len(confirmed)] == confirmed
    assert len(path) - len(confirmed) <= 2, "what was under way may be there as well"
    assert await store.claim(session_id) is None, "a dead process of this machine holds nothing"
    await store.close()


async def test_a_read_alone_notices_that_the_server_is_away(
    store: RedisStore, durable: RedisServer
) -> None:
    row = await claimed(store)
    durable.kill()
    assert await store.get_session(row.id) == row
    await until(store, lambda status: status.state == "spooling")
    durable.start()
    await connected(store)


async def test_an_idle_connection_that_was_closed_is_replaced(
    store: RedisStore, durable: RedisServer
) -> None:
    row = await claimed(store)
    told: list[StoreStatus] = []
    store.observe(told.append)
    durable.command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
    await talk(store, row.id, 2)
    durable.command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
    assert (await store.get_session(row.id)).messages == 2
    assert told == []


async def test_scripts_that_were_flushed_are_sent_again(
    store: RedisStore, durable: RedisServer
) -> None:
    row = await claimed(store)
    durable.command("SCRIPT", "FLUSH")
    await asyncio.gather(*(store.set_draft(row.id, f"{at}") for at in range(100)))
    durable.command("SCRIPT", "FLUSH")
    assert (await store.get_session(row.id)).draft == "99"
    assert store.status.state == "connected"


async def test_the_exit_waits_for_no_server(store: RedisStore, durable: RedisServer) -> None:
    row = await claimed(store)
    durable.kill()
    store.set_draft_now(row.id, "the last words")
    assert store.status.waiting == 1
    durable.start()
    await connected(store)
    assert (await store.get_session(row.id)).draft == "the last words"


async def test_the_exit_keeps_the_order_of_writes_under_way(store: RedisStore) -> None:
    row = await claimed(store)
    before = [asyncio.create_task(store.set_draft(row.id, f"{at}")) for at in range(100)]
    await asyncio.sleep(0)
    store.set_draft_now(row.id, "the last words")
    await asyncio.gather(*before)
    assert (await store.get_session(row.id)).draft == "the last words"
