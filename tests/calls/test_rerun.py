"""Running calls again: under the same rules, without the model, kept in the window."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from chat.harness import Bench, ask, calls, echo, tool
from chatglass.chat.approvals import by_assessment
from chatglass.chat.calls.rerun import BY_USER, STOPPED, CantRunAgain, Reruns
from chatglass.chat.calls.rerun_row import RerunRow
from chatglass.chat.deciding import DecisionPorts
from chatglass.chat.engine import Engine
from chatglass.chat.ports import Ask, Decision, JudgeCall, PendingCall
from chatglass.models.demo.script import Reply
from chatglass.store.records import ToolCallRow
from chatglass.tools.places import Surroundings
from chatglass.tools.tool import JsonObject, Tool
from chatglass.tools.tool_manager import ToolManager
from mcp_servers.running import Running, own_server


class Person:
    """Answers questions, and keeps them."""

    def __init__(self, verdict: str = "allow", **fields: Any) -> None:
        self.asked: list[PendingCall] = []
        self._answer = Decision(verdict=verdict, decided_by="user", **fields)  # type: ignore[arg-type]

    async def decide(self, call: PendingCall) -> Decision:
        self.asked.append(call)
        return self._answer


class Again:
    """The engine of a session with one call, and its reruns."""

    def __init__(
        self, engine: Engine, person: Person, since: int = 0, judge: JudgeCall = by_assessment
    ) -> None:
        self.engine = engine
        self.states: list[str] = []
        self.reruns = Reruns(
            engine.context, DecisionPorts(judge, person.decide), self._changed, since=since
        )

    def _changed(self, row: RerunRow) -> None:
        self.states.append(row.state)

    async def run(self, origin: ToolCallRow, arguments: str | None = None) -> RerunRow:
        return await self.reruns.run(self.reruns.begin(origin, arguments), origin)

    async def produced(self, row: RerunRow) -> str:
        result = await self.reruns.result(row.id)
        assert result is not None
        return result.produced


async def called(
    here: Bench, person: Person, name: str, arguments: JsonObject, *tools: Tool
) -> tuple[Again, ToolCallRow]:
    """A session in which the model has called that tool."""
    here.demo.script(calls((name, arguments)), "ok")
    engine = await here.engine(tools=tools, decide=person.decide)
    await ask(engine)
    [origin] = await here.calls(engine)
    return Again(engine, person), origin


def real_tools(here: Bench) -> list[Tool]:
    manager = ToolManager.with_builtins(surroundings=Surroundings.of_user([]))
    return [manager.get(spec.name) for spec in manager.specs()]


async def test_the_same_call_gives_the_same_and_nothing_is_stored_or_sent(here: Bench) -> None:
    (here.folder / "a.txt").write_text("first\n")
    again, origin = await called(here, Person(), "read_file", {"path": "a.txt"}, *real_tools(here))
    sent = here.demo.received
    before = here.read("SELECT count(*) FROM tool_calls")
    messages = again.engine.context.get_messages_for_llm()
    (here.folder / "a.txt").write_text("second\n")
    row = await again.run(origin)
    assert (row.state, row.rerun_of, row.name) == ("ok", origin.id, "read_file")
    assert "second" in await again.produced(row)
    assert row.decided_by == "reading inside the working directory is allowed"
    assert row.result_bytes == len((await again.produced(row)).encode())
    assert again.states == ["proposed", "approved", "running", "ok"]
    assert again.reruns.rows == [row]
    assert here.demo.received == sent
    assert here.read("SELECT count(*) FROM tool_calls") == before
    assert again.engine.context.get_messages_for_llm() == messages


async def test_edited_arguments_are_validated_and_judged(here: Bench) -> None:
    (here.folder / "b.txt").write_text("bee\n")
    again, origin = await called(here, Person(), "read_file", {"path": "b.txt"}, *real_tools(here))
    assert "path: missing" in (again.reruns.objection("read_file", "{}") or "")
    assert "no valid JSON" in (again.reruns.objection("read_file", "{") or "")
    assert "must be a JSON object" in (again.reruns.objection("read_file", "[]") or "")
    assert again.reruns.objection("read_file", '{"path": "b.txt"}') is None
    row = await again.run(origin, '{"path": "nothing.txt"}')
    assert row.state == "error"
    assert json.loads(row.edited_arguments or "") == {"path": "nothing.txt"}
    assert json.loads(row.arguments) == json.loads(origin.arguments)
    broken = await again.run(origin, '{"pfad": 1}')
    assert broken.state == "error"
    assert "pfad" in (broken.error or "")


async def test_what_the_user_allowed_is_not_asked_again_but_other_arguments_are(
    here: Bench,
) -> None:
    person = Person()
    again, origin = await called(
        here, person, "run_command", {"command": "echo one"}, *real_tools(here)
    )
    assert len(person.asked) == 1
    row = await again.run(origin)
    assert len(person.asked) == 1, "running it again was the answer"
    assert row.decided_by == BY_USER
    assert "one" in await again.produced(row)
    twice = await again.run(row)
    assert (twice.rerun_of, twice.decided_by, len(person.asked)) == (row.id, BY_USER, 1)
    other = await again.run(origin, '{"command": "echo two"}')
    assert [call.arguments["command"] for call in person.asked] == ["echo one", "echo two"]
    assert other.decided_by == "user"
    assert again.states[-5:] == ["proposed", "asking", "approved", "running", "ok"]


async def test_what_was_allowed_before_the_session_was_opened_here_is_asked_again(
    here: Bench,
) -> None:
    person = Person()
    again, origin = await called(
        here, person, "work", {"x": "1"}, tool("work", echo, verdict="ask")
    )
    assert origin.decided_at is not None
    later = Again(again.engine, person, since=origin.decided_at + 1)
    await later.run(origin)
    assert len(person.asked) == 2


@pytest.mark.parametrize("by", ["mode ask", "rule: ask work(*)"])
async def test_a_rule_or_a_mode_that_asks_is_asked_again(here: Bench, by: str) -> None:
    person = Person()
    again, origin = await called(
        here, person, "work", {"x": "1"}, tool("work", echo, verdict="ask")
    )
    strict = Again(again.engine, person, judge=lambda call: Ask(by))
    row = await strict.run(origin)
    assert len(person.asked) == 2
    assert person.asked[-1].asked_by == by
    assert row.decided_by == "user"


async def test_a_write_shows_its_diff_again_and_secrets_always_ask(here: Bench) -> None:
    person = Person()
    again, origin = await called(
        here, person, "write_file", {"path": "n.md", "content": "x"}, *real_tools(here)
    )
    await again.run(origin)
    assert len(person.asked) == 2, "the diff may be another by now"
    (here.folder / ".env").write_text("KEY=1")
    secret = await again.run(origin, '{"path": ".env", "content": "y"}')
    assert person.asked[-1].assessment.always_ask
    assert not again.reruns.stands_for_answer(secret, origin, person.asked[-1].assessment)


async def test_a_denial_holds_for_a_rule_and_for_the_user(here: Bench) -> None:
    person = Person()
    forbidden = tool("forbidden", echo, verdict="deny")
    again, origin = await called(here, person, "forbidden", {"x": "1"}, forbidden)
    row = await again.run(origin)
    assert (row.state, row.decided_by) == ("denied", "policy: test")
    assert not person.asked
    assert not forbidden.runs
    no = Person("deny", reason="not now")
    made = tool("work", echo, verdict="ask")
    again, origin = await called(here, no, "work", {"x": "1"}, made)
    row = await again.run(origin)
    assert (row.state, row.reason) == ("denied", "not now")
    assert not made.runs
    assert len(no.asked) == 2, "what was denied is asked again"


async def test_arguments_edited_in_the_question_run_and_are_kept(here: Bench) -> None:
    person = Person("edited", arguments={"x": "mine"})
    made = tool("work", echo, verdict="ask")
    again, origin = await called(here, person, "work", {"x": "model's"}, made)
    row = await again.run(origin, '{"x": "other"}')
    assert made.runs[-1] == {"x": "mine"}
    assert json.loads(row.edited_arguments or "") == {"x": "mine"}


async def test_stopping_it_ends_the_tool(here: Bench) -> None:
    started = asyncio.Event()
    ended = asyncio.Event()

    async def hang(arguments: JsonObject) -> str:
        started.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()
        return ""

    person = Person()
    here.demo.script(Reply(text="hi"))
    engine = await here.engine(tools=[tool("hang", hang)], decide=person.decide)
    await ask(engine)
    again = Again(engine, person)
    origin = _origin("hang")
    row = again.reruns.begin(origin)
    task = asyncio.create_task(again.reruns.run(row, origin))
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended.is_set()
    kept = again.reruns.row(row.id)
    assert kept is not None
    assert (kept.state, kept.error) == ("cancelled", STOPPED)
    ended.clear()
    started.clear()
    task = asyncio.create_task(again.run(origin))
    await started.wait()
    await again.reruns.close()
    assert task.cancelled()
    assert ended.is_set(), "so does closing the session"


async def test_what_runs_alone_waits_for_the_turn_and_for_each_other(here: Bench) -> None:
    running: list[str] = []
    gate = asyncio.Event()

    async def one_at_a_time(arguments: JsonObject) -> str:
        running.append(arguments["x"])
        assert len(running) == 1
        await gate.wait()
        running.remove(arguments["x"])
        return "done"

    made = tool("write", one_at_a_time, parallel=False)
    engine = await here.engine(tools=[made])
    again = Again(engine, Person())
    origin = _origin("write", '{"x": "a"}')
    with pytest.raises(CantRunAgain, match="runs alone"):
        again.reruns.begin(origin, working=True)
    tasks = [asyncio.create_task(again.run(origin)) for _ in range(3)]
    await asyncio.sleep(0)
    gate.set()
    assert [row.state for row in await asyncio.gather(*tasks)] == ["ok"] * 3


async def test_a_tool_that_is_gone_is_said(here: Bench) -> None:
    again = Again(await here.engine(tools=[tool("echo", echo)]), Person())
    with pytest.raises(CantRunAgain, match="Did you mean echo"):
        again.reruns.begin(_origin("ecco"))


async def test_what_a_tool_raises_is_its_result(here: Bench) -> None:
    async def fail(arguments: JsonObject) -> str:
        raise OSError("the disk is gone")

    again = Again(await here.engine(tools=[tool("fail", fail)]), Person())
    row = await again.run(_origin("fail"))
    assert (row.state, row.error) == ("error", "fail failed: OSError: the disk is gone")


async def test_large_results_are_kept_out_of_memory_and_come_back_whole(here: Bench) -> None:
    text = "ä line with a lone \ud800 surrogate\n" * 60_000

    async def large(arguments: JsonObject) -> str:
        return text

    again = Again(await here.engine(tools=[tool("large", large)]), Person())
    row = await again.run(_origin("large"))
    kept = again.reruns._results[row.id]
    assert kept.result is None
    assert kept.file is not None
    produced = await again.produced(row)
    assert produced == text.replace("\ud800", "\ufffd")
    assert row.result_bytes == len(produced.encode())


async def test_a_tool_of_a_real_server(here: Bench, tmp_path: Path) -> None:
    person = Person()
    folder = tmp_path / "server"
    folder.mkdir()
    async with Running(folder, {"own": own_server("", folder / "notes")}) as running:
        await running.state("own", "ready")
        manager = running.manager
        name = next(spec.name for spec in manager.specs() if spec.name.endswith("echo"))
        again, origin = await called(here, person, name, {"text": "hello"}, *[manager.get(name)])
        assert origin.server == "own"
        row = await again.run(origin)
        assert (row.state, row.server, row.decided_by) == ("ok", "own", BY_USER)
        assert "hello" in await again.produced(row)
        edited = await again.run(origin, '{"text": "other"}')
        assert "other" in await again.produced(edited)
        assert len(person.asked) == 2
        assert "fit" in (again.reruns.objection(name, '{"text": 1}') or "")


def _origin(name: str, arguments: str = "{}") -> ToolCallRow:
    return ToolCallRow(
        id=f"call-{name}",
        session_id="session",
        turn_id="turn",
        request_id="request",
        message_id="message",
        call_id="call",
        position=0,
        name=name,
        arguments=arguments,
        proposed_at=0,
        state="ok",
    )
