"""`-c` opens the tabs again that were open in this directory."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import pytest

from chatglass.config.options import Options
from chatglass.models.demo import DemoServer
from chatglass.store.open_tabs import OpenTabs, OpenTabsFile
from tui.conftest import Play
from tui.stage import Stage, staged

AGAIN = Options(model=None, continue_newest=True)


def titles(stage: Stage) -> list[str]:
    return [tab.title for tab in stage.app.tabs.tabs()]


async def three(stage: Stage) -> None:
    for number, title in enumerate(("first", "second", "third")):
        if number:
            before = stage.session
            await stage.press("ctrl+n")
            await stage.until(
                lambda before=before: (
                    stage.session is not before and stage.session.engine.state == "idle"
                )
            )
        await stage.ask(title, "ok")


async def test_the_tabs_come_back_as_they_were(
    play: Play, folder: Path, server: DemoServer
) -> None:
    async with play() as stage:
        await three(stage)
        await stage.press("alt+2")
        stage.chat.composer.insert("a draft")
        await stage.app.leave()
        assert "To open its 3 tabs again: chatglass -c" in stage.app.last_words
    async with staged(folder, server, AGAIN) as again:
        await again.until(lambda: titles(again) == ["first", "second", "third"])
        assert again.session.title == "second"
        assert again.draft == "a draft"
        for number, text in ((1, "first"), (3, "third")):
            await again.press(f"alt+{number}")
            await again.until(lambda text=text: again.session.title == text)
            await again.until(lambda: again.session.engine.state == "idle")
            await again.ask("more", f"more of {text}")
        await again.command("/close")
        await again.until(lambda: titles(again) == ["first", "second"])
    async with staged(folder, server, AGAIN) as last:
        # The newest session is none of the tabs: it is what -c promises, and they stand beside it.
        await last.until(lambda: len(titles(last)) == 3)
        assert last.session.title == "third"


async def test_one_tab_the_setting_and_another_start_open_no_others(
    play: Play, folder: Path, server: DemoServer
) -> None:
    async with play() as stage:
        await three(stage)
    async with staged(folder, server, Options(model="demo-fast")) as other:
        # Nothing was begun in it, so what was open before is still to be had.
        assert titles(other) == ["New session"]
    (folder / "config.toml").write_text("restore_tabs = false\n", encoding="utf-8")
    async with staged(folder, server, AGAIN) as off:
        await off.idle()
        assert titles(off) == ["third"]
    (folder / "config.toml").write_text("", encoding="utf-8")
    async with staged(folder, server, AGAIN) as on:
        await on.until(lambda: len(titles(on)) == 3)
        await on.command("/close")
        await on.command("/close")
        await on.until(lambda: len(titles(on)) == 1)
    async with staged(folder, server, AGAIN) as one:
        await one.idle()
        assert titles(one) == ["third"]  # one tab was left, which is nothing to open again


async def test_what_is_written_last_is_what_was_open_at_the_end(
    play: Play, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep, slow, begun = OpenTabsFile.keep, threading.Event(), threading.Event()
    under_way: list[OpenTabs] = []

    def kept(file: OpenTabsFile, tabs: OpenTabs) -> None:
        assert not under_way, "two write at once"
        under_way.append(tabs)
        begun.set()
        slow.wait(10)
        keep(file, tabs)
        under_way.clear()

    async with play() as stage:
        await stage.ask("first", "ok")
        await stage.until(lambda: len(list(folder.rglob("*.json"))) > 0)
        monkeypatch.setattr(OpenTabsFile, "keep", kept)
        await stage.press("ctrl+n")
        await stage.ask("second", "ok")
        await stage.until(begun.is_set)
        leaving = asyncio.create_task(stage.app.tabs.kept.end())
        await asyncio.sleep(0)
        slow.set()
        await leaving
        assert not under_way


async def test_tabs_beyond_the_most_are_told_of(
    play: Play, folder: Path, server: DemoServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with play() as stage:
        await three(stage)
        await stage.app.leave()
    monkeypatch.setattr("chatglass.tui.tabs.kept_tabs.MOST", 2)
    async with staged(folder, server, AGAIN) as again:
        await again.told("1 more tab can be opened from the list of sessions (2 at once).")
