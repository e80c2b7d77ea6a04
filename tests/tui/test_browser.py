"""From the session browser into a session, at the message that was found."""

from __future__ import annotations

from pathlib import Path

from chatglass.config.options import Options
from chatglass.models.demo import DemoServer
from chatglass.tui.screens.chat_screen import ChatScreen
from chatglass.tui.sessions.screen import SessionsScreen
from chatglass.tui.transcript.items import AnswerItem, Item, PromptItem
from tui.conftest import Play
from tui.stage import Stage, staged

LONG = "\n\n".join(f"paragraph {number}" for number in range(30))


async def browse(stage: Stage, text: str) -> SessionsScreen:
    """Open the browser and search; returns when the matches are listed."""
    await stage.press("ctrl+s")
    await stage.until(lambda: isinstance(stage.app.screen, SessionsScreen))
    screen = stage.app.screen
    assert isinstance(screen, SessionsScreen)
    await stage.until(lambda: screen._loaded == 2, "the list")
    screen._filter.value = text
    await stage.until(lambda: bool(screen.listing.found.refs), "matches")
    return screen


async def enter(stage: Stage) -> None:
    await stage.press("enter")
    await stage.until(lambda: isinstance(stage.app.screen, ChatScreen))


def top_item(stage: Stage) -> Item:
    viewport = stage.chat.transcript._items.viewport
    return stage.chat.transcript.items[viewport.item]


async def test_enter_scrolls_to_the_match(play: Play) -> None:
    async with play() as stage:
        await stage.ask("about zebras", LONG)
        for number in range(3):
            await stage.ask(f"next {number}", LONG)
        other = stage.session.id
        await stage.press("ctrl+n")
        await stage.until(lambda: stage.session.id != other)
        await stage.ask("something else", "yes")
        await browse(stage, "zebras")
        await enter(stage)
        await stage.until(lambda: stage.session.id == other)
        await stage.until(lambda: not stage.chat.transcript.following)
        item = top_item(stage)
        assert isinstance(item, PromptItem)
        assert item.text == "about zebras"

        await stage.press("end")
        await browse(stage, "next 1")
        await enter(stage)
        await stage.until(
            lambda: isinstance(item := top_item(stage), PromptItem) and item.text == "next 1",
            "the other match, of the session that is on screen",
        )


async def test_a_match_on_another_branch_brings_that_branch(play: Play) -> None:
    async with play() as stage:
        await stage.ask("question", "the zebra answer")
        stage.server.script("the other answer")
        await stage.command("/retry")
        await stage.sees("the other answer")
        await stage.idle()
        await browse(stage, "zebra")
        await enter(stage)
        await stage.sees("the zebra answer")
        assert [item.text for item in stage.answers] == ["the zebra answer"]


async def test_also_of_a_session_that_is_not_open(
    play: Play, folder: Path, server: DemoServer
) -> None:
    async with play() as stage:
        await stage.ask("question", "the zebra answer")
        stage.server.script("the other answer")
        await stage.command("/retry")
        await stage.sees("the other answer")
        await stage.idle()
    async with staged(folder, server, Options(model="demo-fast")) as stage:
        await browse(stage, "zebra")
        await enter(stage)
        await stage.sees("the zebra answer")
        assert [item.text for item in stage.answers if isinstance(item, AnswerItem)] == [
            "the zebra answer"
        ]


async def test_resume_without_an_id_browses_first(
    play: Play, folder: Path, server: DemoServer
) -> None:
    async with play() as stage:
        await stage.ask("an old one", "yes")
    options = Options(model="demo-fast", resume="")
    async with staged(folder, server, options, ready=False) as stage:
        await stage.until(lambda: isinstance(stage.app.screen, SessionsScreen))
        await stage.sees("an old one")
        await stage.press("escape")
        await stage.until(lambda: isinstance(stage.app.screen, ChatScreen))
        await stage.idle()
        await stage.ask("a new one", "here")
        assert stage.prompts[0].text == "a new one"


async def test_what_was_deleted_goes_with_the_program(
    play: Play, folder: Path, server: DemoServer
) -> None:
    async with play() as stage:
        await stage.ask("about zebras", "yes")
        await stage.press("ctrl+n")
        await stage.until(lambda: not stage.prompts)
        await stage.ask("about lions", "yes")
        screen = await browse(stage, "zebras")
        await stage.press("tab", "d")
        assert not screen.listing.rows
        await stage.app.leave()
    async with staged(folder, server, Options(model="demo-fast")) as stage:
        assert stage.app.workspace is not None
        assert await stage.app.workspace.store.search("zebras") == []
        assert len(await stage.app.workspace.store.search("lions")) >= 1
