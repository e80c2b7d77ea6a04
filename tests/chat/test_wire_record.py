"""What a request received is in the store at its end, however it ended, and its body from its start."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from chat.harness import Bench, ask
from chatglass.chat.events import Event, TextDelta
from chatglass.chat.sent_body import rebuild_body
from chatglass.chat.wire_record import Attempt, decode_record, encode_record
from chatglass.models.client import wire_bytes
from chatglass.models.demo.script import Reply, rate_limited
from chatglass.models.exchange import Exchange
from chatglass.store.records import RequestRow


async def record(here: Bench, row: RequestRow) -> tuple[Attempt, ...]:
    assert row.wire_hash is not None
    return decode_record(await here.store.get_blob(row.wire_hash))


async def test_a_whole_answer_a_retried_one_a_cut_one_and_a_stopped_one(here: Bench) -> None:
    engine = await here.engine()
    here.demo.script(
        "hello",
        rate_limited("0.01"),
        "late",
        Reply(text="cut here", split=3, cut_before=2),
        Reply(text="stop here", split=3, gates={3: asyncio.Event()}),
    )

    def stop(event: Event) -> None:
        if isinstance(event, TextDelta):
            engine.stop()

    await ask(engine, "1")
    await ask(engine, "2")
    await ask(engine, "3")
    await ask(engine, "4", stop)
    whole, late, cut, stopped = [await record(here, row) for row in await here.requests(engine)]
    assert whole[0].received().endswith(b"data: [DONE]\n\n")
    assert b"hello" in whole[0].received()
    assert [each.status for each in late] == [429, 200]
    assert late[0].failure
    assert b"error" in late[0].received()
    assert b"data: " in cut[0].received()
    assert b"[DONE]" not in cut[0].received()
    assert cut[0].failure
    assert b"data: " in stopped[0].received()
    assert not any(each.is_cut for each in (*whole, *late, *cut, *stopped))
    assert whole[0].url.endswith("/v1/chat/completions")
    assert dict(whole[0].request_headers)["authorization"] == "(kept secret)"


async def test_the_body_is_stored_before_it_is_answered(here: Bench) -> None:
    """A process that is killed while the model answers leaves what it sent."""
    engine = await here.engine(here.session(system_prompt="s"))
    gate = asyncio.Event()
    here.demo.script(Reply(text="slow answer", split=3, gates={0: gate}))
    turn = asyncio.create_task(ask(engine, "go"))
    await here.demo.wait_received(1)
    (row,) = await here.store.requests(engine.session_id)
    assert row.status == "running"
    assert wire_bytes(await rebuild_body(here.store, row)) == here.demo.requests[-1].body
    gate.set()
    await turn
    (row,) = await here.requests(engine)
    assert row.status == "complete"
    assert wire_bytes(await rebuild_body(here.store, row)) == here.demo.requests[-1].body


async def test_it_goes_with_the_session_and_comes_with_its_export(here: Bench) -> None:
    engine = await here.engine()
    here.demo.script("hello")
    await ask(engine, "1")
    (row,) = await here.requests(engine)
    await engine.close()
    whole = await here.store.whole_session(engine.session_id)
    assert row.wire_hash in whole.blobs
    await here.store.delete_session(engine.session_id)
    assert row.wire_hash is not None
    with pytest.raises(Exception, match="no blob"):
        await here.store.get_blob(row.wire_hash)
    await here.store.add_whole_session(whole)
    (again,) = await here.store.requests(engine.session_id)
    assert await record(here, again) == decode_record(whole.blobs[row.wire_hash])


def test_a_record_comes_back_as_it_was() -> None:
    first, second = Exchange("http://x/ä", ["secret-1"]), Exchange("http://y")
    first.sent([("A", "b\u2028")], ())
    first.answered(500, [("X-A", "1"), ("X-A", "2")])
    first.add(b"\x00\xff not UTF-8 secret-1")
    first.failure = "it failed"
    one, two = decode_record(encode_record([first, second]))
    assert one.received() == b"\x00\xff not UTF-8 [key]"
    assert (one.url, one.headers, one.failure) == ("http://x/ä", first.headers, "it failed")
    assert replace(two, started_at=0) == Attempt(url="http://y", started_at=0, body=two.body)
    assert two.received() == b""


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", '{"version": 99, "attempts": []}', '{"version":1}']
)
def test_what_is_no_record_says_so(text: str) -> None:
    with pytest.raises(ValueError, match=r"received|Expecting"):
        decode_record(text)
