"""The inspector by keys and messages, as the app drives it."""

from __future__ import annotations

import asyncio
import gc
import json
import warnings
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, get_args

import pytest
from textual.app import App, ComposeResult
from textual.geometry import Region
from textual.message import Message
from textual.pilot import Pilot

from chatglass.chat.call_round import CallRound
from chatglass.chat.call_schema import CallSchema
from chatglass.chat.call_tokens import CallTokens
from chatglass.store.protocol import StoreError
from chatglass.store.records import ToolCallRow, ToolCallState, ToolResult
from chatglass.tui.inspector.inspector import Inspector
from chatglass.tui.inspector.screen import InspectorScreen
from chatglass.tui.state_marks import STATE_MARKS

START = 1_700_000_000_000


def call(number: int, **changes: Any) -> ToolCallRow:
    """A finished call of `read_file`: approved after 0.1 s, queued 0.02 s, ran 0.3 s."""
    values: dict[str, Any] = {
        "id": f"call-{number}",
        "session_id": "session",
        "turn_id": "turn",
        "request_id": "request",
        "message_id": f"message-{number}",
        "call_id": f"call_{number}",
        "position": 0,
        "name": "read_file",
        "arguments": json.dumps({"path": f"src/file_{number}.py"}),
        "proposed_at": START,
        "decided_at": START + 100,
        "started_at": START + 120,
        "finished_at": START + 420,
        "state": "ok",
        "decided_by": "policy: inside the root",
        "result_bytes": 40,
        "seen_bytes": 40,
    }
    return ToolCallRow(**(values | changes))


def running(number: int, **changes: Any) -> ToolCallRow:
    values: dict[str, Any] = {
        "state": "running",
        "finished_at": None,
        "result_bytes": 0,
        "seen_bytes": 0,
    }
    return call(number, **(values | changes))


def screen_text(app: App[Any]) -> list[str]:
    """What stands on the screen, line by line."""
    strips = app.screen._compositor.render_strips()
    return [strip.text.rstrip() for strip in strips]


def part_of(app: App[Any], region: Region) -> str:
    lines = app.screen._compositor.render_strips()[region.y : region.bottom]
    return "\n".join(strip.crop(region.x, region.right).text.rstrip() for strip in lines)


class Loader:
    """A CallSource that reads results by a function."""

    def __init__(self, load: Callable[[str], Awaitable[ToolResult | None]]) -> None:
        self._load = load

    async def result(self, tool_call_id: str) -> ToolResult | None:
        return await self._load(tool_call_id)

    async def find_calls(self, words: str) -> frozenset[str]:
        return frozenset()

    async def round(self, call: ToolCallRow) -> CallRound:
        return CallRound(request=None, taken_back_by=None, before=())

    async def schema(self, call: ToolCallRow) -> CallSchema:
        return CallSchema(sent=None, spec=None)

    async def tokens(self, call: ToolCallRow, seen: str) -> CallTokens:
        return CallTokens(arguments=3, result=len(seen))


class InspectorApp(App[None]):
    """The inspector alone, with results from a dictionary."""

    def __init__(self, load: Callable[[str], Awaitable[ToolResult | None]] | None = None) -> None:
        super().__init__()
        self.results: dict[str, ToolResult] = {}
        self.loads: list[str] = []
        self.seen: list[Message] = []
        self.inspector = Inspector(Loader(load or self.load), now=lambda: START + 4_320)

    async def load(self, tool_call_id: str) -> ToolResult | None:
        self.loads.append(tool_call_id)
        return self.results.get(tool_call_id)

    def compose(self) -> ComposeResult:
        yield self.inspector

    def on_inspector_call_chosen(self, event: Inspector.CallChosen) -> None:
        self.seen.append(event)

    def on_inspector_copy_requested(self, event: Inspector.CopyRequested) -> None:
        self.seen.append(event)

    def on_inspector_jump_to_message(self, event: Inspector.JumpToMessage) -> None:
        self.seen.append(event)

    @property
    def text(self) -> str:
        return part_of(self, self.inspector.view.region)

    @property
    def note(self) -> str:
        return screen_text(self)[self.inspector.view.region.y - 1]


async def settle(pilot: Pilot[None], app: InspectorApp) -> None:
    async with asyncio.timeout(20):
        await pilot.pause()
        while any(not worker.is_finished for worker in app.workers):
            await pilot.pause(0.005)
        await pilot.pause()


async def test_states_are_told_by_sign_and_figures() -> None:
    app = InspectorApp()
    async with app.run_test(size=(60, 30)) as pilot:
        app.inspector.show_calls(
            [
                call(1, result_bytes=5_200_000),
                running(2),
                call(3, state="error"),
                call(4, state="denied", started_at=None, finished_at=None),
                running(5, state="asking", started_at=None),
                call(6, state="unknown", finished_at=None),
            ]
        )
        await settle(pilot, app)
        rows = part_of(app, app.inspector.call_list.region).splitlines()[:6]
        assert [row.split()[0] for row in rows] == ["✓", "●", "✗", "⊘", "○", "?"]
        assert rows[0].endswith("0.30 s   5.2 MB")
        assert rows[1].endswith("4.2 s")
        assert rows[3].endswith("denied")
        assert rows[4].endswith("asking")
        assert rows[5].endswith("unknown")
        assert "6 · 1 running · 1 asking" in screen_text(app)[-1]
        assert set(STATE_MARKS) == set(get_args(ToolCallState))


async def test_sections_by_number_arrow_and_mouse() -> None:
    app = InspectorApp()
    async with app.run_test(size=(70, 30)) as pilot:
        app.results["call-1"] = ToolResult('{"lines": 3}', "cut")
        app.inspector.show_calls([call(1, result_bytes=5000, seen_bytes=412)])
        app.inspector.call_list.focus()
        await settle(pilot, app)
        assert '"path": "src/file_1.py"' in app.text
        assert app.loads == [], "a result is read when it is looked at"
        await pilot.press("2")
        await settle(pilot, app)
        assert '"lines": 3' in app.text
        assert "5.0 kB · JSON · 3 lines" in app.note
        await pilot.press("right")
        await settle(pilot, app)
        assert app.text.strip() == '⟦−{"lines": 3}⟧⟦+cut⟧'
        assert "cut: the model saw 412 B of 5.0 kB (8.2 %)" in app.note
        assert app.loads == ["call-1"], "and only once"
        await pilot.press("4")
        await settle(pilot, app)
        assert "no error" in app.text
        await pilot.click(app.inspector, offset=(2, app.inspector.view.region.y - 2))
        await settle(pilot, app)
        assert app.inspector.section == "arguments"
        await pilot.press("left")
        assert app.inspector.section == "tokens"


async def test_a_reading_that_never_began_leaves_nothing_behind() -> None:
    app = InspectorApp()
    async with app.run_test(size=(70, 30)) as pilot:
        app.inspector.show_calls([call(1)])
        await settle(pilot, app)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            app.inspector.show_section("result")
            app.workers.cancel_all()  # as when the pane goes
            await settle(pilot, app)
            gc.collect()
        assert app.loads == []


async def test_times_tell_who_decided_and_how_long_each_step_took() -> None:
    app = InspectorApp()
    async with app.run_test(size=(80, 40)) as pilot:
        app.inspector.show_calls([call(1, decided_by="user", reason="it is only a test")])
        app.inspector.show_section("times")
        await settle(pilot, app)
        text = app.text
        for words in (
            "approval took 0.10 s", "queued 0.02 s", "ran 0.30 s", "allowed by   user",
            "it is only a test", "whole: 40 B",
        ):  # fmt: skip
            assert words in text
        app.inspector.update_call(
            call(
                1, state="denied", decided_by="user", reason="no", started_at=None, finished_at=None
            )
        )
        await settle(pilot, app)
        assert "denied by    user" in app.text
        await pilot.press("4")


async def test_edited_arguments_show_what_ran_and_what_was_written() -> None:
    app = InspectorApp()
    async with app.run_test(size=(80, 40)) as pilot:
        app.inspector.show_calls(
            [call(1, edited_arguments='{"path": "safe.py"}', decided_by="user")]
        )
        await settle(pilot, app)
        assert "what ran, edited by user:" in app.text
        assert app.text.index("safe.py") < app.text.index("as the model wrote it:")
        assert app.text.index("as the model wrote it:") < app.text.index("src/file_1.py")
        assert "edited before it ran" in app.note


async def test_a_running_call_changes_in_its_place() -> None:
    app = InspectorApp()
    async with app.run_test(size=(60, 30)) as pilot:
        app.inspector.show_calls([call(1), running(2), call(3)])
        await settle(pilot, app)
        calls = app.inspector.call_list
        calls.move_cursor(0)
        await settle(pilot, app)
        before = calls.lines_painted
        app.inspector.update_call(call(2, result_bytes=1000))
        await pilot.pause()
        assert calls.lines_painted - before == 1
        line = part_of(app, calls.region).splitlines()[1].split()
        assert line[:2] == ["✓", "read_file"]
        assert line[2].startswith("src/"), "arguments take the room that the name leaves"
        assert line[-4:] == ["0.30", "s", "1.0", "kB"]
        assert calls.cursor == 0


async def test_no_timer_runs_when_no_call_does() -> None:
    app = InspectorApp()
    async with app.run_test(size=(60, 30)) as pilot:
        app.inspector.show_calls([running(1)])
        await settle(pilot, app)
        calls = app.inspector.call_list
        assert calls._ticker is not None
        app.inspector.update_call(call(1))
        assert calls._ticker is None


async def test_the_cursor_goes_with_new_calls_but_never_under_a_reader() -> None:
    app = InspectorApp()
    async with app.run_test(size=(60, 30)) as pilot:
        app.set_focus(None)
        app.inspector.show_calls([call(1), call(2)])
        await settle(pilot, app)
        assert app.inspector.chosen == "call-2"
        app.inspector.update_call(running(3))
        await settle(pilot, app)
        assert app.inspector.chosen == "call-3"
        app.inspector.view.focus()
        await settle(pilot, app)
        app.inspector.update_call(running(4))
        await settle(pilot, app)
        assert app.inspector.chosen == "call-3"


async def test_replaced_calls_keep_the_chosen_one() -> None:
    app = InspectorApp()
    async with app.run_test(size=(60, 30)) as pilot:
        app.inspector.show_calls([call(i) for i in range(50)])
        assert app.inspector.open_call("call-20")
        await settle(pilot, app)
        app.inspector.show_calls([call(i) for i in range(10, 60)])
        await settle(pilot, app)
        assert app.inspector.chosen == "call-20"
        assert "file_20" in app.text
        app.inspector.show_calls([])
        await settle(pilot, app)
        assert app.inspector.chosen is None
        assert "no tool calls yet" in app.note
        assert not app.inspector.open_call("call-20")


async def test_a_slow_result_never_shows_under_another_call() -> None:
    gates: dict[str, asyncio.Event] = {"call-1": asyncio.Event(), "call-2": asyncio.Event()}

    async def load(tool_call_id: str) -> ToolResult:
        # A loader that can't be stopped once, like one that waits for a thread.
        with suppress(asyncio.CancelledError):
            await gates[tool_call_id].wait()
        await asyncio.wait_for(gates[tool_call_id].wait(), 5)
        return ToolResult(f"result of {tool_call_id}", "")

    app = InspectorApp(load)
    async with app.run_test(size=(60, 30)) as pilot:
        app.inspector.show_calls([call(1), call(2)])
        app.inspector.show_section("result")
        app.inspector.open_call("call-1")
        await pilot.pause()
        app.inspector.open_call("call-2")
        await pilot.pause()
        gates["call-1"].set()
        await pilot.pause()
        await pilot.pause()
        early = app.text
        gates["call-2"].set()
        await settle(pilot, app)
        assert "result of" not in early
        assert "result of call-2" in app.text


@pytest.mark.parametrize("error", [StoreError("history.db: is gone"), RuntimeError("surprise")])
async def test_a_result_that_cannot_be_read_says_why(error: Exception) -> None:
    async def load(tool_call_id: str) -> ToolResult:
        raise error

    app = InspectorApp(load)
    async with app.run_test(size=(60, 30)) as pilot:
        app.inspector.show_calls([call(1)])
        app.inspector.show_section("result")
        await settle(pilot, app)
        assert str(error) in app.text
        assert "could not be read" in app.note


async def test_missing_results_are_told_apart() -> None:
    app = InspectorApp()
    async with app.run_test(size=(60, 30)) as pilot:
        app.inspector.show_calls([running(1), call(2)])
        app.inspector.show_section("result")
        await settle(pilot, app)
        assert "no result was kept" in app.note
        app.inspector.open_call("call-1")
        await settle(pilot, app)
        assert "no result yet" in app.note
        app.results["call-1"] = ToolResult("done", "done")
        app.inspector.update_call(call(1))
        await settle(pilot, app)
        assert "done" in app.text, "the result is read again once the call has ended"


async def test_a_report_of_a_running_call_keeps_the_place_in_its_arguments() -> None:
    app = InspectorApp()
    async with app.run_test(size=(60, 30)) as pilot:
        arguments = json.dumps({f"key {i}": i for i in range(200)})
        app.inspector.show_calls([running(1, arguments=arguments)])
        app.inspector.open_call("call-1")
        await settle(pilot, app)
        await pilot.press("pagedown", "pagedown")
        await pilot.pause()
        place = app.inspector.view.scroll_y
        assert place > 0
        app.inspector.update_call(call(1, arguments=arguments))
        await settle(pilot, app)
        assert app.inspector.view.scroll_y == place


async def test_find_by_slash_and_copy_by_y() -> None:
    app = InspectorApp()
    async with app.run_test(size=(70, 30)) as pilot:
        app.results["call-1"] = ToolResult('{"a":"needle","b":["needle"]}', "needle")
        app.inspector.show_calls([call(1)])
        app.inspector.open_call("call-1")
        await pilot.press("2")
        await settle(pilot, app)
        await pilot.press("slash", *"nee")
        await settle(pilot, app)
        assert "find 1/2" in app.note
        await pilot.press("enter")
        await settle(pilot, app)
        assert "find 2/2" in app.note
        await pilot.press("y", "escape")
        await settle(pilot, app)
        assert "find" not in app.note
        assert not [event for event in app.seen if isinstance(event, Inspector.CopyRequested)]
        await pilot.press("y")
        await settle(pilot, app)
        copied = [event for event in app.seen if isinstance(event, Inspector.CopyRequested)]
        assert [(event.text, event.label) for event in copied] == [
            ('{"a":"needle","b":["needle"]}', "result of read_file")
        ]
        await pilot.press("1", "y", "m")
        await settle(pilot, app)
        assert app.seen[-2].text == call(1).arguments
        assert app.seen[-1].message_id == "message-1"


async def test_names_and_arguments_are_data() -> None:
    app = InspectorApp()
    async with app.run_test(size=(90, 30)) as pilot:
        app.inspector.show_calls(
            [
                call(
                    1,
                    name="[red]x\x1b[2J",
                    arguments='{"path": "[bold]\\u001b]0;t\x07"',
                    error="[/oops]",
                )
            ]
        )
        await settle(pilot, app)
        assert "[red]x␛[2J" in screen_text(app)[2]
        assert '{"path": "[bold]\\u001b]0;t␇"' in app.text
        app.inspector.show_section("error")
        await settle(pilot, app)
        assert "[/oops]" in app.text


async def test_works_in_a_narrow_panel() -> None:
    app = InspectorApp()
    async with app.run_test(size=(33, 14)) as pilot:
        app.inspector.show_calls([call(1, name="search_files"), running(2)])
        app.inspector.show_section("seen")
        await settle(pilot, app)
        lines = screen_text(app)
        assert lines[2].startswith("│✓ search_files")
        assert lines[2].rstrip("│").rstrip().endswith("0.30 s")
        assert "[3 seen]" in lines[app.inspector.view.region.y - 2]


async def test_ten_thousand_calls_paint_only_the_screen() -> None:
    app = InspectorApp()
    async with app.run_test(size=(60, 30)) as pilot:
        await pilot.pause()
        before = app.inspector.call_list.lines_painted
        app.inspector.show_calls([call(i) for i in range(10_000)])
        await settle(pilot, app)
        height = app.inspector.call_list.size.height
        assert app.inspector.call_list.lines_painted - before <= 4 * height
        assert app.inspector.chosen == "call-9999"


async def test_five_megabytes_open_in_the_inspector() -> None:
    app = InspectorApp()
    async with app.run_test(size=(60, 30)) as pilot:
        produced = json.dumps([{"n": i, "text": "word " * 10} for i in range(75_000)])
        assert len(produced) > 5_000_000
        app.results["call-1"] = ToolResult(produced, produced[:1000])
        app.inspector.show_calls([call(1, result_bytes=len(produced), seen_bytes=1000)])
        app.inspector.show_section("result")
        await settle(pilot, app)
        assert app.inspector.view.ready
        assert "5.5 MB · JSON · 300,002 lines" in app.note or "JSON · 300,002 lines" in app.note
        assert '"n": 0,' in app.text
        assert app.inspector.view.lines_painted < 40 * 30


async def test_full_screen_opens_a_call_and_closes_with_it() -> None:
    async def load(tool_call_id: str) -> ToolResult:
        return ToolResult("produced", "seen")

    closed: list[str | None] = []
    app: App[None] = App()
    async with app.run_test(size=(120, 30)) as pilot:
        screen = InspectorScreen(
            Loader(load), [call(1), call(2)], open_id="call-1", section="result"
        )
        app.push_screen(screen, closed.append)
        await pilot.pause()
        await pilot.pause(0.05)
        lines = screen_text(app)
        assert "produced" in "\n".join(lines)
        assert "read_file" in lines[2]
        assert "[2 result]" in lines[1], "side by side where it is wide"
        screen.update_call(running(3))
        await pilot.resize_terminal(80, 24)
        await pilot.pause()
        assert "[2 result]" not in screen_text(app)[1]
        await pilot.press("ctrl+o")
        await pilot.pause()
        assert closed == ["call-1"]


async def test_what_the_model_did_not_see_is_marked_where_it_was() -> None:
    app = InspectorApp()
    async with app.run_test(size=(90, 40)) as pilot:
        produced = "first\n" + "middle line\n" * 500 + "KEY=sk-1234567\nlast\n"
        note = "[… 6,000 characters in 500 lines left out here.]"
        seen = f"first\n{note}\nKEY=[key removed]\nlast\n"
        app.results["call-1"] = ToolResult(produced, seen)
        app.inspector.show_calls([call(1, result_bytes=len(produced), seen_bytes=len(seen))])
        app.inspector.show_section("seen")
        app.inspector.open_call("call-1")
        await settle(pilot, app)
        assert "… left out: lines 2 to 502" in app.text
        assert f"⟦+{note}" in app.text
        assert "KEY=⟦+[key removed]⟧" in app.text
        assert "1 left out, 1 redacted" in app.note
        parts = {mark.part for mark in app.inspector.detail._shown.marks}
        assert parts == {"added", "removed"}
        await pilot.press("y")
        await settle(pilot, app)
        assert app.seen[-1].text == seen, "what is copied is what the model saw"


async def test_schema_and_tokens_are_read_when_they_are_looked_at() -> None:
    app = InspectorApp()
    async with app.run_test(size=(90, 40)) as pilot:
        app.results["call-1"] = ToolResult("12345", "12345")
        app.inspector.show_calls([call(1)])
        app.inspector.call_list.focus()
        await settle(pilot, app)
        assert app.loads == []
        await pilot.press("6")
        await settle(pilot, app)
        assert "The schema is not known." in app.text
        await pilot.press("7")
        await settle(pilot, app)
        assert "≈8 tokens in the context" in app.text
        assert "≈8 tokens · — since" in app.note


async def test_times_show_each_step_as_a_bar_and_earlier_attempts() -> None:
    app = InspectorApp()
    async with app.run_test(size=(90, 40)) as pilot:
        app.inspector.show_calls([call(1)])
        app.inspector.show_section("times")
        await settle(pilot, app)
        lines = app.text.splitlines()
        assert lines[0].startswith("approval     ███████ ")
        assert lines[2].startswith("run                  ██")
        assert lines[2].endswith("0.30 s")
        assert "the first with these arguments" in app.text
