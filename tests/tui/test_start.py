"""Starting: what is typed early, the demo, and starts that fail."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from chatglass.config.options import Options
from chatglass.models.demo import DemoServer
from chatglass.tui import loading
from tui.conftest import Play
from tui.stage import staged


@pytest.fixture
def held_start(monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """The workspace is not opened before this is set."""
    gate = asyncio.Event()
    from chatglass.chat.workspace import Workspace

    opened = Workspace.open

    async def wait(self: Workspace) -> None:
        await gate.wait()
        await opened(self)

    monkeypatch.setattr(Workspace, "open", wait)
    return gate


async def test_a_prompt_sent_before_the_workspace_is_ready_waits_and_is_answered(
    play: Play, held_start: asyncio.Event
) -> None:
    async with play(ready=False) as stage:
        stage.server.script("first answer", "second answer")
        await stage.until(lambda: stage.chat.composer.area.has_focus)
        await stage.send("early")
        await stage.send("earlier than late")
        await stage.sees("waits for the engine")
        assert [prompt.state for prompt in stage.prompts] == ["waiting", "waiting"]
        held_start.set()
        await stage.sees("second answer")
        await stage.idle()
        assert [item.text for item in stage.chat.transcript.items] == [
            "early",
            "first answer",
            "earlier than late",
            "second answer",
        ]


async def test_what_is_typed_while_it_starts_stays(play: Play, held_start: asyncio.Event) -> None:
    async with play(ready=False) as stage:
        await stage.until(lambda: stage.chat.composer.area.has_focus)
        await stage.type("typed early")
        held_start.set()
        await stage.idle()
        assert stage.draft == "typed early"


async def test_leaving_while_it_starts_keeps_what_was_sent_and_typed(
    play: Play, folder: Path, server: DemoServer, held_start: asyncio.Event
) -> None:
    async with play(ready=False) as stage:
        await stage.until(lambda: stage.chat.composer.area.has_focus)
        await stage.send("sent early")
        await stage.type("typed")
        leaving = asyncio.create_task(stage.app.leave())
        await asyncio.sleep(0)
        held_start.set()
        await leaving
    assert any("chatglass -r " in words for words in stage.app.last_words)
    async with staged(folder, server, Options(model="demo-fast", continue_newest=True)) as again:
        assert again.draft == "typed"
        assert [prompt.text for prompt in again.prompts] == ["sent early"]
        await again.sees("1 queued: Enter sends")


async def test_without_an_endpoint_the_demo_opens_and_says_so(
    play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_BASE_URL")
    monkeypatch.delenv("OPENAI_API_KEY")
    for size in ((80, 24), (120, 40)):
        async with play(Options(model="demo-fast"), size=size) as stage:
            await stage.sees("This is the built-in demo")
            await stage.sees("it costs nothing")
            await stage.command("hello")
            await stage.until(lambda: stage.answers)
            await stage.idle()
            await stage.sees("demo")
            await stage.sees("free")


async def test_a_start_that_fails_says_why(folder: Path, server: DemoServer) -> None:
    (folder / "config.toml").write_text('them = "x"\n', encoding="utf-8")
    async with staged(folder, server, ready=False) as stage:
        await stage.until(lambda: stage.app._exit)
    assert stage.app.return_code == 2
    assert stage.app.start_error is not None
    assert "config.toml" in stage.app.start_error
    assert "theme" in stage.app.start_error


async def test_a_wrong_key_in_the_settings_is_an_error_of_usage(
    folder: Path, server: DemoServer
) -> None:
    (folder / "config.toml").write_text('[keys]\n"view.sidebr" = "f9"\n', encoding="utf-8")
    async with staged(folder, server, ready=False) as stage:
        await stage.until(lambda: stage.app._exit)
    assert stage.app.return_code == 2
    assert "view.sidebar" in (stage.app.start_error or "")


async def test_a_damaged_store_is_said_and_not_touched(folder: Path, server: DemoServer) -> None:
    store = folder / "data" / "sessions.sqlite3"
    store.parent.mkdir()
    store.write_bytes(b"not a database at all " * 100)
    before = store.read_bytes()
    async with staged(folder, server, ready=False) as stage:
        await stage.until(lambda: stage.app._exit)
    assert stage.app.return_code == 1
    assert str(store) in (stage.app.start_error or "")
    assert "--no-save" in (stage.app.start_error or "")
    assert store.read_bytes() == before


async def test_a_data_folder_that_can_not_be_made_is_said(folder: Path, server: DemoServer) -> None:
    (folder / "data").write_text("a file", encoding="utf-8")
    async with staged(folder, server, ready=False) as stage:
        await stage.until(lambda: stage.app._exit)
    assert stage.app.return_code in (1, 2)
    assert "--no-save" in (stage.app.start_error or "")


async def test_an_unforeseen_failure_ends_the_start_with_its_name(
    folder: Path, server: DemoServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> None:
        raise ZeroDivisionError("unforeseen")

    monkeypatch.setattr(loading, "import_engine", broken)
    async with staged(folder, server, ready=False) as stage:
        await stage.until(lambda: stage.app._exit)
    assert stage.app.return_code == 1
    assert "ZeroDivisionError: unforeseen" in (stage.app.start_error or "")


async def test_resume_of_an_unknown_session_is_an_error_of_usage(
    folder: Path, server: DemoServer
) -> None:
    async with staged(folder, server, Options(resume="nosuch"), ready=False) as stage:
        await stage.until(lambda: stage.app._exit)
    assert stage.app.return_code == 2
    assert "nosuch" in (stage.app.start_error or "")


async def test_resume_without_an_id_opens_the_list(folder: Path, server: DemoServer) -> None:
    async with staged(folder, server, Options(model="demo-fast", resume="")) as stage:
        await stage.sees("Sessions")
        await stage.until(lambda: stage.app.screen is not stage.chat)


async def test_the_prompt_of_the_command_line_is_sent_once_there_is_a_session(play: Play) -> None:
    async with play(Options(text="from the shell"), ready=False) as stage:
        stage.server.script("an answer")
        await stage.sees("an answer")
        await stage.idle()
        assert [prompt.state for prompt in stage.prompts] == ["sent"]
        assert stage.draft == ""


async def test_beside_what_was_typed_already_it_waits(
    play: Play, held_start: asyncio.Event
) -> None:
    async with play(Options(text="from the shell"), ready=False) as stage:
        await stage.until(lambda: stage.chat.composer.area.has_focus)
        await stage.type("typed early")
        held_start.set()
        await stage.told("Enter sends both")
        assert stage.draft == "from the shell\n\ntyped early"
        assert stage.prompts == []


async def test_the_welcome_says_that_the_key_is_missing(
    play: Play, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "config.toml").write_text(
        'endpoint = "work"\n[endpoints.work]\nbase_url = "http://127.0.0.1:9/v1"\n'
        'api_key_env = "WORK_KEY"\nmodels = ["one"]\n',
        encoding="utf-8",
    )
    async with play(Options()) as stage:
        await stage.sees("WORK_KEY is not set: work gets no key.")
    monkeypatch.setenv("WORK_KEY", "sk-a-key")
    async with play(Options()) as stage:
        await stage.sees("Write a message below.")
        assert "is not set" not in stage.screen_text


async def test_a_wrong_key_name_is_said_with_its_file(play: Play, folder: Path) -> None:
    file = folder / "config.toml"
    file.write_text('[keys]\n"sesions.open" = "x"\n', encoding="utf-8")
    async with play(Options(config=str(file)), ready=False) as stage:
        error = stage.app.start_error
        assert error is not None
        assert str(file) in error
        assert "Did you mean session" in error
