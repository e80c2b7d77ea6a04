"""Tool calls in the whole app: the timeline of a turn, running again, comparing, copying."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path

import pytest
from textual.binding import Binding

from chatglass.chat.calls.rerun_row import RerunRow
from chatglass.models.demo import Reply
from chatglass.tui.actions.registry import ACTIONS
from chatglass.tui.dialogs.dialogs import ChoiceDialog, TextDialog
from chatglass.tui.inspector.compare_screen import CompareScreen
from chatglass.tui.inspector.screen import InspectorScreen
from tui.conftest import Play
from tui.stage import Stage, tools


async def asked_and_ran(stage: Stage, command: str = "echo one") -> None:
    """A turn in which the user let a command run."""
    stage.server.script(tools(("run_command", json.dumps({"command": command}))), "done")
    await stage.send("go")
    await answer(stage)
    await stage.idle()


async def answer(stage: Stage, key: str = "1") -> None:
    """Answer the question on screen."""
    panel = stage.chat.approvals
    await stage.until(lambda: panel.panel.waiting, "a question")
    panel.panel.deafness.clock = lambda: float("inf")
    panel.panel.focus()
    await stage.press(key)


async def full_screen(stage: Stage) -> InspectorScreen:
    await stage.press("ctrl+o")
    await stage.until(lambda: isinstance(stage.app.screen, InspectorScreen), "the inspector")
    screen = stage.app.screen
    assert isinstance(screen, InspectorScreen)
    await stage.until(lambda: screen.inspector.detail.call is not None, "a call")
    return screen


async def comparison(stage: Stage) -> CompareScreen:
    await stage.until(lambda: isinstance(stage.app.screen, CompareScreen), "the comparison")
    assert isinstance(stage.app.screen, CompareScreen)
    return stage.app.screen


async def ended(stage: Stage, screen: CompareScreen) -> None:
    await stage.until(lambda: screen.right.finished_at is not None, "the end of the rerun")
    await stage.until(
        lambda: all(w.is_finished for w in stage.app.workers if w.group == "compare"), "the diff"
    )


async def test_the_timeline_of_a_turn_beside_and_over_the_chat(folder: Path, play: Play) -> None:
    async with play(size=(120, 40)) as stage:
        stage.server.script(
            tools(("calculate", '{"expression": "6*7"}'), ("current_time", "{}")), "42"
        )
        await stage.send("What is it?")
        await stage.idle()
        panel = stage.chat.inspector.calls_panel
        panel.focus_calls()
        await stage.press("t")
        await stage.sees("[timeline]")
        kinds = [line.id.partition(":")[0] for line in panel.timeline.lines]
        assert kinds[:2] == ["turn", "request"]
        assert kinds[-1] == "request", "the answer's own request"
        assert len(kinds) == 5
        assert not panel.timeline.is_live
        screen = await full_screen(stage)
        assert screen.inspector.calls_panel.view == "timeline", "the full screen shows the same"
        await stage.sees("model writes")
        assert "Esc Close" in stage.screen_text
        await stage.press("t", "escape")
        assert panel.view == "list"
    settings = (folder / "config.toml").read_text()
    assert 'inspector_view = "list"' in settings


async def test_the_form_of_the_calls_is_remembered(folder: Path, play: Play) -> None:
    (folder / "config.toml").write_text('inspector_view = "timeline"\n')
    async with play() as stage:
        assert stage.chat.inspector.calls_panel.view == "timeline"


async def test_a_running_call_grows_in_the_timeline(play: Play) -> None:
    async with play(size=(120, 40)) as stage:
        stage.chat.inspector.show_view("timeline")
        stage.server.script(Reply(text="one", gates={2: "go"}))
        await stage.send("hi")
        timeline = stage.chat.inspector.calls_panel.timeline
        await stage.until(lambda: timeline.is_live, "the request in flight")
        assert timeline._ticker is not None
        stage.server.gate("go").set()
        await stage.idle()
        await stage.until(lambda: not timeline.is_live, "its end")
        assert timeline._ticker is None


async def test_run_again_shows_what_differs_and_sends_only_when_asked(play: Play) -> None:
    async with play(size=(120, 40)) as stage:
        notes = Path.cwd() / "notes.txt"
        notes.write_text("alpha\nbeta\n")
        await stage.ask("read", tools(("read_file", '{"path": "notes.txt"}')), "read it")
        notes.write_text("alpha\ngamma\n")
        requests = stage.server.received
        await full_screen(stage)
        await stage.press("r")
        screen = await comparison(stage)
        await ended(stage, screen)
        await stage.sees("~ gamma")
        assert "~ beta" in stage.screen_text
        assert "result: 1 difference" in stage.screen_text
        assert isinstance(screen.right, RerunRow)
        await stage.press("escape")
        await stage.sees("✓↻read_file")
        assert len(stage.chat.inspector.calls) == 2
        stored = await stage.session.engine.context.store.tool_calls(stage.session.id)
        assert len(stored) == 1, "what the user ran again is not stored"
        inspector = stage.chat.calls.inspector
        inspector.open_call(screen.right.id)
        await stage.press("S")
        await stage.until(lambda: stage.app.screen is stage.chat, "the chat")
        assert "I ran `read_file` again" in stage.draft
        assert stage.server.received == requests, "nothing is sent before Enter"
        stage.server.script("I see gamma.")
        await stage.press("enter")
        await stage.idle()
        sent = json.loads(stage.server.requests[-1].body)["messages"][-1]
        assert "gamma" in json.dumps(sent["content"])


async def test_other_arguments_are_checked_and_asked_about(play: Play) -> None:
    async with play(size=(120, 40)) as stage:
        await asked_and_ran(stage)
        await full_screen(stage)
        await stage.press("r")
        screen = await comparison(stage)
        await ended(stage, screen)
        assert screen.right.decided_by.startswith("user"), "it was its own answer"
        assert not stage.session.approval.waiting
        await stage.press("R")
        await stage.until(lambda: isinstance(stage.app.screen, TextDialog), "the editor")
        dialog = stage.app.screen
        assert isinstance(dialog, TextDialog)
        dialog._field.text = '{"kommand": 1}'  # type: ignore[union-attr]
        await stage.press("ctrl+s")
        await stage.sees("Did you mean command?")
        dialog._field.text = '{"command": "echo two"}'  # type: ignore[union-attr]
        await stage.press("ctrl+s")
        await stage.until(lambda: stage.session.approval.waiting, "a question")
        asking = await comparison(stage)
        await stage.sees("waits for your answer below")
        assert asking.approval.display
        await answer(stage)
        await ended(stage, asking)
        await stage.sees("arguments: 1 difference")
        assert asking.right.state == "ok"
        result = await stage.chat.call_source.result(asking.right.id)
        assert result is not None
        assert "two" in result.produced


async def test_a_denial_ends_it_and_a_rerun_can_be_stopped(play: Play) -> None:
    async with play(size=(120, 40)) as stage:
        await asked_and_ran(stage, "sleep 0.01")
        screen = await full_screen(stage)
        origin = screen.inspector.detail.call
        assert origin is not None
        stage.chat.calls._start(stage.session, origin, '{"command": "echo no"}')
        denied = await comparison(stage)
        await answer(stage, "4")
        await ended(stage, denied)
        assert denied.right.state == "denied"
        stage.chat.calls._start(stage.session, origin, '{"command": "sleep 60"}')
        await stage.until(lambda: stage.session.approval.waiting, "a question")
        hanging = await comparison(stage)
        await answer(stage)
        await stage.until(lambda: hanging.right.state == "running", "it to run")
        hanging.view.focus()
        await stage.press("x")
        await ended(stage, hanging)
        assert hanging.right.state == "cancelled"


async def test_questions_of_a_turn_are_seen_over_the_chat_and_take_no_keys_there(
    play: Play,
) -> None:
    async with play(size=(120, 40)) as stage:
        await stage.ask("one", tools(("calculate", '{"expression": "1+1"}')), "two")
        screen = await full_screen(stage)
        stage.server.script(tools(("run_command", '{"command": "echo hi"}')), "done")
        await stage.session.engine.submit("go")
        stage.app.turns.drive(stage.session)
        await stage.until(lambda: screen.approval.waiting, "the question")
        assert screen.approval.display
        assert not screen.approval.has_focus
        await stage.press("1")
        assert stage.session.approval.waiting, "1 is a section here"
        await stage.press("f4")
        assert screen.approval.has_focus
        await answer(stage)
        await stage.idle()
        assert not stage.chat.approval.waiting


async def test_two_pinned_calls_are_compared(play: Play) -> None:
    async with play(size=(120, 40)) as stage:
        await stage.ask(
            "sums",
            tools(("calculate", '{"expression": "6*7"}'), ("calculate", '{"expression": "6*8"}')),
            "done",
        )
        screen = await full_screen(stage)
        screen.inspector.calls_panel.focus_calls()
        await stage.press("home", "p", "down", "p")
        compared = await comparison(stage)
        await stage.sees("result: 1 difference")
        assert '~   "expression": "6*7"' in stage.screen_text
        assert "~ 48" in stage.screen_text
        await stage.press("n")
        assert compared.view.current == 1
        await stage.pilot.resize_terminal(80, 24)
        await stage.sees("+ 48")
        assert "- 42" in stage.screen_text
        await stage.press("escape")
        assert isinstance(stage.app.screen, InspectorScreen)


async def test_a_call_is_copied_as_a_test_that_passes(
    play: Play, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with play(size=(120, 40)) as stage:
        await stage.ask("sum", tools(("calculate", '{"expression": "6*7"}')), "42")
        await full_screen(stage)
        copied: dict[str, str] = {}
        for what in ("arguments", "result", "call", "pytest"):
            await stage.press("c")
            await stage.until(lambda: isinstance(stage.app.screen, ChoiceDialog), "the choice")
            dialog = stage.app.screen
            assert isinstance(dialog, ChoiceDialog)
            dialog._list.select(what)
            before = stage.app.clipboard
            await stage.press("enter")
            await stage.until(lambda before=before: stage.app.clipboard != before, "the copy")
            copied[what] = stage.app.clipboard
        assert json.loads(copied["arguments"]) == {"expression": "6*7"}
        assert copied["result"] == "42"
        whole = json.loads(copied["call"])
        assert (whole["name"], whole["result"]["produced"]) == ("calculate", "42")
        assert whole["arguments"] == {"expression": "6*7"}
        (folder / "test_copied.py").write_text(copied["pytest"])
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_copied.py"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "2 passed" in done.stdout, done.stdout


async def test_every_key_of_the_comparison_works_there(play: Play) -> None:
    async with play(size=(120, 40)) as stage:
        await stage.ask("sum", tools(("calculate", '{"expression": "6*7"}')), "42")
        await full_screen(stage)
        await stage.press("r")
        screen = await comparison(stage)
        await ended(stage, screen)
        bound = {binding.key for binding in screen.BINDINGS if isinstance(binding, Binding)}
        for action in ACTIONS.at("compare"):
            assert ",".join(action.keys) in bound
        await stage.press("u", "n", "N")
        await stage.press("f1")
        await stage.sees("in a comparison of two calls")


async def test_words_find_calls_by_their_results(play: Play) -> None:
    async with play(size=(120, 40)) as stage:
        (Path.cwd() / "a.txt").write_text("a needle in the hay\n")
        await stage.ask(
            "read",
            tools(("read_file", '{"path": "a.txt"}'), ("calculate", '{"expression": "1+1"}')),
            "ok",
        )
        panel = stage.chat.inspector.calls_panel
        panel.set_filter("needle")
        await stage.until(lambda: panel.listed == 1, "the call")
        assert panel.call_list.calls[0].name == "read_file"
