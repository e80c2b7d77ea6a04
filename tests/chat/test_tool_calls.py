"""Tool calls: what is wrong with them becomes a result, and every one is answered."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from chat.harness import Bench, ScriptedTool, Turn, ask, calls, collect, echo, tool
from chatglass.chat.engine import TurnRules
from chatglass.chat.events import (
    Notice,
    RequestStarted,
    ToolCallDecided,
    ToolCallFinished,
    ToolCallProgress,
    ToolCallStarted,
)
from chatglass.chat.ports import Decision, PendingCall
from chatglass.models.demo.script import Call, Reply
from chatglass.tools.tool import Assessment, JsonObject, Progress, ReportProgress, ToolOutput


async def fail(arguments: JsonObject) -> str:
    raise OSError("the disk is gone")


async def cancel_itself(arguments: JsonObject) -> str:
    raise asyncio.CancelledError


async def hang(arguments: JsonObject) -> str:
    await asyncio.Event().wait()
    return ""


@pytest.mark.parametrize(
    ("name", "arguments", "seen"),
    [
        pytest.param("echo", '{"x": ', "not valid JSON", id="invalid JSON"),
        pytest.param("echo", "[1]", "must be a JSON object, not list", id="no object"),
        pytest.param("echo", '{"y": 1}', "there is no argument 'y'", id="wrong schema"),
        pytest.param("ecco", "{}", "Did you mean echo", id="unknown tool"),
        pytest.param("fail", "{}", "fail failed: OSError: the disk is gone", id="raises"),
        pytest.param("gone", "{}", "gone failed: CancelledError", id="cancels itself"),
        pytest.param("hang", "{}", "time limit", id="timeout"),
        pytest.param("unjudged", "{}", "unjudged failed: PermissionError", id="can't be judged"),
        pytest.param("forbidden", "{}", "denied by policy: test", id="denied by a rule"),
    ],
)
async def test_what_is_wrong_is_told_to_the_model(
    here: Bench, name: str, arguments: str, seen: str
) -> None:
    class Unjudged(ScriptedTool):
        def assess(self, arguments: JsonObject, root: Path) -> Assessment:
            raise PermissionError("no entry")

    unjudged = Unjudged(echo, tool("unjudged", echo).spec)
    tools = [
        tool("echo", echo),
        tool("fail", fail),
        tool("gone", cancel_itself),
        tool("hang", hang, timeout_s=0.05),
        tool("forbidden", echo, verdict="deny"),
        unjudged,
    ]
    here.demo.script(calls((name, arguments), ("echo", {"x": "beside"})), "I see.")
    engine = await here.engine(tools=tools)
    turn = await ask(engine)
    assert turn.status == "complete"
    rows = await here.rows(engine)
    assert seen in rows[2].content
    assert rows[3].content == "echo beside"
    [bad, good] = await here.calls(engine)
    assert (bad.state, good.state) == ("denied" if name == "forbidden" else "error", "ok")
    assert bad.arguments == arguments
    assert bad.error is not None
    assert seen in bad.error
    assert turn.text == "I see."
    assert not here.demo.violations


async def test_empty_arguments_are_an_empty_object(here: Bench) -> None:
    made = tool("echo", echo)
    here.demo.script(calls(("echo", "")), "ok")
    assert (await ask(await here.engine(tools=[made]))).status == "complete"
    assert made.runs == [{}]


async def test_half_a_call_at_the_output_limit_can_be_mended(here: Bench) -> None:
    here.demo.script(
        calls(("echo", '{"x": "ab'), finish_reason="length"), calls(("echo", {"x": "a"})), "ok"
    )
    engine = await here.engine(tools=[tool("echo", echo)])
    turn = await ask(engine)
    assert turn.status == "complete"
    assert "length" in turn.notices
    assert [row.state for row in await here.calls(engine)] == ["error", "ok"]


async def test_denied_with_a_reason(here: Bench) -> None:
    async def decide(call: PendingCall) -> Decision:
        return Decision(verdict="deny", decided_by="user", reason="not today")

    made = tool("work", echo, verdict="ask")
    here.demo.script(calls(("work", {"x": "1"})), "Then not.")
    engine = await here.engine(tools=[made], decide=decide)
    turn = await ask(engine)
    assert turn.status == "complete"
    assert not made.runs
    assert turn.one(ToolCallDecided).reason == "not today"
    assert turn.one(ToolCallFinished).status == "denied"
    assert not turn.of(ToolCallStarted)
    rows = await here.rows(engine)
    assert rows[2].content == "This call was denied by user. Reason: not today"


async def test_edited_runs_what_was_approved_and_keeps_both(here: Bench) -> None:
    async def decide(call: PendingCall) -> Decision:
        assert call.arguments == {"x": "model's"}
        return Decision(verdict="edited", decided_by="user", arguments={"x": "user's"})

    made = tool("work", echo, verdict="ask")
    here.demo.script(calls(("work", {"x": "model's"})), "ok")
    engine = await here.engine(tools=[made], decide=decide)
    await ask(engine)
    assert made.runs == [{"x": "user's"}]
    [call] = await here.calls(engine)
    assert json.loads(call.arguments) == {"x": "model's"}
    assert json.loads(call.edited_arguments or "") == {"x": "user's"}
    assert call.decided_by == "user"


async def test_edited_to_nothing_is_kept_as_such(here: Bench) -> None:
    async def decide(call: PendingCall) -> Decision:
        return Decision(verdict="edited", decided_by="user", arguments={})

    made = tool("work", echo, verdict="ask")
    here.demo.script(calls(("work", {"x": "1"})), "ok")
    engine = await here.engine(tools=[made], decide=decide)
    await ask(engine)
    assert made.runs == [{}]
    assert (await here.calls(engine))[0].edited_arguments == "{}"


async def test_edited_arguments_are_validated_and_judged_anew(here: Bench) -> None:
    class Guarded(ScriptedTool):
        def assess(self, arguments: JsonObject, root: Path) -> Assessment:
            verdict = "deny" if arguments.get("x") == "evil" else "ask"
            return Assessment(verdict=verdict, why="Not that.", rule="r")

    edits: list[JsonObject] = [{"y": "no such argument"}, {"x": "evil"}]

    async def decide(call: PendingCall) -> Decision:
        return Decision(verdict="edited", decided_by="user", arguments=edits.pop(0))

    made = Guarded(echo, tool("work", echo).spec)
    here.demo.script(calls(("work", {"x": "1"})), calls(("work", {"x": "2"})), "ok")
    engine = await here.engine(tools=[made], decide=decide)
    assert (await ask(engine)).status == "complete"
    assert not made.runs
    contents = [row.content for row in await here.rows(engine) if row.role == "tool"]
    assert "no argument 'y'" in contents[0]
    assert "Not that." in contents[1]


async def test_the_third_identical_call_of_a_turn_asks(here: Bench) -> None:
    asked: list[PendingCall] = []

    async def decide(call: PendingCall) -> Decision:
        asked.append(call)
        return Decision(verdict="deny", decided_by="user", reason="stop it")

    made = tool("echo", echo)
    again = [calls(("echo", {"x": "same"})) for _ in range(3)]
    here.demo.script(*again, calls(("echo", {"x": "other"})), "ok")
    engine = await here.engine(tools=[made], decide=decide, rules=TurnRules(loop_after=3))
    turn = await ask(engine)
    assert turn.status == "complete"
    assert [run["x"] for run in made.runs] == ["same", "same", "other"]
    [call] = asked
    assert call.assessment.rule == "loop"
    assert "3 times" in call.assessment.why
    assert "3 times" in turn.notices["loop"]
    # Another turn begins to count anew.
    here.demo.script(calls(("echo", {"x": "same"})), "ok")
    await ask(engine)
    assert len(asked) == 1


async def test_the_number_of_requests_in_a_turn_is_limited(here: Bench) -> None:
    made = tool("echo", echo)
    here.demo.script(*(calls(("echo", {"x": str(n)})) for n in range(9)))
    engine = await here.engine(tools=[made], rules=TurnRules(max_requests=3))
    turn = await ask(engine)
    assert turn.status == "limit"
    assert len(turn.of(RequestStarted)) == 3
    assert len(made.runs) == 3, "the last answer's calls are answered too"
    assert "3 requests" in turn.notices["max_requests"]
    rows = await here.rows(engine)
    assert rows[-1].role == "tool"
    here.demo._script.clear()  # pyright: ignore[reportPrivateUsage]
    here.demo.script("done")
    assert (await ask(engine, "go on")).status == "complete"


async def test_progress_is_told(here: Bench) -> None:
    class Reporting(ScriptedTool):
        async def run(
            self, arguments: JsonObject, root: Path, report: ReportProgress
        ) -> ToolOutput:
            report(Progress("half", 0.5))
            return await super().run(arguments, root, report)

    here.demo.script(calls(("work", {})), "ok")
    turn = await ask(await here.engine(tools=[Reporting(echo, tool("work", echo).spec)]))
    progress = turn.one(ToolCallProgress)
    assert (progress.message, progress.fraction) == ("half", 0.5)


async def test_what_was_produced_and_what_the_model_saw_are_both_kept(here: Bench) -> None:
    async def long(arguments: JsonObject) -> str:
        return "0123456789" * 30

    here.demo.script(calls(("long", {})), "ok")
    engine = await here.engine(tools=[tool("long", long)])
    turn = await ask(engine)
    [call] = await here.calls(engine)
    result = await here.store.tool_result(call.id)
    assert result is not None
    assert (len(result.produced), len(result.seen)) == (300, 40)
    assert (call.result_bytes, call.seen_bytes) == (300, 40)
    assert (await here.rows(engine))[2].content == result.seen
    assert turn.one(ToolCallFinished).preview == result.seen


async def test_calls_without_ids_or_with_the_same_id(here: Bench) -> None:
    same = Reply(calls=(Call(name="echo", id="x"), Call(name="echo", id="x")), whole_calls=True)
    here.demo.script(same, "ok")
    engine = await here.engine(tools=[tool("echo", echo)])
    assert (await ask(engine)).status == "complete"
    ids = [row.call_id for row in await here.calls(engine)]
    assert len(set(ids)) == 2
    assert [row.tool_call_id for row in await here.rows(engine) if row.role == "tool"] == ids


async def test_text_that_utf8_cannot_hold(here: Bench) -> None:
    async def surrogate(arguments: JsonObject) -> str:
        return "a\ud800b"

    here.demo.script(calls(("bad", r'{"x": "\ud800"}')), "ok")
    engine = await here.engine(tools=[tool("bad", surrogate)])
    turn = await ask(engine, "prompt \udfff")
    assert turn.status == "complete"
    rows = await here.rows(engine)
    assert rows[0].content == "prompt \ufffd"
    assert rows[2].content == "a\ufffdb"
    stats = await engine.context.get_token_stats()
    assert stats.degraded is None


async def test_a_port_that_fails_ends_the_turn_with_every_call_answered(here: Bench) -> None:
    async def decide(call: PendingCall) -> Decision:
        raise LookupError("no panel")

    here.demo.script(calls(("work", {}), ("echo", {"x": "1"})))
    engine = await here.engine(
        tools=[tool("work", echo, verdict="ask"), tool("echo", echo)], decide=decide
    )
    await engine.submit("hi")
    events: list[Any] = []
    with pytest.raises(LookupError):
        await collect(engine.run(), events.append)
    assert Turn(events).status == "error"
    rows = await here.rows(engine)
    assert [row.role for row in rows] == ["user", "assistant", "tool", "tool"]
    assert "user stopped" not in rows[2].content
    assert not any(isinstance(event, Notice) for event in events)
