"""From the session browser into a session, at the message that was found."""

from __future__ import annotations

from pathlib import Path

from chatglass.config.options import Options
from chatglass.models.demo import DemoServer
from chatglass.tui.screens.chat_screen import ChatScreen
from chatglass.tui.sessions.screen import SessionsScreen
from chatglass.tui.transcript.items import AnswerItem, Item, PromptItem
from tui.conftest import Play
from tui.stage import Stage, staged, tools

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


async def test_the_match_is_marked_in_the_transcript(play: Play) -> None:
    async with play() as stage:
        far = "\n\n".join(f"line {number}" for number in range(60))
        await stage.ask(
            "tell me", f"{far}\n\nhere a zebra stands\n\n{far}\n\none more zebra\n\n{far}"
        )
        await stage.ask("and a zebra?", "no ZEBRA here")
        other = stage.session
        await stage.press("ctrl+n")
        await stage.until(lambda: stage.session is not other)
        screen = await browse(stage, "zebra stands")
        assert screen.listing.found.refs
        await enter(stage)
        await stage.until(lambda: stage.session is other)
        await stage.sees("here a zebra stands")
        await stage.sees("match 1 of 5")
        assert stage.focused(stage.chat.transcript)
        transcript = stage.chat.transcript
        look = transcript._look
        assert look is not None
        found = look.found_current.bgcolor
        marked = [
            text
            for strip in stage.app.screen._compositor.render_strips()
            for text, style, _ in strip
            if style and style.bgcolor == found
        ]
        assert "zebra" in "".join(marked)
        await stage.press("n", "n")
        await stage.sees("one more zebra")
        await stage.press("escape")
        await stage.until(lambda: "match" not in stage.screen_text)


async def test_a_match_in_a_result_points_at_its_call(play: Play, folder: Path) -> None:
    (folder / "project" / "two.txt").write_text("an okapi in a file")
    async with play() as stage:
        calls = tools(("read_file", '{"path": "one.txt"}'), ("read_file", '{"path": "two.txt"}'))
        await stage.ask("read both", calls, "I have read them.")
        other = stage.session
        await stage.press("ctrl+n")
        await stage.until(lambda: stage.session is not other)
        await browse(stage, "okapi")
        await enter(stage)
        await stage.until(lambda: stage.session is other)
        wanted = list(other.view.calls)[1]
        await stage.until(lambda: stage.chat.inspector.chosen == wanted)
        selected = stage.chat.transcript.selected
        assert selected is not None
        assert (selected.kind, selected.key) == ("card", wanted)
        assert stage.chat.inspector.section == "result"
        await stage.sees("an okapi in a file")
