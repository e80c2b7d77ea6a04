"""A turn, in order: what is on disk at each phase, read by a second connection."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from chat.harness import Bench, ask, calls, echo, tool, watch
from chatglass.chat.events import (
    RequestStarted,
    TextDelta,
    ToolCallFinished,
    ToolCallProposed,
    ToolCallStarted,
    TurnStarted,
    UsageReported,
)
from chatglass.chat.ports import Decision, PendingCall
from chatglass.chat.streamed_answer import CHECKPOINT_SECONDS
from chatglass.models.demo.script import Reply


async def test_a_plain_turn(here: Bench) -> None:
    here.demo.script(Reply(text="Hello there.", reasoning="Let me think."))
    engine = await here.engine()
    turn = await ask(engine, "say hello")
    assert turn.status == "complete"
    assert turn.text == "Hello there."
    user, answer = await here.rows(engine)
    assert (user.role, user.content, user.status) == ("user", "say hello", "complete")
    assert (answer.role, answer.content, answer.status) == ("assistant", "Hello there.", "complete")
    assert answer.reasoning == "Let me think."
    assert (answer.endpoint, answer.model) == ("here", "demo-fast")
    assert turn.one(TurnStarted).user_message_id == user.id
    assert turn.one(RequestStarted).message_id == answer.id
    [request] = await here.requests(engine)
    assert request.message_id == answer.id
    assert request.status == "complete"
    assert request.finish_reason == "stop"
    assert request.usage is not None
    assert request.usage.source == "reported"
    assert request.usage.total_tokens == here.reported_tokens
    assert turn.one(UsageReported).usage == request.usage
    assert (await here.store.get_session(engine.session_id)).title == "say hello"


async def test_the_prompt_is_on_disk_before_anything_is_sent(here: Bench) -> None:
    found: list[Any] = []

    async def before(plan: Any) -> Any:
        from chatglass.chat.ports import Proceed

        found.append(here.read("SELECT role, content, status FROM messages"))
        found.append(here.demo.received)
        return Proceed()

    engine = await here.engine(before=before)
    here.demo.script("ok")
    await ask(engine, "first")
    assert found == [[("user", "first", "complete")], 0]


async def _on_disk(here: Bench, content: str) -> None:
    """Wait until so much of the answer is committed, as long as a checkpoint may take."""
    sql = "SELECT content, status FROM messages WHERE role = 'assistant'"
    async with asyncio.timeout(CHECKPOINT_SECONDS + 0.5):
        while here.read(sql) != [(content, "partial")]:  # noqa: ASYNC110 - what is on disk says it
            await asyncio.sleep(0.02)


async def test_the_answer_is_on_disk_before_it_streams_and_while_it_does(here: Bench) -> None:
    """The stream stalls twice; what came is stored each time within a second."""
    gates: dict[int, Any] = {-1: asyncio.Event(), 2: asyncio.Event(), 3: asyncio.Event()}
    here.demo.script(Reply(text="one two three", split=4, gates=gates))
    engine = await here.engine()
    watching = await watch(engine, "go")
    await watching.until(RequestStarted)
    await here.demo.wait_received(1)
    rows = here.read("SELECT role, content, status FROM messages ORDER BY number")
    assert rows == [("user", "go", "complete"), ("assistant", "", "partial")]
    assert here.read("SELECT status FROM requests") == [("running",)]
    gates[-1].set()
    await watching.until(TextDelta)
    await _on_disk(here, "one ")
    gates[2].set()
    await watching.until(TextDelta, 2)
    await _on_disk(here, "one two ")
    gates[3].set()
    turn = await watching.turn()
    assert turn.text == "one two three"
    assert here.read("SELECT content, status FROM messages WHERE role = 'assistant'") == [
        ("one two three", "complete")
    ]


async def test_calls_and_decisions_are_committed_before_they_run(here: Bench) -> None:
    seen: dict[str, Any] = {}

    async def decide(call: PendingCall) -> Decision:
        seen["asked"] = here.read("SELECT state, decided_by FROM tool_calls")
        seen["answer"] = here.read(
            "SELECT status, tool_calls IS NOT NULL FROM messages WHERE role = 'assistant'"
        )
        return Decision(verdict="allow", decided_by="user", reason="fine")

    async def body(arguments: Any) -> str:
        seen["running"] = here.read("SELECT state, decided_by, reason FROM tool_calls")
        return "done"

    here.demo.script(calls(("work", {"x": "1"})), "finished")
    engine = await here.engine(tools=[tool("work", body, verdict="ask")], decide=decide)
    turn = await ask(engine)
    assert turn.status == "complete"
    assert seen["asked"] == [("asking", "")]
    assert seen["answer"] == [("complete", 1)]
    assert seen["running"] == [("running", "user", "fine")]
    [call] = await here.calls(engine)
    assert (call.state, call.decided_by, call.arguments) == ("ok", "user", '{"x": "1"}')
    result = await here.store.tool_result(call.id)
    assert result is not None
    assert result.produced == "done"


async def test_results_are_stored_as_they_come_and_answer_in_call_order(here: Bench) -> None:
    release = asyncio.Event()
    fast_done: list[Any] = []

    async def slow(arguments: Any) -> str:
        await release.wait()
        return "slow result"

    here.demo.script(calls(("slow", {}), ("fast", {"x": "b"})), "both")
    engine = await here.engine(tools=[tool("slow", slow), tool("fast", echo)])
    watching = await watch(engine)
    finished = await watching.until(ToolCallFinished)
    fast_done = here.read("SELECT name, state FROM tool_calls ORDER BY position")
    assert fast_done == [("slow", "running"), ("fast", "ok")]
    assert here.read("SELECT count(*) FROM messages WHERE role = 'tool'") == [(0,)]
    release.set()
    turn = await watching.turn()
    proposed = {event.tool_call_id: event.name for event in turn.of(ToolCallProposed)}
    assert isinstance(finished, ToolCallFinished)
    assert proposed[finished.tool_call_id] == "fast"
    rows = await here.rows(engine)
    assert [row.role for row in rows] == ["user", "assistant", "tool", "tool", "assistant"]
    assert [row.content for row in rows[2:4]] == ["slow result", "echo b"]
    sent = here.demo.requests[-1]
    assert [m["role"] for m in json.loads(sent.body)["messages"]] == [
        "user",
        "assistant",
        "tool",
        "tool",
    ]
    assert not here.demo.violations


async def test_one_that_must_run_alone_waits_for_those_before_and_holds_those_behind(
    here: Bench,
) -> None:
    running: set[str] = set()
    beside: dict[str, set[str]] = {}
    meeting = asyncio.Barrier(2)

    def body(name: str) -> Any:
        async def run(arguments: Any) -> str:
            running.add(name)
            beside[name] = set(running)
            if name in ("c", "d"):
                async with asyncio.timeout(5):
                    await meeting.wait()
            for _ in range(5):
                await asyncio.sleep(0)
                beside[name] |= running
            running.discard(name)
            return name

        return run

    tools = [
        tool("a", body("a")),
        tool("b", body("b")),
        tool("alone", body("alone"), parallel=False),
        tool("c", body("c")),
        tool("d", body("d")),
    ]
    here.demo.script(calls(("a", {}), ("b", {}), ("alone", {}), ("c", {}), ("d", {})), "done")
    turn = await ask(await here.engine(tools=tools))
    assert turn.status == "complete"
    assert beside["alone"] == {"alone"}
    assert {"alone"}.isdisjoint(beside["a"] | beside["b"] | beside["c"] | beside["d"])
    started = [event.tool_call_id for event in turn.of(ToolCallStarted)]
    names = {event.tool_call_id: event.name for event in turn.of(ToolCallProposed)}
    order = [names[call_id] for call_id in started]
    assert set(order[:2]) == {"a", "b"}
    assert order[2] == "alone"
    # Those that may, ran beside one another.
    assert beside["c"] == {"c", "d"} or beside["d"] == {"c", "d"}


async def test_several_rounds_and_figures(here: Bench) -> None:
    here.demo.script(calls(("echo", {"x": "1"})), calls(("echo", {"x": "2"})), "end")
    engine = await here.engine(here.session("dear"), tools=[tool("echo", echo)])
    turn = await ask(engine)
    stats = await engine.context.get_token_stats()
    assert len(turn.of(RequestStarted)) == 3
    assert stats.turn_requests == 3
    assert stats.total_tokens == here.reported_tokens
    assert stats.turn_tokens == stats.total_tokens
    assert stats.tool_calls == 2
    rows = await here.requests(engine)
    assert stats.estimated_cost == sum(row.cost for row in rows if row.cost is not None)
