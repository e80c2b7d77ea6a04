"""What goes wrong with a request: its cause and a way on are told, and the session stays usable."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from chat.harness import Bench, ask, bench, calls, echo, tool
from chatglass.chat.events import Notice, RequestFinished, Retrying, UsageReported
from chatglass.models.demo.script import (
    Reply,
    error,
    html,
    no_such_model,
    rate_limited,
    server_error,
    unauthorized,
)
from chatglass.models.retries import RetryPolicy
from chatglass.models.wire import ModelRef

NO_RETRY = RetryPolicy(attempts=1, connect_attempts=1)


@pytest.mark.parametrize(
    ("reply", "kind", "kept"),
    [
        pytest.param(unauthorized(), "auth", "", id="401"),
        pytest.param(no_such_model("demo-fast"), "not_found", "", id="404"),
        pytest.param(rate_limited("600"), "rate_limit", "", id="429"),
        pytest.param(error(400, "messages: bad"), "rejected", "", id="400"),
        pytest.param(server_error(), "server", "", id="500"),
        pytest.param(html(), "malformed", "", id="HTML"),
        pytest.param(Reply(text=""), "empty", "", id="empty"),
        pytest.param(Reply(text="one two", split=4, cut_before=2), "cut", "one ", id="cut"),
        pytest.param(
            Reply(text="one two", split=4, inject={2: "data: {oops\n\n"}),
            "malformed",
            "one ",
            id="bad event",
        ),
        pytest.param(
            Reply(
                text="one two",
                split=4,
                inject={2: 'event: error\ndata: {"error": {"message": "gpu lost"}}\n\n'},
            ),
            "server",
            "one ",
            id="error event",
        ),
    ],
)
async def test_every_fault_is_told_and_the_session_goes_on(
    tmp_path: Path, reply: Reply, kind: str, kept: str
) -> None:
    async with bench(tmp_path, retries=NO_RETRY) as here:
        here.demo.script(reply)
        engine = await here.engine()
        turn = await ask(engine, "the prompt")
        assert turn.status == "error"
        notice = turn.one(Notice)
        assert (notice.severity, notice.kind) == ("error", kind)
        assert notice.cause
        assert notice.advice
        assert turn.one(RequestFinished).status == "error"
        user, answer = await here.rows(engine)
        assert user.content == "the prompt"
        assert (answer.content, answer.status, answer.error) == (kept, "error", notice.cause)
        [request] = await here.requests(engine)
        assert (request.status, request.error) == ("error", notice.cause)
        assert engine.context.requests.pending == 0
        here.demo.script("better")
        after = await ask(engine, "again")
        assert (after.status, after.text) == ("complete", "better")
        sent = json.loads(here.demo.requests[-1].body)["messages"]
        assert [m["content"] for m in sent] == ["the prompt", *([kept] if kept else []), "again"]


async def test_nothing_answers_at_the_base_url(tmp_path: Path) -> None:
    async with bench(tmp_path, retries=NO_RETRY) as here:
        await here.demo.stop()
        engine = await here.engine()
        turn = await ask(engine)
        assert turn.status == "error"
        assert turn.one(Notice).kind == "unreachable"
        assert here.demo.base_url.split("/")[2] in turn.one(Notice).cause


async def test_an_endpoint_that_is_not_there_any_more(here: Bench) -> None:
    engine = await here.engine(replace(here.session(), endpoint="gone"))
    turn = await ask(engine)
    assert turn.status == "error"
    assert "no endpoint 'gone'" in turn.one(Notice).cause
    await engine.context.set_model(ModelRef("here", "demo-fast"))
    here.demo.script("here I am")
    assert (await ask(engine, "now")).status == "complete"


async def test_a_rate_limit_is_retried_with_a_countdown(here: Bench) -> None:
    here.demo.script(rate_limited("0.05"), server_error(), "at last")
    engine = await here.engine()
    turn = await ask(engine)
    assert (turn.status, turn.text) == ("complete", "at last")
    waits = turn.of(Retrying)
    assert [wait.attempt for wait in waits] == [2, 3]
    assert waits[0].seconds == 0.05
    assert "Rate limit" in waits[0].cause
    [request] = await here.requests(engine)
    assert request.attempts == 3


async def test_a_field_that_is_refused_is_dropped_said_and_remembered(here: Bench) -> None:
    here.demo.refuse("stream_options", "tools")
    here.demo.script("without", "again")
    engine = await here.engine(tools=[tool("echo", echo)])
    turn = await ask(engine)
    assert (turn.status, turn.text) == ("complete", "without")
    notes = [event for event in turn.of(Notice) if event.kind == "adapted"]
    assert len(notes) == 2
    assert any("tools" in note.cause for note in notes)
    received = here.demo.received
    assert received == 3
    assert not (await ask(engine)).of(Notice)
    assert here.demo.received == received + 1
    # No usage could be asked for: ours, marked as such.
    assert turn.one(UsageReported).usage.source == "estimated"
    stats = await engine.context.get_token_stats()
    assert stats.source == "estimated"


async def test_an_empty_answer_is_billed_as_reported(tmp_path: Path) -> None:
    async with bench(tmp_path, retries=NO_RETRY) as here:
        here.demo.script(Reply(text="", usage={"prompt_tokens": 70, "completion_tokens": 5}))
        engine = await here.engine()
        turn = await ask(engine)
        assert turn.status == "error"
        usage = turn.one(UsageReported).usage
        assert (usage.total_tokens, usage.source) == (75, "reported")
        assert (await engine.context.get_token_stats()).total_tokens == 75


async def test_a_fault_after_tool_calls_keeps_them(here: Bench) -> None:
    here.demo.script(calls(("echo", {"x": "1"})), unauthorized())
    engine = await here.engine(tools=[tool("echo", echo)])
    assert (await ask(engine)).status == "error"
    here.demo.script("fine")
    assert (await ask(engine, "go on")).status == "complete"
    sent = json.loads(here.demo.requests[-1].body)["messages"]
    assert [m["role"] for m in sent] == ["user", "assistant", "tool", "user"]


async def test_a_content_filter_is_told(here: Bench) -> None:
    here.demo.script(Reply(text="part", finish_reason="content_filter"))
    turn = await ask(await here.engine())
    assert turn.status == "complete"
    assert "filter" in turn.notices["content_filter"]


async def test_a_store_that_cannot_be_written_is_told_and_loses_no_prompt(here: Bench) -> None:
    import sqlite3

    here.demo.script("one", "two")
    engine = await here.engine()
    await ask(engine)
    await engine.submit("second")
    trigger = "CREATE TRIGGER full BEFORE INSERT ON messages BEGIN SELECT RAISE(ABORT, 'full'); END"
    connection = sqlite3.connect(here.db)
    connection.execute(trigger)
    connection.commit()
    from chat.harness import Turn, collect

    turn = Turn(await collect(engine.run()))
    assert turn.status == "error"
    assert "full" in turn.notices["store"]
    assert [prompt.text for prompt in engine.queue] == ["second"]
    assert here.demo.received == 1
    connection.execute("DROP TRIGGER full")
    connection.commit()
    connection.close()
    turn = Turn(await collect(engine.run()))
    assert (turn.status, turn.text) == ("complete", "two")
    assert [row.content for row in await here.rows(engine)] == ["hi", "one", "second", "two"]


async def test_a_checkpoint_that_fails_is_told_once_and_the_answer_goes_on(here: Bench) -> None:
    import sqlite3

    gates: dict[int, Any] = {2: asyncio.Event(), 3: asyncio.Event()}
    here.demo.script(Reply(text="one two", split=4, gates=gates))
    engine = await here.engine()
    from chat.harness import watch

    watching = await watch(engine)
    from chatglass.chat.events import TextDelta

    connection = sqlite3.connect(here.db)
    connection.execute(
        "CREATE TRIGGER full BEFORE UPDATE OF content ON messages WHEN new.status = 'partial' "
        "BEGIN SELECT RAISE(ABORT, 'full'); END"
    )
    connection.commit()
    await watching.until(TextDelta)
    await watching.until(Notice)
    connection.execute("DROP TRIGGER full")
    connection.commit()
    connection.close()
    for gate in gates.values():
        gate.set()
    turn = await watching.turn()
    assert turn.status == "complete"
    assert turn.one(Notice).kind == "store"
    assert (await here.rows(engine))[-1].content == "one two"
