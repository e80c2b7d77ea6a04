"""Several sessions: switching, marks, renaming, deleting, resuming, another process."""

from __future__ import annotations

import os
from pathlib import Path

from chatglass.config.options import Options
from chatglass.models.demo import DemoServer, Reply
from chatglass.tui.sessions.screen import SessionsScreen
from tui.conftest import Play
from tui.stage import Stage, staged, tools


async def open_other(stage: Stage) -> None:
    """Leave the session on screen for a new one."""
    first = stage.session.id
    await stage.press("ctrl+n")
    await stage.until(lambda: stage.app.current is not None and stage.session.id != first)


async def test_a_session_goes_on_while_another_is_on_screen(play: Play) -> None:
    async with play() as stage:
        stage.server.script(
            Reply(text="a **long** answer in the back", gates={5: "more"}),
        )
        await stage.send("work on")
        await stage.sees("a long")
        first = stage.session
        await open_other(stage)
        assert not stage.chat.transcript.items
        stage.server.gate("more").set()
        await stage.until(lambda: first.engine.state == "idle" and not first.inbox)
        await stage.told("work on has finished. Alt+1 shows it.")
        await stage.ask("here", "an answer here")
        await stage.app.open_session(first.engine.context.session)
        await stage.sees("a long answer in the back")
        live = list(stage.chat.transcript.items)
        await stage.chat.reload(stage.session)
        again = list(stage.chat.transcript.items)
        assert [item.text for item in live] == [item.text for item in again]


async def test_the_list_marks_what_works_and_asks_while_it_is_open(play: Play) -> None:
    async with play() as stage:
        await stage.ask("first session", "ok")
        stage.server.script(
            Reply(calls=tools(("run_command", '{"command": "echo hi"}')).calls, gates={-1: "go"}),
            "done",
        )
        await stage.send("run it")
        await stage.until(lambda: stage.session.working)
        await stage.press("ctrl+s")
        screen = stage.app.screen
        assert isinstance(screen, SessionsScreen)
        await stage.until(lambda: screen.session_list.running == {stage.session.id})
        stage.server.gate("go").set()
        await stage.until(lambda: screen.session_list._asking == {stage.session.id})
        await stage.press("escape")
        await stage.press("escape")
        await stage.until(lambda: not stage.session.working)


async def test_drafts_belong_to_their_session(play: Play) -> None:
    async with play() as stage:
        await stage.ask("one", "ok")
        first = stage.session
        stage.chat.composer.insert("draft of one")
        await open_other(stage)
        assert stage.draft == ""
        stage.chat.composer.insert("draft of two")
        await stage.app.open_session(first.engine.context.session)
        await stage.pilot.pause()
        assert stage.draft == "draft of one"


async def test_rename_from_the_composer_and_the_list(play: Play) -> None:
    async with play() as stage:
        await stage.ask("a question", "ok")
        await stage.command("/rename A better title")
        await stage.sees("A better title")
        await stage.press("ctrl+s")
        await stage.sees("1")
        await stage.sees("A better title")
        await stage.press("f2")
        await stage.press("ctrl+u")
        await stage.type("third")
        await stage.press("enter")
        await stage.until(lambda: stage.session.title == "third")


async def test_deleting_the_session_on_screen_opens_a_new_one(play: Play) -> None:
    async with play() as stage:
        await stage.ask("a question", "ok")
        gone = stage.session.id
        await stage.press("ctrl+s")
        screen = stage.app.screen
        await stage.sees("a question")
        screen.session_list.focus()
        await stage.press("delete")
        await stage.sees("deleted")
        await stage.press("escape")
        await stage.until(lambda: stage.app.current is not None and stage.session.id != gone)
        assert not stage.chat.transcript.items
        await stage.ask("on", "it goes")
        assert stage.answers[-1].text == "it goes"


async def test_resume_shows_what_was_there(play: Play, folder: Path, server: DemoServer) -> None:
    async with play() as stage:
        await stage.ask("6 * 7?", tools(("calculate", '{"expression": "6*7"}')), "It is 42.")
        await stage.command("/temperature 0.5")
        stage.chat.composer.insert("not sent")
        session_id = stage.session.id
        total = stage.session.stats.total_tokens
    (words,) = stage.app.last_words
    assert words.endswith(f"chatglass -r {session_id}")
    assert total == server.reported.prompt_tokens + server.reported.completion_tokens
    for options in (
        Options(model="demo-fast", resume=session_id),
        Options(model="demo-fast", continue_newest=True),
    ):
        async with staged(folder, server, options) as again:
            await again.sees("It is 42.")
            await again.sees("✓ calculate")
            assert again.draft == "not sent"
            assert again.session.engine.context.session.parameters.temperature == 0.5
            await again.until(lambda again=again: again.chat.meter.stats.total_tokens == total)


async def test_a_session_that_another_process_holds_is_read_only(
    play: Play, folder: Path, server: DemoServer
) -> None:
    async with play() as stage:
        await stage.ask("a question", "ok")
        session_id = stage.session.id
        async with staged(
            folder, server, Options(model="demo-fast", resume=session_id), ready=False
        ) as other:
            # The same process: make the claim look like that of another living one.
            await other.until(lambda: other.app.current is not None)
            if other.session.engine.holder is None:
                return
            await other.sees("read-only")
            await other.send("can I?")
            await other.told(f"process {os.getpid()}")
            assert other.draft == "can I?"
