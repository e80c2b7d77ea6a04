"""Several sessions at once: each works for itself, and its tab says what it does."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from chuk_ai_session_manager.session_storage import get_backend
from textual import events

from chatglass.config.options import Options
from chatglass.models.demo import Reply
from chatglass.tui.dialogs.dialogs import ChoiceDialog, ConfirmDialog
from chatglass.tui.open_session import OpenSession
from chatglass.tui.sessions.screen import SessionsScreen
from chatglass.tui.tabs.tab import SIGNS
from tui.conftest import Play
from tui.stage import Stage, tools

ECHO = ("run_command", '{"command": "echo hi"}')


async def new_tab(stage: Stage) -> OpenSession:
    """Leave the session on screen for a new one that can answer."""
    before = stage.session
    await stage.press("ctrl+n")
    await stage.until(lambda: stage.session is not before and stage.session.engine.state == "idle")
    return stage.session


async def filled(stage: Stage, *titles: str) -> list[OpenSession]:
    """A tab for each title, with an answer in it; the last one is on screen."""
    found = [stage.session]
    for number, title in enumerate(titles):
        if number:
            found.append(await new_tab(stage))
        await stage.ask(title, f"answer to {title}")
    return found


def marks(stage: Stage) -> list[str]:
    return [tab.mark for tab in stage.app.tabs.tabs()]


def strip_line(stage: Stage) -> str:
    strip = stage.app.tabs.strip
    return "".join(piece.text for piece in strip.pieces()) if strip and strip.display else ""


@contextmanager
def counted_reads(stage: Stage) -> Iterator[Counter[str]]:
    """Calls of the store's methods that read rows of a session."""
    assert stage.app.workspace is not None
    store: Any = stage.app.workspace.store
    counts: Counter[str] = Counter()
    names = ("get_session", "path", "forks", "tool_calls", "requests", "compactions", "siblings")
    kept = {name: getattr(store, name) for name in names}

    def counting(name: str) -> Any:
        async def call(*args: Any, **named: Any) -> Any:
            counts[name] += 1
            return await kept[name](*args, **named)

        return call

    for name in names:
        setattr(store, name, counting(name))
    try:
        yield counts
    finally:
        for name, method in kept.items():
            setattr(store, name, method)


# -- working side by side


async def test_three_sessions_stream_at_once_and_their_figures_stay_apart(play: Play) -> None:
    async with play() as stage:
        sessions: list[OpenSession] = []
        for number in (1, 2, 3):
            if number > 1:
                await new_tab(stage)
            usage = {"prompt_tokens": 100 * number, "completion_tokens": number}
            usage["total_tokens"] = sum(usage.values())
            words = f"the answer of session {number} goes on"
            stage.server.script(Reply(text=words, gates={4: f"g{number}"}, usage=usage))
            await stage.send(f"prompt {number}")
            await stage.sees("the answer of")
            sessions.append(stage.session)
        assert all(session.working for session in sessions)
        assert marks(stage) == ["working"] * 3
        # They end in another order than they began; only the last is on screen.
        for number in (2, 1, 3):
            stage.server.gate(f"g{number}").set()
            await stage.until(lambda n=number: sessions[n - 1].engine.state == "idle")
        await stage.idle()
        assert marks(stage) == ["finished", "finished", ""]
        assert stage.app.workspace is not None
        for number, session in enumerate(sessions, 1):
            await stage.app.tabs.show(session)
            await stage.sees(f"the answer of session {number} goes on")
            expected = 101 * number
            await stage.until(lambda e=expected: stage.chat.meter.stats.total_tokens == e)
            rows = await stage.app.workspace.store.requests(session.id)
            assert [row.usage and row.usage.total_tokens for row in rows] == [expected]
            ledger = await session.engine.context.ledger.stats(
                session.engine.context.requests.figures.totals()
            )
            assert ledger is not None
            assert ledger.total_tokens == expected
            assert [item.text for item in stage.prompts] == [f"prompt {number}"]
        assert stage.server.reported.prompt_tokens == 600
        assert marks(stage) == ["", "", ""]


async def test_what_a_tab_asks_is_answered_only_in_it(play: Play) -> None:
    async with play() as stage:
        first, _ = await filled(stage, "first", "second")
        await stage.app.tabs.show(first)
        stage.server.script(Reply(calls=tools(ECHO).calls, gates={-1: "go"}), "it said hi")
        await stage.send("echo")
        await stage.until(lambda: first.working)
        await stage.press("f6")
        stage.server.gate("go").set()
        await stage.until(lambda: first.asking)
        assert marks(stage) == ["asking", ""]
        assert f"{SIGNS['asking']} first" in strip_line(stage)
        assert not stage.chat.approval.display
        await stage.press("1")  # a text, here
        assert first.asking
        assert stage.draft == "1"
        await stage.press("f4")
        await stage.until(lambda: stage.chat.approval.display, "the question in its tab")
        assert stage.session is first
        await stage.until(lambda: not stage.chat.approval.is_deaf)
        await stage.press("1")
        await stage.idle()
        assert stage.answers[-1].text == "it said hi"
        await stage.press("f6")
        assert not stage.chat.approval.display
        assert stage.draft == "1"


async def test_a_failed_turn_is_marked_until_it_is_seen(play: Play) -> None:
    async with play() as stage:
        first, second = await filled(stage, "first", "second")
        await stage.app.tabs.show(first)
        stage.server.script(Reply(text="half of", gates={2: "go"}, cut_before=3))
        await stage.send("fail")
        await stage.sees("half")
        await stage.app.tabs.show(second)
        stage.server.gate("go").set()
        await stage.until(lambda: marks(stage)[0] == "failed")
        assert f"{SIGNS['failed']} first" in strip_line(stage)
        await stage.app.tabs.show(first)
        assert marks(stage) == ["", ""]


# -- going from one to another


async def test_one_session_takes_no_line_and_two_take_one(play: Play) -> None:
    async with play(size=(80, 24)) as stage:
        await stage.ask("alone", "ok")
        assert stage.chat.top_line.region.y == 0
        await new_tab(stage)
        await stage.until(lambda: stage.chat.top_line.region.y == 1)
        assert strip_line(stage).startswith(" 1 alone  2 New session ×")
        await stage.command("/close")
        await stage.until(lambda: stage.chat.top_line.region.y == 0)


async def test_keys_and_commands_go_to_tabs(play: Play) -> None:
    async with play() as stage:
        one, two, three = await filled(stage, "one fish", "two fish", "red fish")
        for key, expected in (
            ("f6", one),
            ("f5", three),
            ("ctrl+pageup", two),
            ("ctrl+pagedown", three),
            ("alt+1", one),
            ("alt+2", two),
            ("alt+9", two),
        ):
            await stage.press(key)
            await stage.until(lambda e=expected: stage.session is e, key)
        await stage.told("There is no tab 9: 3 sessions are open.")
        await stage.command("/tab 1")
        await stage.until(lambda: stage.session is one)
        await stage.command("/tab RED")
        await stage.until(lambda: stage.session is three)
        await stage.command("/tab blue")
        await stage.told("No tab is called 'blue'")
        stage.chat.composer.clear()
        await stage.command("/tab")
        await stage.until(lambda: isinstance(stage.app.screen, ChoiceDialog))
        await stage.type("two")
        await stage.press("enter")
        await stage.until(lambda: stage.session is two)


async def test_the_mouse_goes_to_tabs_and_closes_them(play: Play) -> None:
    async with play() as stage:
        one, two, three = await filled(stage, "one", "two", "three")
        await stage.until(lambda: stage.app.tabs.strip is not None)
        strip = stage.app.tabs.strip
        assert strip is not None

        def at(session: OpenSession, kind: str = "tab") -> tuple[int, int]:
            pieces = strip.pieces()
            return next(p.x for p in pieces if p.session_id == session.id and p.kind == kind), 0

        await stage.pilot.click(strip, offset=at(one))
        await stage.until(lambda: stage.session is one)
        await stage.pilot.click(strip, offset=at(two), button=2)
        await stage.until(lambda: two.id not in stage.app.sessions)
        assert stage.session is one
        await stage.pilot._post_mouse_events([events.MouseScrollDown], strip, button=0)
        await stage.until(lambda: stage.session is three)
        await stage.pilot.hover(strip, offset=at(one))
        assert str(strip.tooltip) == "one"
        await stage.pilot.click(strip, offset=at(three, "close"))
        await stage.until(lambda: three.id not in stage.app.sessions)
        assert stage.session is one


async def test_a_tab_is_found_as_it_was_left_and_nothing_is_read_for_it(play: Play) -> None:
    async with play() as stage:
        long = "\n\n".join(f"paragraph {number}" for number in range(80))
        calls = tools(*[("calculate", f'{{"expression": "{n}+1"}}') for n in range(3)])
        await stage.ask("long one", calls, long)
        first = stage.session
        transcript, inspector = stage.chat.transcript, stage.chat.inspector
        transcript.focus()
        await stage.press("home", "]")
        transcript.scroll_lines(17)
        line, selected = transcript.bookmark(), transcript.selected
        assert line is not None
        assert selected is not None
        row_on_top = stage.screen_text.splitlines()[4]
        wanted = list(first.view.calls)[1]
        inspector.open_call(wanted, take_focus=False)
        stage.chat.composer.focus()
        await stage.press("up")
        assert stage.draft == "long one"
        await stage.press("left", "left")
        cursor = stage.chat.composer.area.cursor_location

        second = await new_tab(stage)
        await stage.ask("other", tools(("calculate", '{"expression": "1"}')), "short")
        assert transcript.following
        assert stage.chat.inspector.chosen in second.view.calls
        stage.chat.composer.insert("draft of the second")
        with counted_reads(stage) as reads:
            await stage.press("f5")
            assert stage.session is first
            assert (transcript.bookmark(), transcript.selected) == (line, selected)
            assert row_on_top in stage.screen_text
            assert inspector.chosen == wanted
            assert stage.draft == "long one"
            assert stage.chat.composer.area.cursor_location == cursor
            # Down from the recalled prompt is the text that was there before it: nothing.
            await stage.press("end", "down")
            assert stage.draft == ""
            await stage.press("f6")
            assert stage.draft == "draft of the second"
            await stage.pilot.pause()
        assert not reads
        assert first.view.pane is None
        assert set(transcript._items._views) <= {item.id for item in second.view.items}


async def test_the_sign_of_a_working_tab_moves_only_while_it_works(play: Play) -> None:
    async with play() as stage:
        first, _ = await filled(stage, "first", "second")
        strip = stage.app.tabs.strip
        assert strip is not None
        assert not strip.moves
        await stage.app.tabs.show(first)
        stage.server.script(Reply(text="one two", gates={2: "go"}))
        await stage.send("work")
        await stage.until(lambda: strip.moves)
        stage.server.gate("go").set()
        await stage.until(lambda: not strip.moves)


# -- opening and closing


async def test_new_sessions_and_saved_ones_open_in_tabs_of_their_own(play: Play) -> None:
    async with play() as stage:
        first, second = await filled(stage, "alpha question", "beta question")
        blank = await new_tab(stage)
        await stage.press("ctrl+n")
        await stage.told("This session is new already.")
        await stage.press("f5", "ctrl+n")
        assert stage.session is blank  # the empty tab there is, not one more
        await open_saved(stage, "alpha")
        await stage.until(lambda: stage.session is first)
        # Nobody misses a tab in which nothing was begun.
        assert stage.app.tabs.sessions == [first, second]
        await stage.command("/close")
        await stage.until(lambda: stage.app.tabs.sessions == [second])
        await stage.app.tabs.ended()
        await new_tab(stage)
        await stage.press("f5")
        await stage.press("f6")
        await open_saved(stage, "alpha")
        await stage.until(lambda: stage.session.id == first.id)
        assert stage.session is not first
        assert [session.id for session in stage.app.tabs.sessions] == [second.id, first.id]
        await stage.ask("more", "it goes on")


async def test_a_text_keeps_its_tab(play: Play) -> None:
    async with play() as stage:
        first = stage.session
        stage.chat.composer.insert("just typed")
        await stage.press("ctrl+n")
        await stage.until(lambda: stage.session is not first)
        assert stage.draft == ""
        await stage.press("f5")
        assert stage.session is first
        assert stage.draft == "just typed"


async def open_saved(stage: Stage, words: str) -> None:
    await stage.press("ctrl+s")
    await stage.until(lambda: isinstance(stage.app.screen, SessionsScreen))
    await stage.type(words)
    screen = stage.app.screen
    assert isinstance(screen, SessionsScreen)
    await stage.until(
        lambda: screen.session_list.chosen and words in screen.session_list.chosen.title
    )
    await stage.press("enter")
    await stage.until(lambda: stage.app.screen is stage.chat)


async def test_closing_asks_where_a_turn_runs_and_touches_no_other(play: Play) -> None:
    async with play() as stage:
        first, second = await filled(stage, "first", "second")
        stage.server.script(Reply(text="kept and lost", gates={2: "never"}))
        await stage.send("a")
        await stage.sees("kept")
        await stage.app.tabs.show(first)
        stage.server.script(Reply(text="both words", gates={2: "go"}))
        await stage.send("b")
        await stage.sees("both")
        await stage.app.tabs.show(second)
        await stage.press("f8")
        await stage.until(lambda: isinstance(stage.app.screen, ConfirmDialog))
        await stage.press("n")
        assert second.working
        await stage.press("f8", "y")
        await stage.until(lambda: stage.session is first)
        await stage.app.tabs.ended()
        assert second.engine.state == "closed"
        assert first.working
        stage.server.gate("go").set()
        await stage.idle()
        assert stage.answers[-1].text == "both words"
        # The claim and the ledger are let go; what came stays stored.
        assert stage.app.workspace is not None
        store = stage.app.workspace.store
        path = await store.path(second.id, (await store.get_session(second.id)).leaf_id)
        assert (path[-1].content.strip(), path[-1].status) == ("kept", "interrupted")
        assert not ledger_ids(second)
        left = ledger_ids(first)
        assert left
        assert left <= set(get_backend()._cache)  # pyright: ignore


def ledger_ids(session: OpenSession) -> set[str]:
    """What the library holds of a session in its memory."""
    ledger = session.engine.context.ledger
    return ledger._ids & set(get_backend()._cache)  # pyright: ignore


async def test_the_last_tab_is_replaced_by_a_new_session(play: Play) -> None:
    async with play() as stage:
        await stage.ask("only one", "ok")
        only = stage.session
        await stage.press("f8")
        await stage.until(lambda: stage.session is not only)
        assert stage.app.tabs.sessions == [stage.session]
        assert stage.session.is_blank
        await stage.press("f8")
        await stage.told("This is the only tab")
        await stage.until(lambda: stage.session.engine.state == "idle")
        await stage.ask("again", "it goes")


async def test_a_tab_can_be_closed_before_its_engine_has_started(play: Play) -> None:
    async with play() as stage:
        await stage.ask("first", "ok")
        await stage.press("ctrl+n")
        fresh = stage.session
        stage.chat.composer.insert("a draft that stays")
        await stage.press("f8")
        await stage.app.tabs.ended()
        assert fresh.engine.state == "closed"
        assert stage.app.workspace is not None
        row = await stage.app.workspace.store.get_session(fresh.id)
        assert row.draft == "a draft that stays"


@pytest.mark.parametrize("size", [(80, 24), (200, 60)])
async def test_many_tabs_fit_any_screen(play: Play, size: tuple[int, int]) -> None:
    async with play(Options(model="demo-fast"), size=size) as stage:
        await stage.ask("a rather long title number 0", "ok")
        for number in range(1, 12):
            await new_tab(stage)
            await stage.command(f"/rename a rather long title number {number}")
            await stage.until(lambda n=number: str(n) in stage.session.title)
        line = stage.screen_text.splitlines()[0]
        assert "12" in line
        await stage.press("alt+1")
        await stage.until(lambda: " 1 a rat" in stage.screen_text.splitlines()[0])
