"""A whole server through the host process: tools, progress, cancelling, questions, lists, logs."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

import pytest

from chatglass.tools.mcp.errors import ServerError
from chatglass.tools.mcp.events import ServerLogged
from chatglass.tools.mcp.ports import (
    ElicitationAnswer,
    ElicitationQuestion,
    McpPorts,
    SamplingAnswer,
    SamplingQuestion,
)
from chatglass.tools.tool import InvalidArguments
from mcp_servers.running import Running, own_server
from processes import noted

together = pytest.mark.asyncio(loop_scope="module")
"""Tests that share one running server."""


@together
async def test_tools_are_called_and_asked_about(running: Running) -> None:
    snapshot = await running.state("own", "ready")
    assert snapshot.title == "own"
    assert snapshot.instructions == "Be kind."
    assert snapshot.start_ms
    assert snapshot.tools[0][0] == "own__echo"
    assert len(snapshot.tools) == 17, "both pages"
    output = await running.call("own__echo", text="grüße")
    assert (output.status, output.seen) == ("ok", "grüße")
    assert json.loads(output.produced)["content"][0]["text"] == "grüße"
    tool = running.manager.get("own__echo")
    assert tool.spec.server == "own"
    assert not tool.spec.read_only, "a hint lowers no guard"
    assessment = tool.assess({"text": "x"}, running.root)
    assert assessment.verdict == "ask"
    assert assessment.details["the server says"] == "only reads, destroys nothing"
    with pytest.raises(InvalidArguments, match="text: must be string"):
        tool.validate({"text": 1})


@together
async def test_errors_of_tool_and_of_protocol(running: Running) -> None:
    failed = await running.call("own__fail")
    assert (failed.status, failed.seen) == ("error", "It went wrong.")
    refused = await running.call("own__refuse")
    assert refused.status == "error"
    assert "own: No such thing. (code -32602)" in refused.seen


@together
async def test_other_contents_are_kept_and_named(running: Running) -> None:
    output = await running.call("own__image")
    assert output.seen == (
        "Look:\n[image: image/png, 5 bytes; not shown here]\n[resource file:///a.txt (a.txt)]"
    )
    assert json.loads(output.produced)["content"][1]["data"] == "aGVsbG8="
    assert (await running.call("own__surrogate")).seen == "half \ufffd and whole \U0001f600"


@together
async def test_progress_and_cancelling_reach_the_other_side(running: Running) -> None:
    notes = running.notes
    call = asyncio.create_task(running.call("own__wait"))
    await running.until(lambda: bool(running.progress))
    assert running.progress[0].fraction == 0.25
    assert running.progress[0].message == "a quarter"
    assert running.servers.snapshot("own").running_calls == 1
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert await noted(notes, "cancelled", 1) == await noted(notes, "waits", 1)
    assert (await running.call("own__echo", text="on")).seen == "on"


async def test_a_changed_list_of_tools_is_taken_over(tmp_path: Path) -> None:
    async with Running(tmp_path, {"own": own_server()}) as running:
        await running.state("own", "ready")
        await running.call("own__grow")
        await running.until(lambda: "own__grown" in [s.name for s in running.manager.specs()])


@together
async def test_prompts_resources_and_roots(running: Running) -> None:
    snapshot = await running.state("own", "ready")
    assert snapshot.prompts[0].arguments[0].required
    (message,) = await running.servers.get_prompt("own", "greet", {"who": "Ada"})
    assert (message.role, message.text) == ("user", "Greet Ada.")
    assert snapshot.resources[0].uri == "own://a"
    assert await running.servers.complete("own", "own://{x}", "x", "", {}) == ()
    read = await running.servers.read_resource("own", "own://a")
    assert read.seen == "[resource own://a]\nthe text of a"
    assert running.root.as_uri() in (await running.call("own__roots")).seen
    running.servers.set_roots([running.notes.parent])
    assert (await running.call("own__roots")).seen == json.dumps(
        {"roots": [{"uri": running.notes.parent.as_uri()}]}
    )
    with pytest.raises(ServerError, match="There is no MCP server 'none'"):
        await running.servers.read_resource("none", "own://a")


@together
async def test_logs_come_to_the_view_and_the_file(running: Running) -> None:
    await running.call("own__log")
    await running.until(lambda: len(running.servers.log("own")) >= 2)
    lines = {(line.source, line.text) for line in running.servers.log("own")}
    assert lines == {("stderr", "on stderr"), ("server", "own: by the protocol")}
    assert any(isinstance(event, ServerLogged) for event in running.events)
    file = running.servers.log_file("own")
    assert file
    assert file.read_text().count("\n") == 2
    assert file.stat().st_mode & 0o777 == 0o600


async def test_an_elicitation_is_a_form(tmp_path: Path) -> None:
    asked: list[ElicitationQuestion] = []

    async def elicit(question: ElicitationQuestion) -> ElicitationAnswer:
        asked.append(question)
        return ElicitationAnswer("accept", {"name": "Ada", "colour": ""})

    ports = McpPorts(elicit=elicit)
    async with Running(tmp_path, {"own": own_server()}, ports=ports) as running:
        await running.state("own", "ready")
        answer = json.loads((await running.call("own__ask")).seen)
        assert answer == {"action": "accept", "content": {"name": "Ada"}}
        name, colour = asked[0].fields
        assert (asked[0].message, name.label, name.required) == ("Who are you?", "Your name", True)
        assert [choice.value for choice in colour.choices] == ["red", "green"]


async def test_a_question_ends_with_the_call_it_came_from(tmp_path: Path) -> None:
    withdrawn = asyncio.Event()
    shown = asyncio.Event()

    async def elicit(question: ElicitationQuestion) -> ElicitationAnswer:
        shown.set()
        try:
            await asyncio.Event().wait()
        finally:
            withdrawn.set()
        raise AssertionError

    ports = McpPorts(elicit=elicit)
    async with Running(tmp_path, {"own": own_server()}, ports=ports) as running:
        await running.state("own", "ready")
        call = asyncio.create_task(running.call("own__ask"))
        await shown.wait()
        running.servers.stop("own")
        async with asyncio.timeout(10):
            await withdrawn.wait()
        assert (await call).status == "error"


async def test_without_ports_everything_is_declined(tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    async with Running(tmp_path, {"own": own_server("", notes)}) as running:
        await running.state("own", "ready")
        assert json.loads((await running.call("own__ask")).seen) == {"action": "decline"}
        assert "not supported" in (await running.call("own__sample")).seen
        assert "sampling" not in notes.read_text(), "and it is not said to be there"


async def test_sampling_goes_through_its_port(tmp_path: Path) -> None:
    async def sample(question: SamplingQuestion) -> SamplingAnswer | None:
        assert question.request["messages"][0]["content"]["text"] == "Say hello."
        return SamplingAnswer(text="Hello.", model="m")

    ports = McpPorts(sample=sample)
    servers = {"own": own_server(), "other": own_server()}
    async with Running(tmp_path, servers, ports=ports, sampling=["own"]) as running:
        await running.state("own", "ready")
        await running.state("other", "ready")
        answer = json.loads((await running.call("own__sample")).seen)
        assert answer["content"]["text"] == "Hello."
        refused = (await running.call("other__sample")).seen
        assert "not supported" in refused, "the settings do not name it"


async def test_a_server_gets_few_variables_and_its_own(tmp_path: Path) -> None:
    entry = own_server() | {"env": {"MINE": "${GIVEN}-${UNSET:-none}"}}
    environment = {"GIVEN": "g", "OPENAI_API_KEY": "sk-not-for-servers", "RANDOM_NAME": "x"}
    async with Running(tmp_path, {"own": entry}, environment=environment) as running:
        await running.state("own", "ready")
        seen = json.loads((await running.call("own__environment")).seen)
        assert seen["MINE"] == "g-none"
        assert "PATH" in seen
        assert not {"OPENAI_API_KEY", "RANDOM_NAME", "GIVEN"} & seen.keys()


@together
async def test_a_large_result_reaches_the_app_by_a_file(running: Running) -> None:
    loop = asyncio.get_running_loop()
    longest = 0.0
    done = False

    async def watch() -> None:
        nonlocal longest
        while not done:
            before = loop.time()
            await asyncio.sleep(0.001)
            longest = max(longest, loop.time() - before)

    watching = asyncio.create_task(watch())
    output = await running.call("own__big", bytes=20_000_000)
    done = True
    await watching
    assert len(json.loads(output.produced)["content"][0]["text"]) == 20_000_000
    assert len(output.seen) <= 30_000
    assert "left out" in output.seen
    # The SDK's own transport takes seconds for such a line.
    assert longest < 0.5


@together
async def test_a_flood_of_progress_is_thinned(running: Running) -> None:
    assert (await running.call("own__flood")).seen == "done"
    assert len(running.progress) < 500
    assert running.progress[-1].fraction == 1.0


async def test_known_keys_and_secret_variables_stay_out_of_logs(tmp_path: Path) -> None:
    entry = own_server("says") | {"env": {"SAY": "a-known-endpoint-key-1 tok-secret-22", "MY_TOKEN": "tok-secret-22"}}  # fmt: skip
    keys = ("a-known-endpoint-key-1",)
    async with Running(tmp_path, {"own": entry}, known_keys=lambda: keys) as running:
        await running.until(lambda: bool(running.servers.log("own")))
        assert running.log_text("own") == "[key removed] [key removed]"
        file = running.servers.log_file("own")
        assert file
        assert "secret" not in file.read_text()


@together
async def test_a_call_with_half_a_pair_of_surrogates_is_sent(running: Running) -> None:
    assert (await running.call("own__echo", text="a\ud83d")).seen == "a\ufffd"


async def test_a_server_of_today_tells_changes_and_asks(tmp_path: Path) -> None:
    """Protocol 2026-07-28: changes come by a subscription, questions in place of a result."""

    async def elicit(question: ElicitationQuestion) -> ElicitationAnswer:
        assert [field.name for field in question.fields] == ["name"]
        return ElicitationAnswer("accept", {"name": "Ada"})

    entry = {"command": sys.executable, "args": [str(Path(__file__).with_name("sdk_server.py"))]}
    async with Running(tmp_path, {"sdk": entry}, ports=McpPorts(elicit=elicit)) as running:
        snapshot = await running.state("sdk", "ready")
        assert snapshot.protocol == "2026-07-28"
        assert (await running.call("sdk__ask")).seen == "Hello, Ada."
        template = snapshot.resources[0]
        assert (template.uri, template.template) == ("note://{topic}/{page}", True)
        complete = running.servers.complete
        assert await complete("sdk", template.uri, "topic", "al", {}) == ("alpha", "alps")
        assert await complete("sdk", template.uri, "page", "", {"topic": "x"}) == ("x-1",)
        read = await running.servers.read_resource("sdk", "note://beta/2")
        assert read.seen == "[resource note://beta/2]\npage 2 of beta"
        await running.call("sdk__grow")
        await running.until(lambda: "sdk__grown" in [s.name for s in running.manager.specs()])
        call = asyncio.create_task(running.call("sdk__wait", file=str(tmp_path / "cancelled")))
        await running.until(lambda: bool(running.progress))
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        async with asyncio.timeout(10):
            while not (tmp_path / "cancelled").exists():  # noqa: ASYNC110 - another process writes it
                await asyncio.sleep(0.02)
