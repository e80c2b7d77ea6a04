"""When the user is called: by the focus, by the length of the turn, by what is asked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from textual import events

from chatglass.models.demo.script import Call, Reply
from chatglass.tui.notify.attention import QUIET_SECONDS, Attention
from tui.conftest import *  # noqa: F403
from tui.conftest import Play
from tui.stage import Stage


def ears(stage: Stage, monkeypatch: pytest.MonkeyPatch, environ: dict[str, str]) -> list[str]:
    """What is written to call the user."""
    written: list[str] = []
    driver = stage.app._driver
    assert driver is not None
    monkeypatch.setattr(driver, "write", written.append)
    stage.app.attention = Attention(stage.app, environ=environ)
    return written


def calls(written: list[str]) -> list[str]:
    return [text for text in written if "\a" in text or "\x1b]9;" in text]


@pytest.fixture
def impatient(folder: Path) -> None:
    with (folder / "config.toml").open("a") as file:
        file.write("\n[notify]\nmin_seconds = 0\n")


@pytest.mark.usefixtures("impatient")
async def test_the_end_of_a_turn_rings_while_nobody_looks(
    play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with play() as stage:
        written = ears(stage, monkeypatch, {"TERM": "xterm"})
        await stage.ask("hello", "the answer")
        assert calls(written) == []
        stage.app.post_message(events.AppBlur())
        await stage.ask("hello", "another answer")
        await stage.until(lambda: calls(written) == ["\a"])
        stage.app.post_message(events.AppFocus())
        await stage.ask("hello", "a third answer")
        assert calls(written) == ["\a"]


async def test_a_short_turn_calls_nobody_and_a_failure_does(
    play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with play() as stage:
        written = ears(stage, monkeypatch, {"TERM_PROGRAM": "iTerm.app"})
        stage.app.post_message(events.AppBlur())
        await stage.ask("hello", "the answer")
        assert calls(written) == []
        stage.server.script(Reply(status=401, body="{}"))
        await stage.send("hello")
        await stage.until(lambda: calls(written))
        [told] = calls(written)
        assert told == "\x1b]9;chatglass: hello: The turn failed.\x1b\\"


async def test_a_question_calls_once(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    async with play() as stage:
        written = ears(stage, monkeypatch, {"TERM_PROGRAM": "iTerm.app"})
        stage.app.post_message(events.AppBlur())
        run = Call(name="run_command", arguments='{"command": "true"}')
        stage.server.script(Reply(calls=(run,)), Reply(text="done"))
        await stage.send("hello")
        await stage.until(lambda: calls(written))
        assert [text for text in calls(written) if "asks about a tool call" in text] == [
            "\x1b]9;chatglass: hello: It asks about a tool call.\x1b\\"
        ]


def test_without_focus_reports_a_minute_of_quiet_counts() -> None:
    now = [0.0]
    app: Any = None
    attention = Attention(app, environ={}, clock=lambda: now[0])
    assert attention.is_looked_at
    now[0] = QUIET_SECONDS + 1
    assert not attention.is_looked_at
    attention.key()
    assert attention.is_looked_at
    attention.focus(False)
    assert not attention.is_looked_at
