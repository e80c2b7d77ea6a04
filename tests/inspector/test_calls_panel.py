"""The list of calls and its filter, by keys, mouse and messages."""

from __future__ import annotations

import asyncio

from textual.app import App, ComposeResult
from textual.message import Message
from textual.pilot import Pilot

from calls.rows import at, call, rerun
from chatglass.store.records import ToolResult
from chatglass.tui.inspector.calls_panel import CallsPanel
from chatglass.tui.inspector.inspector import Inspector

CALLS = [
    call("read_file", (0, 0, 0, 0.2), result_bytes=50_000),
    call("git__log", (1, 1, 1, 4), server="git"),
    call("run_command", (5, 6, 6, 7.5), state="error", error="exit code 3"),
    call("fetch_url", (8, 8, 8, None)),
]


class Source:
    """Results that hold their call's id; calls are found by what a test says."""

    def __init__(self) -> None:
        self.sought: list[str] = []
        self.found: frozenset[str] = frozenset()

    async def result(self, tool_call_id: str) -> ToolResult | None:
        return ToolResult(tool_call_id, tool_call_id)

    async def find_calls(self, words: str) -> frozenset[str]:
        self.sought.append(words)
        return self.found

    def __getattr__(self, name: str) -> object:
        """What the sections of a call may ask beside that: there is nothing of it here."""

        async def nothing(*_: object) -> None:
            return None

        if name.startswith("_"):
            raise AttributeError(name)
        return nothing


class PanelApp(App[None]):
    def __init__(self) -> None:
        super().__init__()
        self.source = Source()
        self.inspector = Inspector(self.source, now=lambda: at(10))  # type: ignore[arg-type]
        self.seen: list[Message] = []

    def compose(self) -> ComposeResult:
        yield self.inspector

    def on_calls_panel_view_chosen(self, event: CallsPanel.ViewChosen) -> None:
        self.seen.append(event)

    def on_calls_panel_request_chosen(self, event: CallsPanel.RequestChosen) -> None:
        self.seen.append(event)

    @property
    def panel(self) -> CallsPanel:
        return self.inspector.calls_panel

    @property
    def names(self) -> list[str]:
        return [row.name for row in self.panel.call_list.calls]

    @property
    def head(self) -> str:
        return "".join(text for text, _, _ in self.panel._head.labels()).strip()


async def begin(pilot: Pilot[None], app: PanelApp) -> None:
    app.inspector.show_calls(CALLS)
    app.panel.focus_calls()
    await pilot.pause()


async def test_typing_filters_and_esc_drops_it() -> None:
    app = PanelApp()
    async with app.run_test(size=(100, 30)) as pilot:
        await begin(pilot, app)
        await pilot.press("f", *"tool", "colon", *"run")
        await pilot.pause()
        assert app.names == ["run_command"]
        assert app.head.endswith("1 of 4")
        await pilot.press("enter")
        assert app.panel.call_list.has_focus
        assert "tool:run" in app.head
        await pilot.press("escape")
        await pilot.pause()
        assert len(app.names) == 4
        assert app.head.endswith("4")
        await pilot.press("f", "x", "escape")
        await pilot.pause()
        assert len(app.names) == 4
        assert app.panel.call_list.has_focus


async def test_filters_in_one_key_add_up_and_are_taken_back() -> None:
    app = PanelApp()
    async with app.run_test(size=(100, 30)) as pilot:
        await begin(pilot, app)
        await pilot.press("e")
        assert app.names == ["run_command"]
        await pilot.press("s")
        assert app.names == ["run_command"]
        await pilot.press("e")
        assert app.names == ["git__log", "run_command", "fetch_url"]
        await pilot.press("s", "a")
        assert app.names == ["fetch_url"]
        await pilot.press("a", "home", "T")
        assert app.names == ["read_file"]
        await pilot.press("T")
        assert len(app.names) == 4
        app.inspector.update_call(rerun(CALLS[0]))
        await pilot.press("u")
        assert app.names == ["read_file"]
        assert app.panel.call_list.calls[0].id == "again-call-read_file"


async def test_order_by_time_duration_and_size() -> None:
    app = PanelApp()
    async with app.run_test(size=(100, 30)) as pilot:
        await begin(pilot, app)
        await pilot.press("O")
        assert app.names == ["git__log", "fetch_url", "run_command", "read_file"]
        assert "slowest first" in app.head
        await pilot.press("O")
        assert app.names[0] == "read_file"
        await pilot.press("O")
        assert app.names[0] == "read_file"
        assert app.names[-1] == "fetch_url"


async def test_words_are_looked_for_in_results_too() -> None:
    app = PanelApp()
    async with app.run_test(size=(100, 30)) as pilot:
        await begin(pilot, app)
        app.source.found = frozenset({"call-git__log"})
        app.panel.set_filter('"two words" needle')
        assert app.names == []
        async with asyncio.timeout(10):
            while not app.names:
                await pilot.pause(0.01)
        assert app.names == ["git__log"]
        assert app.source.sought == ['"two words" needle']
        app.panel.set_filter('"two words" needle is:error')
        assert app.names == []
        assert len(app.source.sought) == 1, "the same words need no second search"


async def test_a_facet_that_cannot_be_used_is_said() -> None:
    app = PanelApp()
    async with app.run_test(size=(100, 30)) as pilot:
        await begin(pilot, app)
        app.panel.set_filter("slow>often")
        assert len(app.names) == 4
        assert "?" in app.head
        assert "slow>2s" in str(app.panel._head.tooltip)


async def test_calls_come_and_go_with_their_state() -> None:
    app = PanelApp()
    async with app.run_test(size=(100, 30)) as pilot:
        await begin(pilot, app)
        app.panel.set_filter("is:running")
        assert app.names == ["fetch_url"]
        app.inspector.update_call(call("fetch_url", (8, 8, 8, 9)))
        assert app.names == []
        app.inspector.update_call(call("new", (9, 9, 9, None)))
        assert app.names == ["new"]
        assert len(app.inspector.calls) == 5


async def test_a_call_that_is_opened_is_shown_whatever_the_filter() -> None:
    app = PanelApp()
    async with app.run_test(size=(100, 30)) as pilot:
        await begin(pilot, app)
        app.panel.set_filter("is:error")
        assert app.inspector.open_call("call-read_file")
        await pilot.pause()
        assert app.inspector.chosen == "call-read_file"
        assert len(app.names) == 4


async def test_the_timeline_has_the_same_filter_and_the_same_call() -> None:
    app = PanelApp()
    async with app.run_test(size=(100, 30)) as pilot:
        await begin(pilot, app)
        app.panel.call_list.move_cursor_to_id("call-run_command")
        await pilot.pause()
        await pilot.press("t")
        await pilot.pause()
        timeline = app.panel.timeline
        assert timeline.display
        assert timeline.has_focus
        assert timeline.cursor_id == "call-run_command"
        assert [type(message).__name__ for message in app.seen] == ["ViewChosen"]
        await pilot.press("e")
        await pilot.pause()
        assert [line.id for line in timeline.lines][1:] == ["call-run_command"]
        await pilot.press("escape", "up", "up")
        await pilot.pause()
        assert app.inspector.chosen == "call-read_file"
        await pilot.press("t")
        await pilot.pause()
        assert app.panel.call_list.cursor_id == "call-read_file"
        assert app.panel.call_list.has_focus


async def test_the_head_and_the_legend_work_by_mouse() -> None:
    app = PanelApp()
    async with app.run_test(size=(100, 30)) as pilot:
        await begin(pilot, app)
        head = app.panel._head
        await pilot.click(head, offset=(8, 0))
        await pilot.pause()
        assert app.panel.view == "timeline"
        assert app.panel.timeline.scale == "turn"
        await pilot.click(app.panel._legend, offset=(2, 0))
        await pilot.pause()
        assert app.panel.timeline.scale == "session"
        await pilot.click(head, offset=(2, 0))
        await pilot.pause()
        assert app.panel.view == "list"
        await pilot.click(head, offset=(20, 0))
        await pilot.pause()
        assert app.panel.filter_bar.has_focus
        await pilot.press("escape")
        await pilot.click(head, offset=(head.size.width - 3, 0))
        await pilot.pause()
        assert app.panel.order == "slowest"


async def test_a_thousand_calls_are_filtered_without_painting_them() -> None:
    app = PanelApp()
    async with app.run_test(size=(100, 30)) as pilot:
        app.inspector.show_calls(
            [call(f"tool_{n % 7}", (n, n, n, n + 1), id=f"call-{n}") for n in range(1_000)]
        )
        app.panel.focus_calls()
        await pilot.pause()
        await pilot.press("f")
        for key in "tool_3":
            before = app.panel.call_list.lines_painted
            await pilot.press(key)
            await pilot.pause()
            assert app.panel.call_list.lines_painted - before <= 2 * app.size.height
        assert len(app.names) == 143
