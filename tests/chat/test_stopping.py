"""Stopping in every phase: what there is is kept, every call is answered once, the session goes on."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path
from typing import Any

import pytest

from chat.harness import Bench, Turn, ask, calls, collect, echo, tool, watch
from chatglass.chat.engine import Engine
from chatglass.chat.events import (
    Event,
    RequestFinished,
    RequestStarted,
    Retrying,
    TextDelta,
    ToolCallFinished,
    ToolCallProposed,
    ToolCallStarted,
    TurnStarted,
)
from chatglass.chat.messages import violations
from chatglass.chat.ports import Decision, PendingCall, Proceed
from chatglass.models.demo.script import Reply, rate_limited
from chatglass.store.records import MessageRow
from chatglass.tools.tool_manager import ToolManager


async def check_stopped(here: Bench, engine: Engine, turn: Turn, received: int) -> list[MessageRow]:
    """What holds after every stop. Returns the rows of the turn."""
    assert turn.status == "interrupted"
    assert here.demo.received == received, "no further request"
    rows = await here.rows(engine)
    answers = [row.tool_call_id for row in rows if row.role == "tool"]
    asked = [call["id"] for row in rows if row.tool_calls for call in json.loads(row.tool_calls)]
    assert answers == asked, "each call is answered exactly once, in order"
    assert all(row.status != "partial" for row in rows)
    assert engine.state == "idle"
    assert engine.context.requests.pending == 0
    assert here.read("SELECT count(*) FROM requests WHERE status = 'running'") == [(0,)]
    open_states = "('proposed', 'asking', 'approved', 'running')"
    assert here.read(f"SELECT count(*) FROM tool_calls WHERE state IN {open_states}") == [(0,)]
    assert [row.id for row in engine.context.path.rows] == [row.id for row in rows]
    assert violations(engine.context.get_messages_for_llm()) == []
    here.demo.script("and on")
    after = await ask(engine, "go on")
    assert after.status == "complete"
    assert not here.demo.violations
    return rows


async def test_before_the_turn_takes_its_first_step(here: Bench) -> None:
    engine = await here.engine()
    await engine.submit("hi")
    events = engine.run()
    first = asyncio.ensure_future(anext(events))
    asyncio.get_running_loop().call_soon(engine.stop)
    async with asyncio.timeout(5):
        found: list[Event] = [await first, *await collect(events)]
    rows = await check_stopped(here, engine, Turn(found), 0)
    assert [row.content for row in rows] == ["hi"]


async def test_while_it_is_asked_before_the_request(here: Bench) -> None:
    asked = asyncio.Event()

    async def before(plan: Any) -> Proceed:
        if not asked.is_set():
            asked.set()
            await asyncio.Event().wait()
        return Proceed()

    engine = await here.engine(before=before)
    watching = await watch(engine)
    await asked.wait()
    engine.stop()
    rows = await check_stopped(here, engine, await watching.turn(), 0)
    assert [row.role for row in rows] == ["user"]


async def test_while_connecting(here: Bench) -> None:
    here.demo.script(Reply(text="never", gates={-1: asyncio.Event()}))
    engine = await here.engine()
    watching = await watch(engine)
    await here.demo.wait_received(1)
    engine.stop()
    turn = await watching.turn()
    await here.demo.wait_aborted(1)
    assert turn.one(RequestFinished).status == "interrupted"
    rows = await check_stopped(here, engine, turn, 1)
    assert rows[-1].status == "interrupted"
    [request, _] = await here.requests(engine)
    assert request.usage is not None
    assert request.usage.source == "estimated", "it was sent: its prompt counts"


async def test_while_waiting_for_a_retry(here: Bench) -> None:
    here.demo.script(rate_limited("60"))
    engine = await here.engine()
    watching = await watch(engine)
    waiting = await watching.until(Retrying)
    assert isinstance(waiting, Retrying)
    assert waiting.seconds == 60
    engine.stop()
    await check_stopped(here, engine, await watching.turn(), 1)
    [request, _] = await here.requests(engine)
    assert request.status == "interrupted"
    assert request.usage is None, "what was refused bills nothing"


async def test_while_streaming(here: Bench) -> None:
    here.demo.script(Reply(text="one two three", split=4, gates={3: asyncio.Event()}))
    engine = await here.engine()
    watching = await watch(engine)
    await watching.until(TextDelta)
    engine.stop()
    turn = await watching.turn()
    await here.demo.wait_aborted(1)
    rows = await check_stopped(here, engine, turn, 1)
    assert rows[-1].content == turn.text
    assert turn.text.startswith("one ")
    assert rows[-1].status == "interrupted"
    sent = json.loads(here.demo.requests[-1].body)["messages"]
    assert [m["role"] for m in sent] == ["user", "assistant", "user"]
    assert sent[1]["content"] == turn.text


async def test_while_the_arguments_of_a_call_stream(here: Bench) -> None:
    reply = calls(("echo", {"x": "y" * 400}), gates={10: asyncio.Event()})
    here.demo.script(reply)
    engine = await here.engine(tools=[tool("echo", echo)])
    watching = await watch(engine)
    from chatglass.chat.events import ToolCallDelta

    await watching.until(ToolCallDelta, 2)
    engine.stop()
    turn = await watching.turn()
    assert not turn.of(ToolCallProposed)
    await check_stopped(here, engine, turn, 1)
    [request, _] = await here.requests(engine)
    assert request.usage is not None
    assert request.usage.completion_tokens > 0, "what came of the call counts"


async def test_at_the_end_of_an_answer_with_calls(here: Bench) -> None:
    """Between the stored answer and its calls: they are answered, and none runs."""
    made = tool("echo", echo)
    here.demo.script(calls(("echo", {"x": "1"}), ("echo", {"x": "2"})))
    engine = await here.engine(tools=[made])
    await engine.submit("hi")

    def on_event(event: Event) -> None:
        if isinstance(event, RequestFinished):
            engine.stop()

    turn = Turn(await collect(engine.run(), on_event))
    rows = await check_stopped(here, engine, turn, 1)
    assert not made.runs
    assert [event.status for event in turn.of(ToolCallFinished)] == ["cancelled", "cancelled"]
    assert [row.role for row in rows] == ["user", "assistant", "tool", "tool"]
    assert all(row.content == "The user stopped the turn before this call ran." for row in rows[2:])


async def test_while_approving(here: Bench) -> None:
    asked = asyncio.Event()
    ended: list[bool] = []

    async def decide(call: PendingCall) -> Decision:
        asked.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(True)
        raise AssertionError

    work, other = tool("work", echo, verdict="ask"), tool("other", echo)
    here.demo.script(calls(("work", {"x": "1"}), ("other", {"x": "2"})))
    engine = await here.engine(tools=[work, other], decide=decide)
    watching = await watch(engine)
    await asked.wait()
    await watching.until(ToolCallFinished)
    engine.stop()
    turn = await watching.turn()
    rows = await check_stopped(here, engine, turn, 1)
    assert ended == [True]
    assert not work.runs
    names = {event.tool_call_id: event.name for event in turn.of(ToolCallProposed)}
    states = {names[event.tool_call_id]: event.status for event in turn.of(ToolCallFinished)}
    assert states == {"work": "cancelled", "other": "ok"}
    assert [row.content for row in rows[2:]] == [
        "The user stopped the turn before this call ran.",
        "echo 2",
    ]


async def test_while_a_tool_runs_a_process_which_dies(here: Bench, tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    manager = ToolManager.with_builtins()
    command = f"sh -c 'echo $$ > {pid_file}; echo up; sleep 600'"
    here.demo.script(calls(("run_command", {"command": command})))
    engine = await here.engine(tools=[manager.get("run_command")])
    watching = await watch(engine)
    await watching.until(ToolCallStarted)
    async with asyncio.timeout(10):
        while not (pid_file.exists() and pid_file.read_text().strip()):  # noqa: ASYNC110 - a process
            await asyncio.sleep(0.02)
    pid = int(pid_file.read_text())
    os.kill(pid, 0)
    engine.stop()
    turn = await watching.turn()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    [call] = await here.calls(engine)
    assert call.state == "cancelled"
    assert call.started_at is not None
    rows = await check_stopped(here, engine, turn, 1)
    assert "may have taken effect" in rows[2].content


async def test_between_two_requests_of_a_turn(here: Bench) -> None:
    here.demo.script(calls(("echo", {"x": "1"})))
    engine = await here.engine(tools=[tool("echo", echo)])
    await engine.submit("hi")

    def on_event(event: Event) -> None:
        if isinstance(event, ToolCallFinished):
            engine.stop()

    turn = Turn(await collect(engine.run(), on_event))
    rows = await check_stopped(here, engine, turn, 1)
    assert rows[2].content == "echo 1", "the result that there is is kept"


async def test_at_every_event(here: Bench) -> None:
    """The whole of it: stop at the nth event of a turn with reasoning, text, calls and a retry."""

    def script() -> None:
        here.demo.script(
            Reply(status=500, body="{}"),
            calls(("echo", {"x": "1"}), ("echo", "{bad"), text="I look.", reasoning="Hm."),
            Reply(text="That is it.", split=3),
        )

    engine = await here.engine(tools=[tool("echo", echo)])
    script()
    whole = await ask(engine)
    assert whole.status == "complete"
    for number in range(1, len(whole.events)):
        here.demo._script.clear()  # pyright: ignore[reportPrivateUsage]
        script()
        engine = await here.engine(tools=[tool("echo", echo)])
        await engine.submit("hi")

        def on_event(event: Event, at: int = number, engine: Engine = engine) -> None:
            if event.seq == at:
                engine.stop()

        turn = Turn(await collect(engine.run(), on_event))
        rows = await here.rows(engine)
        if turn.status == "complete":
            continue  # the last event of it was on its way already
        assert turn.status == "interrupted"
        answers = [row.tool_call_id for row in rows if row.role == "tool"]
        asked = [c["id"] for row in rows if row.tool_calls for c in json.loads(row.tool_calls)]
        assert answers == asked, (number, turn.names)
        assert all(row.status != "partial" for row in rows)
        assert [row.id for row in engine.context.path.rows] == [row.id for row in rows]
        here.demo._script.clear()  # pyright: ignore[reportPrivateUsage]
        here.demo.script("on")
        assert (await ask(engine)).status == "complete"
    assert not here.demo.violations


async def test_closing_the_iterator_stops_the_turn(here: Bench) -> None:
    here.demo.script(Reply(text="one two", split=4, gates={2: asyncio.Event()}))
    engine = await here.engine()
    await engine.submit("hi")
    events = engine.run()
    async for event in events:
        if isinstance(event, TextDelta):
            break
    await events.aclose()
    assert engine.state == "idle"
    assert not engine.queue
    assert here.read("SELECT content, status FROM messages WHERE role = 'assistant'") == [
        ("one ", "interrupted")
    ]
    await here.demo.wait_aborted(1)
    here.demo.script("next")
    assert (await ask(engine)).status == "complete"


async def test_closing_the_iterator_before_the_prompt_is_stored_keeps_it_once(here: Bench) -> None:
    engine = await here.engine()
    await engine.submit("hi")
    events = engine.run()
    first = await anext(events)
    assert isinstance(first, TurnStarted)
    await events.aclose()
    assert not engine.queue
    assert here.read("SELECT content FROM messages") == [("hi",)]
    assert here.read("SELECT count(*) FROM queued_prompts") == [(0,)]


async def test_cancelling_the_reader_stops_the_turn(here: Bench) -> None:
    here.demo.script(Reply(text="one two", split=4, gates={2: asyncio.Event()}))
    engine = await here.engine()
    watching = await watch(engine)
    await watching.until(TextDelta)
    watching.task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await watching.task
    assert engine.state == "idle"
    assert here.read("SELECT status FROM messages WHERE role = 'assistant'") == [("interrupted",)]
    assert here.read("SELECT status FROM requests") == [("interrupted",)]


async def test_closing_the_engine_stores_the_end_of_a_running_turn(here: Bench) -> None:
    here.demo.script(Reply(text="one two", split=4, gates={2: asyncio.Event()}))
    engine = await here.engine()
    watching = await watch(engine)
    await watching.until(TextDelta)
    await engine.close()
    assert here.read("SELECT content, status FROM messages WHERE role = 'assistant'") == [
        ("one ", "interrupted")
    ]
    assert (await watching.turn()).status == "interrupted"
    assert engine.state == "closed"


async def test_stopping_an_idle_engine_does_nothing(here: Bench) -> None:
    engine = await here.engine()
    engine.stop()
    here.demo.script("fine")
    turn = await ask(engine)
    assert turn.status == "complete"
    assert turn.one(RequestStarted)
    engine.stop()
    here.demo.script("fine")
    assert (await ask(engine)).status == "complete"
