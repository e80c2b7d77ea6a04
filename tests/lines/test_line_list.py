"""LineList: only what is on screen is painted, and the cursor stays with its row."""

from __future__ import annotations

from collections.abc import Sequence

from rich.segment import Segment
from textual.app import App, ComposeResult
from textual.containers import Container
from textual.geometry import Region
from textual.strip import Strip
from textual.widgets import Static

from chatglass.tui.lines.line_list import LineList


class Numbers(LineList):
    def __init__(self, rows: Sequence[str]) -> None:
        super().__init__()
        self.rows = list(rows)

    def row_count(self) -> int:
        return len(self.rows)

    def row_id(self, index: int) -> str:
        return self.rows[index]

    def render_row(self, index: int, width: int, selected: bool) -> Strip:
        return Strip([Segment(f"{'>' if selected else ' '}{self.rows[index]}")])


class NumbersApp(App[None]):
    def __init__(self, count: int = 10_000) -> None:
        super().__init__()
        self.numbers = Numbers([f"row {i}" for i in range(count)])
        self.events: list[tuple[str, str]] = []
        self.layouts = 0

    def compose(self) -> ComposeResult:
        with Container():
            yield Static("above", id="above")
            yield self.numbers
            yield Static("below", id="below")

    def on_mount(self) -> None:
        self.numbers.rows_changed()
        self.numbers.focus()

    def on_line_list_cursor_moved(self, event: LineList.CursorMoved) -> None:
        self.events.append(("moved", event.row_id))

    def on_line_list_row_chosen(self, event: LineList.RowChosen) -> None:
        self.events.append(("chosen", event.row_id))


def lines(view: LineList) -> list[str]:
    return [strip.text for strip in view.render_lines(Region(0, 0, *view.size))]


async def test_only_rows_on_screen_are_painted() -> None:
    app = NumbersApp()
    async with app.run_test(size=(30, 14)) as pilot:
        await pilot.pause()
        assert app.numbers.lines_painted <= 6 * 12
        before = app.numbers.lines_painted
        await pilot.press("down")
        await pilot.pause()
        assert app.numbers.lines_painted - before == 2, "only the two rows the cursor touches"
        before = app.numbers.lines_painted
        await pilot.press("end")
        await pilot.pause()
        assert app.numbers.lines_painted - before <= 2 * 12
        assert lines(app.numbers)[-1].startswith(">row 9999")


async def test_changes_elsewhere_paint_no_line() -> None:
    app = NumbersApp()
    async with app.run_test(size=(30, 14)) as pilot:
        await pilot.pause()
        before = app.numbers.lines_painted
        # Both at once: the region between them, which the compositor renders, is the list.
        app.query_one("#above", Static).update("other", layout=False)
        app.query_one("#below", Static).update("other", layout=False)
        await pilot.pause()
        assert app.numbers.lines_painted == before
        app.theme = "textual-light"
        await pilot.pause()
        assert app.numbers.lines_painted >= before + 12, "other colours are other lines"


async def test_another_background_below_shows_at_once() -> None:
    app = NumbersApp()
    async with app.run_test(size=(30, 14)) as pilot:
        app.numbers.styles.background = "transparent"
        await pilot.pause()
        before = [segment.style for segment in app.numbers.render_lines(Region(0, 2, 30, 1))[0]]
        app.query_one(Container).styles.background = "#402010"
        await pilot.pause()
        after = [segment.style for segment in app.numbers.render_lines(Region(0, 2, 30, 1))[0]]
        assert before != after


async def test_another_size_paints_lines_of_that_size() -> None:
    app = NumbersApp()
    async with app.run_test(size=(30, 14)) as pilot:
        await pilot.pause()
        for width, height in ((50, 14), (20, 9), (30, 14)):
            await pilot.resize_terminal(width, height)
            await pilot.pause()
            strips = app.numbers.render_lines(Region(0, 0, *app.numbers.size))
            assert [strip.cell_length for strip in strips] == [width] * (height - 2)


async def test_keys_move_the_cursor() -> None:
    app = NumbersApp()
    async with app.run_test(size=(30, 14)) as pilot:
        for key, place in [
            ("down", 1), ("up", 0), ("up", 0), ("pagedown", 11), ("pageup", 0),
            ("end", 9999), ("down", 9999), ("home", 0),
        ]:  # fmt: skip
            await pilot.press(key)
            assert app.numbers.cursor == place, key
        await pilot.press("enter")
        assert app.events[-1] == ("chosen", "row 0")


async def test_the_cursor_keeps_its_row_when_rows_are_replaced() -> None:
    app = NumbersApp()
    async with app.run_test(size=(30, 14)) as pilot:
        app.numbers.move_cursor(500)
        app.numbers.jump_to(y=495)
        await pilot.pause()
        place = app.numbers.cursor - round(app.numbers.scroll_y)
        app.numbers.rows = [f"new {i}" for i in range(7)] + app.numbers.rows
        app.numbers.rows_changed()
        await pilot.pause()
        assert app.numbers.cursor_id == "row 500"
        assert app.numbers.cursor - round(app.numbers.scroll_y) == place
        app.numbers.rows = app.numbers.rows[:20]
        app.numbers.rows_changed()
        await pilot.pause()
        assert app.numbers.cursor == 19
        assert "row 12" in lines(app.numbers)[-1]
        app.numbers.rows = []
        app.numbers.rows_changed()
        assert app.numbers.cursor_id is None
        await pilot.press("enter", "down")
        assert app.events[-1][0] == "moved"


async def test_new_rows_lay_nothing_out_again() -> None:
    app = NumbersApp()
    async with app.run_test(size=(30, 14)) as pilot:
        await pilot.pause()
        laid_out: list[object] = []
        refresh_layout = app.screen._refresh_layout

        def count(*args: object, **kwargs: object) -> None:
            laid_out.append(args)
            refresh_layout(*args, **kwargs)  # type: ignore[arg-type]

        app.screen._refresh_layout = count  # type: ignore[method-assign]
        app.numbers.rows.append("one more")
        app.numbers.rows_changed()
        await pilot.press("end", "pageup", "down")
        await pilot.pause()
        assert not laid_out


async def test_click_chooses_and_the_wheel_scrolls() -> None:
    app = NumbersApp()
    async with app.run_test(size=(30, 14)) as pilot:
        await pilot.click(app.numbers, offset=(3, 4))
        assert app.events[-1] == ("chosen", "row 4")
        await pilot._post_mouse_events([_wheel_down()], app.numbers, offset=(3, 4))
        await pilot.pause()
        assert app.numbers.scroll_y > 0
        assert app.numbers.cursor == 4


def _wheel_down() -> type:
    from textual.events import MouseScrollDown

    return MouseScrollDown


async def test_the_scroll_bar_can_be_clicked() -> None:
    app = NumbersApp()
    async with app.run_test(size=(30, 14)) as pilot:
        assert lines(app.numbers)[0].endswith("┃")
        await pilot.click(app.numbers, offset=(29, 11))
        await pilot.pause()
        assert app.numbers.scroll_y == 10_000 - 12
        assert lines(app.numbers)[-1].endswith("┃")
        assert app.numbers.cursor == 0, "the bar is no row"


async def test_every_screen_line_has_the_full_width() -> None:
    app = NumbersApp(3)
    async with app.run_test(size=(30, 14)) as pilot:
        await pilot.pause()
        strips = app.numbers.render_lines(Region(0, 0, 30, 12))
        assert [strip.cell_length for strip in strips] == [30] * 12
        part = app.numbers.render_lines(Region(1, 0, 5, 2))
        assert [strip.text for strip in part] == ["row 0", "row 1"]


async def test_a_border_of_its_own_is_drawn() -> None:
    app = NumbersApp()
    async with app.run_test(size=(30, 14)) as pilot:
        app.numbers.styles.border = ("round", "red")
        await pilot.pause()
        await pilot.press("down", "down")
        await pilot.pause()
        drawn = lines_with_border(app.numbers)
        assert drawn[0] == "╭" + "─" * 28 + "╮"
        assert drawn[3].startswith("│>row 2")
        assert drawn[3].endswith("│")
        assert len(drawn) == 12


def lines_with_border(view: LineList) -> list[str]:
    return [strip.text for strip in view.render_lines(Region(0, 0, *view.outer_size))]


async def test_no_color_takes_the_colours_out(monkeypatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    app = NumbersApp(3)
    async with app.run_test(size=(30, 14)) as pilot:
        await pilot.pause()
        assert app.get_line_filters(), "the filter this test is about"
        for strip in app.numbers.render_lines(Region(0, 0, 30, 12)):
            for segment in strip:
                if segment.style is not None and segment.style.color is not None:
                    red, green, blue = segment.style.color.get_truecolor()
                    assert red == green == blue or segment.style.color.is_default
