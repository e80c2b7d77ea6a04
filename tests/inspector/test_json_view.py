"""JsonView on small texts and on real ones of 5 MB: what is shown, what it costs in lines."""

from __future__ import annotations

import asyncio
import json

import pytest
from textual.app import App, ComposeResult
from textual.containers import Container
from textual.geometry import Offset, Region
from textual.pilot import Pilot
from textual.selection import Selection

from chatglass.tui.inspector import json_view
from chatglass.tui.inspector.json_view import JsonView

WIDTH, HEIGHT = 60, 20


class ViewApp(App[None]):
    def __init__(self) -> None:
        super().__init__()
        self.view = JsonView()

    def compose(self) -> ComposeResult:
        with Container():
            yield self.view


def shown_lines(view: JsonView) -> list[str]:
    strips = view.render_lines(Region(0, 0, *view.size))
    return [strip.crop(0, view.text_width).text.rstrip() for strip in strips]


async def until_ready(pilot: Pilot[None], view: JsonView) -> None:
    async with asyncio.timeout(20):
        while not view.ready or any(not worker.is_finished for worker in view.workers):
            await pilot.pause(0.01)
    await pilot.pause()


def large_json(objects: int = 40_000) -> str:
    rows = [
        {"id": i, "path": f"src/module_{i}.py", "line": f"    return f({i})  # ok {'x' * 40}"}
        for i in range(objects)
    ]
    return json.dumps(rows)  # fmt: skip


LARGE_JSON = large_json()


async def test_small_json_is_there_at_once_and_coloured() -> None:
    app = ViewApp()
    async with app.run_test(size=(WIDTH, HEIGHT)) as pilot:
        await pilot.pause()
        app.view.load('{"name": "x", "n": [1, null]}')
        assert app.view.ready
        assert shown_lines(app.view)[:7] == [
            "{", '  "name": "x",', '  "n": [', "    1,", "    null", "  ]", "}",
        ]  # fmt: skip
        assert app.view.is_json
        styles = {
            segment.text: segment.style
            for segment in app.view.paint_line(1, WIDTH)
            if segment.style is not None
        }
        assert styles['"name"'].color != styles['"x"'].color
        assert app.view.source == '{"name": "x", "n": [1, null]}'


async def test_a_text_loaded_before_there_is_a_size_is_shown() -> None:
    app = ViewApp()
    app.view.load("[1]")
    async with app.run_test(size=(WIDTH, HEIGHT)) as pilot:
        await pilot.pause()
        assert shown_lines(app.view)[:3] == ["[", "  1", "]"]


async def test_text_is_data() -> None:
    app = ViewApp()
    async with app.run_test(size=(WIDTH, HEIGHT)) as pilot:
        await pilot.pause()
        app.view.load("[bold]not markup[/] \x1b[31mred\r\n\x07bell\ta\ud800b", "text")
        assert shown_lines(app.view)[:2] == ["[bold]not markup[/] ␛[31mred", "␇bell    a\ufffdb"]


async def test_five_megabytes_of_json() -> None:
    assert len(LARGE_JSON) > 4_000_000
    app = ViewApp()
    async with app.run_test(size=(WIDTH, HEIGHT)) as pilot:
        await pilot.pause()
        app.view.load(LARGE_JSON)
        assert not app.view.ready
        assert shown_lines(app.view)[0].startswith("… ")
        painted = app.view.lines_painted
        await until_ready(pilot, app.view)
        assert app.view.is_json
        assert app.view.text_lines == 40_000 * 5 + 2
        assert shown_lines(app.view)[:3] == ["[", "  {", '    "id": 0,']
        # One frame a slice at most, each of the lines on screen alone.
        assert app.view.lines_painted - painted < 40 * HEIGHT
        before = app.view.lines_painted
        app.view.focus()
        await pilot.press("ctrl+end")
        await pilot.pause()
        assert shown_lines(app.view)[-1] == "]"
        assert app.view.lines_painted - before <= 4 * HEIGHT


async def test_one_line_of_five_megabytes() -> None:
    app = ViewApp()
    async with app.run_test(size=(WIDTH, HEIGHT)) as pilot:
        await pilot.pause()
        text = "".join(f"{i:09d}|" for i in range(500_000))
        app.view.load(text)
        await until_ready(pilot, app.view)
        assert app.view.line_count() == -(-5_000_000 // app.view.text_width)
        app.view.focus()
        await pilot.press("ctrl+end")
        await pilot.pause()
        assert shown_lines(app.view)[-1].endswith("000499999|")
        await pilot.press("w")
        await until_ready(pilot, app.view)
        assert app.view.allow_horizontal_scroll
        assert app.view.line_count() < 2000


async def test_the_event_loop_keeps_its_turns_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_view, "SLICE_SECONDS", 0)
    app = ViewApp()
    async with app.run_test(size=(WIDTH, HEIGHT)) as pilot:
        await pilot.pause()
        app.view.load("a line of text, not very long\n" * 200_000)
        turns = 0
        while not app.view.ready:
            turns += 1
            await asyncio.sleep(0)
        assert turns >= 30, "rows are made in slices"


async def test_a_later_load_ends_the_earlier_one(monkeypatch: pytest.MonkeyPatch) -> None:
    spawned: list[asyncio.subprocess.Process] = []
    spawn = asyncio.create_subprocess_exec

    async def keep(*args, **kwargs):
        child = await spawn(*args, **kwargs)
        spawned.append(child)
        return child

    monkeypatch.setattr(asyncio, "create_subprocess_exec", keep)
    app = ViewApp()
    async with app.run_test(size=(WIDTH, HEIGHT)) as pilot:
        await pilot.pause()
        app.view.load(LARGE_JSON)
        async with asyncio.timeout(10):
            while not spawned:
                await pilot.pause(0.001)
        app.view.load("short")
        assert shown_lines(app.view)[0] == "short"
        async with asyncio.timeout(10):
            while spawned[0].returncode is None:
                await pilot.pause(0.001)
        assert spawned[0].returncode == -9
        await until_ready(pilot, app.view)
        assert shown_lines(app.view)[0] == "short"


async def test_without_processes_it_shows_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    async def refuse(*args, **kwargs):
        raise OSError("no more processes")

    monkeypatch.setattr(asyncio, "create_subprocess_exec", refuse)
    app = ViewApp()
    async with app.run_test(size=(WIDTH, HEIGHT)) as pilot:
        await pilot.pause()
        app.view.load(large_json(1000))
        assert not app.view.ready
        await until_ready(pilot, app.view)
        assert shown_lines(app.view)[:3] == ["[", "  {", '    "id": 0,']


async def test_find_marks_counts_and_goes_round() -> None:
    app = ViewApp()
    async with app.run_test(size=(WIDTH, HEIGHT)) as pilot:
        await pilot.pause()
        app.view.load("\n".join(f"line {i} {'Needle' if i % 50 == 7 else ''}" for i in range(500)))
        app.view.find("needle")
        await until_ready(pilot, app.view)
        assert (len(app.view.matches), app.view.matches.index) == (10, 0)
        app.view.action_next_match(1)
        app.view.action_next_match(1)
        await pilot.pause()
        assert any(line == "line 107 Needle" for line in shown_lines(app.view))
        app.view.action_next_match(-3)
        assert app.view.matches.index == 9
        await pilot.pause()
        assert any(line == "line 457 Needle" for line in shown_lines(app.view))
        app.view.find("needle ")
        await until_ready(pilot, app.view)
        assert not app.view.matches
        app.view.find("NEEDLE")
        await until_ready(pilot, app.view)
        assert not app.view.matches, "a capital makes case count"
        app.view.find("")
        assert app.view.matches.index == -1


async def test_a_match_over_the_edge_is_marked_on_both_rows() -> None:
    app = ViewApp()
    async with app.run_test(size=(WIDTH, HEIGHT)) as pilot:
        await pilot.pause()
        width = app.view.text_width
        app.view.load("x" * (width - 3) + "needle" + "y" * 10)
        app.view.find("needle")
        await until_ready(pilot, app.view)
        marked = [
            [s.text for s in app.view.paint_line(y, width) if s.style and s.style.bgcolor]
            for y in (0, 1)
        ]
        assert marked == [["nee"], ["dle"]]


async def test_find_in_five_megabytes_while_they_load() -> None:
    app = ViewApp()
    async with app.run_test(size=(WIDTH, HEIGHT)) as pilot:
        await pilot.pause()
        app.view.load(LARGE_JSON)
        app.view.find("module_39999")
        await until_ready(pilot, app.view)
        assert len(app.view.matches) == 1
        assert any("module_39999" in line for line in shown_lines(app.view))


async def test_another_width_keeps_the_place() -> None:
    app = ViewApp()
    async with app.run_test(size=(WIDTH, HEIGHT)) as pilot:
        await pilot.pause()
        app.view.load("\n".join(f"line {i} " + "words " * 30 for i in range(3000)), "text")
        await until_ready(pilot, app.view)
        app.view.find("line 2000")
        await until_ready(pilot, app.view)
        app.view.jump_to(y=app.view.scroll_y + 2)
        app.view.find("")
        await pilot.pause()
        top = next(line for line in shown_lines(app.view) if line.startswith("line"))
        await pilot.resize_terminal(33, HEIGHT)
        await until_ready(pilot, app.view)
        first = shown_lines(app.view)
        number = top.split()[1]
        assert any(line.startswith(("line " + number, f"line {int(number) - 1}")) for line in first)
        assert all(len(line) <= 32 for line in first)


async def test_selection_is_the_text_and_not_the_rows() -> None:
    app = ViewApp()
    async with app.run_test(size=(WIDTH, HEIGHT)) as pilot:
        await pilot.pause()
        width = app.view.text_width
        long = "abcdefghij" * 20
        app.view.load(f"one\ttwo\n{long}\nend", "text")
        selected = app.view.get_selection(Selection(Offset(7, 0), Offset(2, 2)))
        assert selected == (f"two\n{long[: width + 2]}", "\n")
        assert app.view.get_selection(Selection(None, None)) == (app.view.source, "\n")


async def test_dragging_the_mouse_selects() -> None:
    app = ViewApp()
    async with app.run_test(size=(WIDTH, HEIGHT)) as pilot:
        await pilot.pause()
        app.view.load('{"key": "some value"}')
        await pilot.pause()
        await pilot.mouse_down(app.view, offset=(2, 1))
        await pilot.hover(app.view, offset=(6, 1))
        await pilot.mouse_up(app.view, offset=(6, 1))
        await pilot.pause()
        assert app.screen.get_selected_text() == '"key"'
        app.view.load("other")
        await pilot.pause()
        assert not app.screen.get_selected_text()


async def test_broken_work_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    async def break_down(text: str) -> str:
        raise MemoryError("no room")

    monkeypatch.setattr(json_view, "lay_out_apart", break_down)
    app = ViewApp()
    async with app.run_test(size=(WIDTH, HEIGHT)) as pilot:
        await pilot.pause()
        app.view.load(LARGE_JSON)
        async with asyncio.timeout(5):
            while app.view.waiting:
                await pilot.pause(0.01)
        assert "no room" in shown_lines(app.view)[0]
