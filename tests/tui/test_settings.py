"""What a session sends and how the screen looks: model, parameters, theme, files, clipboard."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from chatglass.config.options import Options
from chatglass.models.demo import DemoServer
from chatglass.tui.dialogs.dialogs import ChoiceDialog, TextDialog
from tui.conftest import Play
from tui.stage import Stage, staged


def last_body(stage: Stage) -> dict[str, object]:
    return json.loads(stage.server.requests[-1].body)


async def test_the_model_can_be_typed_and_each_message_remembers_its_own(play: Play) -> None:
    async with play() as stage:
        await stage.ask("one", "first")
        await stage.command("/model demo-reasoning")
        await stage.sees("demo-reasoning ·")
        await stage.ask("two", "second")
        assert last_body(stage)["model"] == "demo-reasoning"
        assert [answer.model for answer in stage.answers] == ["demo-fast", "demo-reasoning"]


async def test_the_picker_lists_what_endpoints_have_and_their_errors(
    play: Play, folder: Path
) -> None:
    (folder / "config.toml").write_text(
        '[endpoints.dead]\nbase_url = "http://127.0.0.1:9/v1"\n'
        '[endpoints.named]\nbase_url = "http://127.0.0.1:9/v1"\nmodels = ["gemma3:13b"]\n',
        encoding="utf-8",
    )
    async with play() as stage:
        await stage.press("f3")
        await stage.until(lambda: isinstance(stage.app.screen, ChoiceDialog))
        await stage.sees("gemma3:13b")
        await stage.sees("demo-reasoning")
        await stage.sees("no models")
        await stage.type("gemma3")
        await stage.press("enter")
        await stage.until(lambda: stage.session.engine.context.model.model == "gemma3:13b")
        assert stage.session.engine.context.model.endpoint == "named"
        await stage.press("f3")
        await stage.type("named/mistral:7b")
        await stage.press("enter")
        await stage.until(lambda: stage.session.engine.context.model.model == "mistral:7b")
        await stage.command("/model demo/demo-fast")
        await stage.sees("demo, costs nothing")
        await stage.ask("hello there")
        assert stage.answers[-1].status == "complete"


async def test_parameters_are_sent_and_kept_by_the_session(play: Play) -> None:
    async with play() as stage:
        await stage.command("/system You are brief.")
        await stage.command("/temperature 0.25")
        await stage.command("/max-output 77")
        await stage.command("/effort low")
        await stage.told("Reasoning effort: low, in this session. reasoning_effort in config.toml")
        await stage.ask("hello", "hi")
        body = last_body(stage)
        assert body["messages"][0] == {"role": "system", "content": "You are brief."}
        assert body["temperature"] == 0.25
        assert 77 in (body.get("max_tokens"), body.get("max_completion_tokens"))
        assert body["reasoning_effort"] == "low"
        await stage.command("/temperature hot")
        await stage.told("from 0 to 2")
        assert stage.draft == "/temperature hot"  # to be mended
        await stage.press("ctrl+u")
        await stage.command("/temperature")
        await stage.until(lambda: isinstance(stage.app.screen, TextDialog))
        await stage.sees("0.25")
        await stage.press("ctrl+u", "enter")
        await stage.until(lambda: stage.app.screen is stage.chat)
        await stage.ask("hello", "hi")
        assert "temperature" not in last_body(stage)


async def test_a_theme_is_previewed_reverted_and_kept(play: Play, folder: Path) -> None:
    async with play() as stage:
        before = stage.app.theme
        await stage.command("/theme")
        await stage.until(lambda: isinstance(stage.app.screen, ChoiceDialog))
        await stage.press("down")
        await stage.until(lambda: stage.app.theme != before)
        await stage.press("escape")
        await stage.until(lambda: stage.app.theme == before)
        await stage.command("/theme chatglass-light")
        await stage.until(lambda: stage.app.theme == "chatglass-light")
        await stage.until((folder / "config.toml").exists)
        await stage.command("/theme nosuch")
        await stage.told("There is no theme")
    async with play() as stage:
        assert stage.app.theme == "chatglass-light"


async def test_an_unknown_theme_in_the_settings_is_told(play: Play, folder: Path) -> None:
    (folder / "config.toml").write_text('theme = "neon"\n', encoding="utf-8")
    async with staged(folder, DemoServer(), Options(model="demo-fast"), ready=False) as stage:
        await stage.until(lambda: stage.app._exit or any("neon" in toast for toast in stage.toasts))
        assert "neon" in (stage.app.start_error or " ".join(stage.toasts))


async def test_an_attached_file_is_sent_and_comes_back_with_an_edit(
    play: Play, folder: Path
) -> None:
    (folder / "project" / "notes.md").write_text("# The notes\n```\nx\n```\n", encoding="utf-8")
    async with play() as stage:
        await stage.type("read @not")
        await stage.sees("notes.md")
        await stage.press("enter")
        await stage.sees("[file: notes.md]")
        stage.server.script("read it")
        await stage.press("enter")
        await stage.sees("read it")
        await stage.idle()
        assert "# The notes" in stage.server.requests[-1].body.decode()
        assert stage.prompts[0].attachments == ("notes.md",)
        await stage.command("/edit")
        await stage.sees("[file: notes.md]")
        assert len(stage.chat.composer._folds.files(stage.chat.composer.area.text)) == 1
        stage.server.script("again")
        await stage.press("enter")
        await stage.sees("again")
        await stage.idle()
        assert stage.server.requests[-1].body.decode().count("# The notes") == 1


async def test_a_file_that_needs_a_question_asks_first(play: Play, folder: Path) -> None:
    (folder / "project" / ".env").write_text("SECRET=1\n", encoding="utf-8")
    async with play() as stage:
        stage.chat.composer.attach(folder / "project" / ".env")
        await stage.sees("Attach this file?")
        await stage.press("enter")
        await stage.until(lambda: stage.app.screen is stage.chat)
        assert stage.draft == ""
        stage.chat.composer.attach(folder / "project" / ".env")
        await stage.sees("Attach this file?")
        await stage.press("y")
        await stage.sees("[file: .env]")


async def test_copying_fills_the_clipboard_tool_and_says_so(
    play: Play, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tool = folder / "bin" / "xclip"
    tool.parent.mkdir()
    tool.write_text(f'#!/bin/sh\ncat > "{folder}/clipboard"\n', encoding="utf-8")
    tool.chmod(0o700)
    import os

    monkeypatch.setenv("PATH", f"{tool.parent}:{os.environ['PATH']}")
    async with play() as stage:
        await stage.ask("hello", "the answer")
        written: list[str] = []
        driver = stage.app._driver
        assert driver is not None
        monkeypatch.setattr(driver, "write", written.append)
        await stage.command("/copy")
        await stage.told("was sent to the terminal's clipboard")
        encoded = base64.b64encode(b"the answer").decode()
        assert any(f"52;c;{encoded}" in text for text in written)
        monkeypatch.setenv("DISPLAY", ":0")
        await stage.command("/copy")
        await stage.told("was copied with xclip")
        assert (folder / "clipboard").read_text(encoding="utf-8") == "the answer"
        tool.write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")
        await stage.command("/copy")
        await stage.until(lambda: "sent to the terminal" in stage.toasts[-1])


async def test_the_meter_equals_what_the_server_reported(play: Play) -> None:
    async with play() as stage:
        for number in range(3):
            await stage.ask(f"question {number}", f"answer {number}")
        reported = stage.server.reported
        total = reported.prompt_tokens + reported.completion_tokens
        await stage.until(lambda: stage.chat.meter.stats.total_tokens == total)
        await stage.sees(f"{total:,}")
