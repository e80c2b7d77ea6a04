"""Own tools through their worker process: schemas, calls, errors, ends."""

from __future__ import annotations

import asyncio
import json
import logging
import os
from pathlib import Path

import pytest

from chatglass.tools.tool import InvalidArguments
from own_tools.loaded import MANY, Loaded
from processes import alive, gone

together = pytest.mark.asyncio(loop_scope="module")


@together
async def test_a_typed_function_becomes_a_schema(many: Loaded) -> None:
    spec = many.manager.get("typed").spec
    assert spec.description == (
        "Gives back what it got.\n\nA second paragraph.\n\nReturns: What it got."
    )
    properties = spec.parameters["properties"]
    assert properties["word"] == {"description": "Any word.", "type": "string"}
    assert properties["colour"] == {
        "default": "red", "enum": ["red", "green"], "type": "string",
    }  # fmt: skip
    assert properties["limit"]["description"] == "From the hint."
    assert properties["limit"]["maximum"] == 10
    assert properties["card"]["anyOf"][0]["properties"]["count"]["minimum"] == 0
    assert spec.parameters["required"] == ["word"]
    for name in ("numpy_style", "rest_style"):
        described = many.manager.get(name).spec.parameters["properties"]["a"]["description"]
        assert described in ("What is doubled.", "What is written.")


@together
async def test_arguments_come_as_the_hints_say(many: Loaded) -> None:
    output = await many.call(
        "typed", word="w", many=None, point={"x": 1}, size={"wide": 2}, card={"title": "t"}
    )
    assert output.status == "ok"
    assert json.loads(output.seen) == {
        "word": "w", "colour": "red", "many": None, "limit": 5, "kinds": ["Point", "dict", "Card"],
    }  # fmt: skip
    tool = many.manager.get("typed")
    assert tool.validate({"word": "w"})["limit"] == 5, "the question shows what will run"
    with pytest.raises(InvalidArguments, match=r"wrod: there is no such argument"):
        tool.validate({"word": "w", "wrod": 1})
    # What a JSON Schema check leaves to pydantic is said by the worker.
    beyond = await many.call("typed", word="w", limit=11)
    assert beyond.status == "error"
    assert "limit: input should be less than or equal to 10" in beyond.seen


@together
async def test_results_and_errors(many: Loaded, caplog: pytest.LogCaptureFixture) -> None:
    assert (await many.call("rest_style", a=3)).seen == "3 ✓"
    assert (await many.call("numpy_style", a=3)).seen == "6"
    with caplog.at_level(logging.DEBUG, "chatglass.tools.own"):
        failed = await many.call("raises", kind="x")
        assert (failed.status, failed.seen) == ("error", "ValueError: no x")
    assert "Traceback" in caplog.text
    assert (await many.call("raises", kind="exit")).seen == "SystemExit: 3"
    strange = await many.call("strange")
    assert strange.status == "error"
    assert "strange returned what JSON can't hold" in strange.seen
    large = await many.call("big", characters=200_000)
    assert (len(large.produced), len(large.seen) <= 30_000) == (200_000, True)
    refused = await many.call("big", characters=64 * 1024 * 1024 + 1)
    assert refused.status == "error"
    assert "64 MB is the most" in refused.seen


@together
async def test_what_it_prints_never_reaches_the_terminal(
    many: Loaded, capfd: pytest.CaptureFixture[str]
) -> None:
    assert (await many.call("noisy")).seen == "nothing to read"
    printed = capfd.readouterr()
    assert printed.out + printed.err == ""


@together
async def test_functions_that_are_no_tools_are_named_with_cause_and_way_on(many: Loaded) -> None:
    assert many.names == [
        "typed", "numpy_style", "rest_style", "slow_one", "hangs", "where", "variables", "noisy",
        "raises", "big", "strange", "counts",
    ]  # fmt: skip
    assert all(problem.source == str(MANY) for problem in many.own.problems)
    told = {text.split(":")[0]: text for text in many.problems}
    assert set(told) == {"bare", "rest", "runs__ahead", "yields", "calculate"}
    assert "no type hint on a. Write a: str" in told["bare"]
    assert "it takes *words" in told["rest"]
    assert "MCP servers" in told["runs__ahead"]
    assert "a built-in tool has this name already. Rename the function." in told["calculate"]


@together
async def test_they_ask_whatever_their_author_says(many: Loaded) -> None:
    tool = many.manager.get("slow_one")
    assessment = tool.assess({"seconds": 1.0}, many.root)
    assert assessment.verdict == "ask"
    assert assessment.details == {"from": str(MANY), "its author says": "only reads"}
    assert not tool.spec.read_only


@together
async def test_calls_run_side_by_side_and_in_the_sessions_folder(
    many: Loaded, tmp_path: Path
) -> None:
    here, there = await asyncio.gather(many.call("where"), many.call("where", root=tmp_path))
    assert json.loads(here.seen)["folder"] == str(many.root)
    assert json.loads(there.seen)["folder"] == str(tmp_path)
    assert json.loads(here.seen)["pid"] != str(os.getpid())


async def test_a_call_past_its_time_is_ended(tmp_path: Path) -> None:
    async with Loaded(tmp_path, MANY) as loaded:
        assert (await loaded.call("counts")).seen == "1"
        late = await loaded.call("slow_one", seconds=30)
        assert late.seen == "slow_one was ended after 0.5 s, its time limit."
        assert loaded.progress[0].message == "asleep"
        assert loaded.progress[0].fraction == 0.25
        # An async function was cancelled; its process goes on.
        assert (await loaded.call("counts")).seen == "2"


async def test_stopping_what_can_not_be_stopped_ends_its_process_and_children(
    tmp_path: Path,
) -> None:
    async with Loaded(tmp_path, MANY) as loaded:
        call = asyncio.create_task(loaded.call("hangs"))
        await loaded.reported.wait()
        pids = [int(word) for word in loaded.progress[0].message.split()]
        assert all(map(alive, pids))
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        assert await gone(pids, 20) == []
        assert (await loaded.call("counts")).seen == "1", "a new process"


async def test_a_process_that_ends_costs_its_call_alone(tmp_path: Path) -> None:
    async with Loaded(tmp_path, MANY) as loaded:
        lost = await loaded.call("raises", kind="gone")
        assert lost.status == "error"
        assert "may have taken effect: its process ended with exit code 4" in lost.seen
        assert "last words" in lost.seen
        assert (await loaded.call("rest_style", a=1)).status == "ok"
        assert len(loaded.names) == 12


async def test_endpoint_keys_stay_out_and_the_users_own_stay(tmp_path: Path) -> None:
    from chatglass.tools.environment import tool_environment

    base = {**os.environ, "MAPS_API_KEY": "maps-1", "OPENAI_API_KEY": "sk-0123456789abcdef"}

    def environment() -> dict[str, str]:
        return tool_environment(base, known_keys=["sk-0123456789abcdef"], other_keys=True)

    async with Loaded(
        tmp_path, MANY, environment=environment, known_keys=("maps-key-123456789",)
    ) as loaded:
        seen = json.loads((await loaded.call("variables")).seen)
        assert seen["MAPS_API_KEY"] == "maps-1"
        assert "OPENAI_API_KEY" not in seen
        leaked = await loaded.call("raises", kind="maps-key-123456789")
        assert leaked.seen == "ValueError: no [key removed]"
