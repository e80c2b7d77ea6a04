"""MCP servers in the full screen, over a real server process."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

import pytest

from chatglass.config.options import Options
from chatglass.store.records import ToolResult
from chatglass.tools.mcp.forms import Choice, FormField
from chatglass.tools.mcp.ports import ElicitationAnswer, ElicitationQuestion, SignInQuestion
from chatglass.tui.servers.form_dialog import FormDialog
from chatglass.tui.servers.question import QuestionDialog
from chatglass.tui.servers.sampling_dialog import SamplingDialog
from chatglass.tui.servers.screen import ServersScreen
from chatglass.tui.servers.trust_dialog import TrustDialog
from chatglass.tui.servers.visit_dialog import VisitDialog
from mcp_servers.running import OWN_SERVER, own_server
from processes import alive, noted
from tui.conftest import Play
from tui.stage import Stage, tools

SDK_SERVER = OWN_SERVER.with_name("sdk_server.py")
NASTY = "\x1b[31mred [b]bold"


def named(folder: Path, **servers: object) -> None:
    """The user's own servers."""
    (folder / "mcp.json").write_text(json.dumps({"mcpServers": servers}), encoding="utf-8")


def project(folder: Path, **servers: object) -> None:
    """Those that the project names."""
    file = folder / "project" / ".mcp.json"
    file.write_text(json.dumps({"mcpServers": servers}), encoding="utf-8")


def state(stage: Stage, name: str = "own") -> str:
    servers = stage.app.servers.running
    return servers.snapshot(name).state if servers else "none"


async def ready(stage: Stage) -> None:
    await stage.until(lambda: state(stage) == "ready", "a ready server")


async def dialog(stage: Stage, kind: type[QuestionDialog]) -> QuestionDialog:
    """That dialog, when it hears keys."""
    await stage.until(lambda: isinstance(stage.app.screen, kind), kind.__name__)
    shown = stage.app.screen
    assert isinstance(shown, kind)
    await stage.until(lambda: shown.hears(), "a dialog that hears")
    return shown


async def test_without_servers_nothing_of_mcp_is_imported(play: Play) -> None:
    async with play() as stage:
        await stage.command("/mcp")
        await stage.told("chatglass mcp add NAME")
        assert stage.app.servers.running is None


async def test_a_call_is_asked_about_shown_and_kept(play: Play, folder: Path) -> None:
    named(folder, own=own_server())
    async with play(Options(model="demo-fast")) as stage:
        await ready(stage)
        stage.server.script(tools(("own__echo", '{"text": "round"}')), "done")
        await stage.send("call it")
        await stage.sees("own__echo")
        await stage.until(lambda: stage.chat.approval.display, "a question")
        await stage.sees("only reads")
        await stage.until(lambda: not stage.chat.approval.is_deaf)
        await stage.press("1")
        await stage.idle()
        (card,) = stage.answers[0].cards
        assert card.state == "ok"
        (call,) = stage.session.view.calls.values()
        result = await kept(stage, call.id)
        assert result is not None
        assert "round" in result.seen


async def test_a_project_is_asked_about_and_starts_when_trusted(play: Play, folder: Path) -> None:
    server = own_server()
    project(folder, own={**server, "env": {"WHO": "${CHATGLASS_TEST_WHO:-nobody}"}})
    async with play() as stage:
        shown = await dialog(stage, TrustDialog)
        await stage.sees("own_server.py")
        await stage.sees("CHATGLASS_TEST_WHO")
        await stage.press("x", "1")
        assert stage.app.screen is shown, "somebody still typed"
        await stage.until(lambda: shown.hears())
        await stage.press("tab", "space", "1")
        await ready(stage)
    trust = json.loads((folder / "data" / "mcp-trust.json").read_text())
    (record,) = trust["projects"].values()
    assert (record["verdict"], record["variables"]) == ("trust", ["CHATGLASS_TEST_WHO"])
    async with play() as stage:
        await ready(stage)


async def test_not_now_starts_nothing_and_the_screen_asks_again(play: Play, folder: Path) -> None:
    project(folder, own=own_server())
    async with play() as stage:
        await dialog(stage, TrustDialog)
        await stage.press("escape")
        await stage.until(lambda: stage.app.screen is stage.chat)
        assert state(stage) == "untrusted"
        assert not [one for one in stage.app.workspace.tools.specs() if one.server]
        await stage.command("/mcp")
        await stage.sees("not trusted: r asks")
        await stage.press("r")
        await dialog(stage, TrustDialog)
        await stage.press("1")
        await stage.sees("ready, 17 tools")


async def test_a_question_waits_for_who_is_writing(play: Play, folder: Path) -> None:
    async with play(ready=False) as stage:
        project(folder, own=own_server())
        stage.chat.composer.insert("half a sentence")
        await stage.told("/mcp shows the question")
        assert stage.app.screen is stage.chat
        stage.chat.composer.clear()
        await dialog(stage, TrustDialog)
        await stage.press("3")
        await stage.until(lambda: stage.app.screen is stage.chat)
        assert state(stage) == "untrusted"
    async with play() as stage:
        await stage.told("not to be asked")


async def test_the_screen_shows_restarts_and_stops(play: Play, folder: Path) -> None:
    named(folder, own=own_server("ends"), other=own_server(), odd={"cmd": "x"})
    async with play(size=(120, 45)) as stage:
        await stage.told("mcpServers.odd")
        await stage.until(lambda: state(stage, "other") == "ready")
        await stage.told("own went away")
        await stage.command("/mcp")
        assert isinstance(stage.app.screen, ServersScreen)
        await stage.sees("attempt 2 in")
        await stage.press("l")
        await stage.sees("the configuration is missing")
        await stage.press("down", "l")
        await stage.sees("other__echo")
        await stage.sees("/other:greet who")
        await stage.press("s")
        await stage.sees("stopped")
        await stage.press("r")
        await stage.sees("ready, 17 tools")
        await stage.press("escape")
        assert stage.app.screen is stage.chat


async def test_a_form_is_checked_and_answered(play: Play, folder: Path) -> None:
    named(folder, own=own_server())
    async with play(Options(model="demo-fast", allow_tools=("own__ask",))) as stage:
        await ready(stage)
        stage.server.script(tools(("own__ask", "{}")), "done")
        await stage.send("ask me")
        await dialog(stage, FormDialog)
        await stage.sees("Who are you?")
        await stage.press("ctrl+s")
        await stage.sees("Your name is needed.")
        await stage.type("Ada")
        await stage.press("enter")
        assert isinstance(stage.app.screen, FormDialog)
        await stage.press("ctrl+s")
        await stage.idle()
        (call,) = stage.session.view.calls.values()
        result = await kept(stage, call.id)
        assert result is not None
        assert json.loads(result.seen) == {"action": "accept", "content": {"name": "Ada"}}


async def test_sampling_asks_each_time_and_counts(play: Play, folder: Path) -> None:
    named(folder, own=own_server())
    (folder / "config.toml").write_text('[mcp]\nsampling = ["own"]\n', encoding="utf-8")
    async with play(Options(model="demo-fast", allow_tools=("own__sample",))) as stage:
        await ready(stage)
        stage.server.script(tools(("own__sample", "{}")), "Hello there.", "done")
        await stage.send("let it ask")
        await dialog(stage, SamplingDialog)
        await stage.sees("own asks your model")
        await stage.sees("User: Say hello.")
        await stage.sees("10 of answer at most")
        assert len(stage.server.requests) == 1, "nothing is sent before the yes"
        await stage.press("1")
        await stage.idle()
        await stage.sees("own got an answer of demo-fast")
        rows = await stage.app.workspace.store.requests(stage.session.id)
        assert [row.purpose for row in rows] == ["answer", "sampling", "answer"]
        tokens = sum(row.usage.total_tokens for row in rows if row.usage)
        await stage.sees(f"{tokens:,} tokens · —")  # under the answer, as after a restart
        (call,) = stage.session.view.calls.values()
        result = await kept(stage, call.id)
        assert result is not None
        assert json.loads(result.seen)["content"]["text"] == "Hello there."
        stage.server.script(tools(("own__sample", "{}")), "done")
        await stage.send("once more")
        await dialog(stage, SamplingDialog)
        await stage.press("escape")
        await stage.idle()
        result = await kept(stage, list(stage.session.view.calls)[-1])
        assert result is not None
        assert "The user declined." in result.seen


async def test_a_question_goes_with_its_call(play: Play, folder: Path) -> None:
    named(folder, own=own_server())
    async with play(Options(model="demo-fast", allow_tools=("own__ask",))) as stage:
        await ready(stage)
        stage.server.script(tools(("own__ask", "{}")))
        await stage.send("ask me")
        await dialog(stage, FormDialog)
        stage.session.engine.stop()
        servers = stage.app.servers.running
        assert servers is not None
        servers.stop("own")
        await stage.until(lambda: stage.app.screen is stage.chat, "the dialog gone")


async def test_a_prompt_is_completed_asked_for_and_inserted(play: Play, folder: Path) -> None:
    named(folder, own=own_server())
    async with play() as stage:
        await ready(stage)
        await stage.type("/own:")
        await stage.sees("/own:greet")
        await stage.press("tab", "enter")
        await dialog(stage, FormDialog)
        await stage.type("Ada")
        await stage.press("ctrl+s")
        await stage.until(lambda: stage.draft == "Greet Ada.", "the prompt")
        stage.chat.composer.clear()
        await stage.command("/own:greet Bob")
        await stage.until(lambda: stage.draft == "Greet Bob.", "the prompt")


async def test_a_resource_is_attached(play: Play, folder: Path) -> None:
    named(folder, own=own_server())
    async with play() as stage:
        await ready(stage)
        await stage.type("look at @own")
        await stage.sees("own:own://a")
        await stage.press("tab")
        await stage.sees("[file: own:own://a]")
        stage.server.script("seen")
        await stage.press("enter")
        await stage.until(lambda: stage.answers, "an answer")
        await stage.idle()
        assert b"the text of a" in stage.server.requests[-1].body


async def test_a_template_is_completed_by_its_server_and_attached(play: Play, folder: Path) -> None:
    named(folder, sdk={"command": sys.executable, "args": [str(SDK_SERVER)]})
    async with play() as stage:
        await stage.until(lambda: state(stage, "sdk") == "ready", "a ready server")
        await stage.type("read @sd")
        await stage.sees("sdk:note://{topic}/{page}")
        await stage.press("tab")
        await stage.until(lambda: stage.draft == "read @sdk:note://")
        await stage.sees("sdk:note://alpha/")
        await stage.type("b")
        await stage.until(lambda: "sdk:note://alpha/" not in stage.screen_text)
        await stage.sees("sdk:note://beta/")
        completer = stage.chat.composer._completer
        await stage.until(lambda: completer.current is not None)
        await stage.press("tab")
        await stage.until(lambda: stage.draft == "read @sdk:note://beta/", stage.draft)
        await stage.sees("sdk:note://beta/beta-1")
        await stage.press("tab")
        await stage.sees("[file: sdk:note://beta/beta-1]")
        stage.server.script("read")
        await stage.press("enter")
        await stage.until(lambda: stage.answers, "an answer")
        await stage.idle()
        assert b"page beta-1 of beta" in stage.server.requests[-1].body


async def test_servers_end_with_the_app(play: Play, folder: Path) -> None:
    named(folder, own=own_server("tree", folder / "notes"))
    async with play() as stage:
        await ready(stage)
    pids = await noted(folder / "notes", "child", 3)
    assert not [pid for pid in pids if alive(pid)]


async def kept(stage: Stage, call_id: str) -> ToolResult | None:
    """What is stored of a call."""
    return await stage.app.workspace.store.tool_result(call_id)


# -- questions of every kind, as a server may put them


def elicited(stage: Stage, *fields: FormField, url: str = "") -> asyncio.Task[ElicitationAnswer]:
    question = ElicitationQuestion(server="own", message=NASTY, fields=fields, url=url)
    return asyncio.create_task(stage.app.servers._elicit(question))


async def test_every_kind_of_field_is_asked_and_checked(play: Play) -> None:
    choices = (Choice("a", "[b]Ay"), Choice("b", "Be"))
    async with play() as stage:
        task = elicited(
            stage,
            FormField(name="n", label="Number [b]", kind="integer", required=True, maximum=9),
            FormField(name="yes", label="Sure?", kind="boolean"),
            FormField(name="one", label="One", kind="choice", choices=choices, default="b"),
            FormField(name="more", label="More", kind="choices", choices=choices),
        )
        await dialog(stage, FormDialog)
        await stage.sees("␛[31mred [b]bold")
        await stage.sees("Number [b] (needed)")
        await stage.type("twelve")
        await stage.press("ctrl+s")
        await stage.sees("'twelve' is no whole number.")
        await stage.press(*["backspace"] * 6, "1", "2", "ctrl+s")
        await stage.sees("at most 9.")
        await stage.press("backspace", "tab", "space", "tab", "tab", "space", "ctrl+s")
        answer = await asyncio.wait_for(task, 5)
        content = {"n": 1, "yes": True, "one": "b", "more": ["a"]}
        assert answer == ElicitationAnswer("accept", content)


async def test_a_form_is_declined_or_left(play: Play) -> None:
    async with play() as stage:
        field = FormField(name="n", label="Name")
        for key, action in (("ctrl+r", "decline"), ("escape", "cancel")):
            task = elicited(stage, field)
            await dialog(stage, FormDialog)
            await stage.press(key)
            answer = await asyncio.wait_for(task, 5)
            assert answer.action == action


async def test_questions_come_one_after_the_other(play: Play) -> None:
    async with play() as stage:
        first = elicited(stage, FormField(name="a", label="First"))
        await dialog(stage, FormDialog)
        second = elicited(stage, FormField(name="b", label="Second"))
        await stage.press("escape")
        await asyncio.wait_for(first, 5)
        await stage.sees("Second")
        second.cancel()
        await stage.until(lambda: stage.app.screen is stage.chat, "it is withdrawn")


async def test_an_address_is_shown_and_opened_only_after_a_yes(
    play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    monkeypatch.setattr("webbrowser.open", lambda url: opened.append(url) or True)
    url = "http://127.0.0.1:9/authorize?x=[b]"
    async with play() as stage:
        question = SignInQuestion(server="own", url=url)
        for key, agreed in (("2", False), ("escape", False), ("1", True)):
            task = asyncio.create_task(stage.app.servers._sign_in(question))
            await dialog(stage, VisitDialog)
            await stage.sees(url)
            await stage.press(key)
            assert await asyncio.wait_for(task, 5) is agreed
            assert opened == [url] * agreed
        task = elicited(stage, url=url)
        await dialog(stage, VisitDialog)
        await stage.press("1")
        answer = await asyncio.wait_for(task, 5)
        assert answer == ElicitationAnswer("accept")


async def test_progress_stands_on_the_card(play: Play, folder: Path) -> None:
    named(folder, own=own_server())
    async with play(Options(model="demo-fast", allow_tools=("own__wait",))) as stage:
        await ready(stage)
        stage.server.script(tools(("own__wait", "{}")))
        await stage.send("wait")
        await stage.sees("25% a quarter")
        stage.session.engine.stop()
        await stage.idle()


async def test_all_of_a_trust_question_is_on_a_small_screen(play: Play, folder: Path) -> None:
    names = [f"CHATGLASS_TEST_{number}" for number in range(30)]
    entry = {"command": "x\x1b[31m", "env": {name: f"${{{name}}}" for name in names}}
    project(folder, **{"[b]own": entry})
    async with play(size=(80, 24)) as stage:
        await dialog(stage, TrustDialog)
        await stage.sees("3  Never")
        assert "names servers that would run" in stage.screen_text
        await stage.press("shift+tab")
        await stage.sees("▐ ▌ CHATGLASS_TEST_9 ")
        await stage.press("space")
        await stage.sees("▐✓▌ CHATGLASS_TEST_9 ")
        await stage.press("escape")
        await stage.until(lambda: stage.app.screen is stage.chat)


async def test_schemas_stay_while_servers_do(play: Play, folder: Path) -> None:
    named(folder, own=own_server())
    async with play(Options(model="demo-fast", allow_tools=("own__echo", "own__grow"))) as stage:
        await ready(stage)
        before = stage.app.workspace.tools.schemas()
        await stage.ask("one", tools(("own__echo", '{"text": "a"}')), "done")
        assert stage.app.workspace.tools.schemas() == before
        await stage.ask("two", tools(("own__grow", "{}")), "done")
        await stage.until(lambda: len(stage.app.workspace.tools.schemas()) == len(before) + 1)


async def test_what_changed_is_not_started_again_unasked(play: Play, folder: Path) -> None:
    script = folder / "project" / "server.py"
    source = OWN_SERVER.read_text(encoding="utf-8")
    script.write_text(source, encoding="utf-8")
    project(folder, own={"command": sys.executable, "args": ["server.py"]})
    async with play() as stage:
        await dialog(stage, TrustDialog)
        await stage.sees("server.py  ")
        await stage.press("1")
        await ready(stage)
        assert [one for one in stage.app.workspace.tools.specs() if one.server]
        script.write_text(source + "# another\n", encoding="utf-8")
        await stage.command("/mcp")
        await stage.press("r")
        await stage.told("changed since it was trusted")
        assert not [one for one in stage.app.workspace.tools.specs() if one.server]
        await stage.press("r")
        await dialog(stage, TrustDialog)
        await stage.sees("Changed since you trusted it:")
