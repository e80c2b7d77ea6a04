"""The timeline: bars in the right columns, signs for each phase, a scale that can be changed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.app import App, ComposeResult
from textual.pilot import Pilot

from calls.rows import at, call, request, rerun
from chatglass.store.records import RequestRow, ToolCallRow
from chatglass.tui.inspector.time_scale import WHOLE, TimeScale, grown, panned, zoomed
from chatglass.tui.inspector.timeline import TICK_SECONDS, Timeline

CALLS = [
    call("quick", (2, 2, 2, 4)),
    call("asked", (2, 5, 6, 7)),
    call("failed", (9, 9, 9, 10), state="error", request_id="request-2"),
]
REQUESTS = [request(1, 0, 1, 2), request(2, 8, 8.5, 9), request(3, 10, 10, 20)]


class TimelineApp(App[None]):
    def __init__(self) -> None:
        super().__init__()
        self.now = at(20)
        self.timeline = Timeline(now=lambda: self.now)

    def compose(self) -> ComposeResult:
        yield self.timeline

    @property
    def rows(self) -> list[str]:
        return [
            strip.text.rstrip()
            for strip in self.screen._compositor.render_strips()
            if strip.text.strip()
        ]

    def show(self, calls: list[ToolCallRow], requests: list[RequestRow]) -> None:
        self.timeline.show(calls, requests)


async def shown(
    pilot: Pilot[None], app: TimelineApp, calls: list[ToolCallRow], requests: list[RequestRow]
) -> list[str]:
    app.show(calls, requests)
    app.timeline.focus()
    await pilot.pause()
    return app.rows


async def test_bars_stand_where_their_time_is_and_tell_phases_by_signs() -> None:
    app = TimelineApp()
    async with app.run_test(size=(102, 20)) as pilot:
        rows = await shown(pilot, app, CALLS, REQUESTS)
        label, width, _ = app.timeline._columns(app.timeline.text_width)
        bars = [row[label + 1 :][:width] for row in rows]

        def cells(row: int, sign: str) -> tuple[int, int]:
            line = bars[row]
            return line.index(sign), line.rindex(sign) + 1

        def columns(start: float, end: float) -> tuple[int, int]:
            return round(start * width / 20), round(end * width / 20)

        assert "model 65%" in bars[0]
        assert "you 5%" in bars[0]
        assert cells(1, "┈") == columns(0, 1)
        assert cells(1, "━") == columns(1, 2)
        assert cells(2, "█") == columns(2, 4)
        assert cells(2, "─") == columns(4, 8)
        assert cells(3, "▒") == columns(2, 5)
        assert cells(3, "·") == columns(5, 6)
        assert cells(3, "█") == columns(6, 7)
        assert cells(5, "█") == columns(9, 10)
        assert [row[:3] for row in rows[2:4]] == ["┌✓ ", "└✓ "]
        assert rows[5].startswith(" ✗ failed")
        assert rows[2].endswith("2.0 s")


async def test_a_short_run_is_always_seen() -> None:
    app = TimelineApp()
    async with app.run_test(size=(80, 20)) as pilot:
        short = call("short", (2, 2, 2.0, 2.001))
        rows = await shown(
            pilot, app, [short], [request(1, 0, None, 2), request(2, 900, None, 1000)]
        )
        assert rows[2].count("█") == 1


async def test_turns_have_their_own_axis_or_share_one() -> None:
    app = TimelineApp()
    async with app.run_test(size=(102, 20)) as pilot:
        later = call(
            "later", (5_000, 5_000, 5_000, 5_002), turn_id="turn-2", request_id="request-9"
        )
        rows = await shown(pilot, app, [call("first", (0, 0, 0, 4)), later], [])
        label, width, _ = app.timeline._columns(app.timeline.text_width)
        assert [row.count("█") for row in rows] == [0, width, 0, width]
        await pilot.press("z")
        await pilot.pause()
        rows = app.rows
        first, second = rows[1][label + 1 :], rows[3][label + 1 :]
        assert second.index("█") > first.rindex("█"), "one axis, in order"
        busy = first.count("█") + second.count("█")
        assert busy >= 0.75 * width, "83 idle minutes take no more than a fifth of it"
        assert first.count("█") == pytest.approx(2 * second.count("█"), abs=2)


async def test_zooming_shows_a_part_and_points_to_what_is_outside() -> None:
    app = TimelineApp()
    async with app.run_test(size=(102, 20)) as pilot:
        await shown(pilot, app, CALLS, REQUESTS)
        app.timeline.move_cursor_to_id("call-quick")
        before = app.rows[2].count("█")
        await pilot.press("plus", "plus")
        await pilot.pause()
        assert app.rows[2].count("█") >= 3 * before
        assert "›" in app.rows[6], "the last request is later"
        for _ in range(12):
            await pilot.press("greater_than_sign")
        await pilot.pause()
        assert "‹" in app.rows[2]
        await pilot.press("0")
        await pilot.pause()
        assert app.rows[2].count("█") == before


async def test_what_runs_grows_and_no_timer_is_left_behind() -> None:
    app = TimelineApp()
    async with app.run_test(size=(102, 20)) as pilot:
        app.now = at(3)
        busy = call("busy", (2, 2, 2, None))
        rows = await shown(pilot, app, [busy], [request(1, 0, None, 2)])
        assert app.timeline._ticker is not None
        before = rows[2].count("█")
        app.now = at(3.5)
        app.timeline._tick()
        await pilot.pause()
        assert app.rows[2].count("█") > before
        assert app.rows[2].endswith("1.5 s")
        app.show([call("busy", (2, 2, 2, 4))], [request(1, 0, None, 2), request(2, 4, None, 5)])
        assert app.timeline._ticker is None
        assert TICK_SECONDS >= 0.1


async def test_reruns_stand_below_the_turns_and_are_marked() -> None:
    app = TimelineApp()
    async with app.run_test(size=(102, 20)) as pilot:
        again = rerun(CALLS[0], (100, 100, 100, 101))
        rows = await shown(pilot, app, [*CALLS, again], REQUESTS)
        assert rows[7].startswith("run by you")
        assert "never sent to the model" in rows[7]
        assert rows[8].startswith(" ✓ ↻quick")


async def test_names_are_data() -> None:
    app = TimelineApp()
    async with app.run_test(size=(80, 20)) as pilot:
        evil = call("[red]x\x1b[2J\n", (0, 0, 0, 1), id="evil")
        rows = await shown(pilot, app, [evil], [])
        assert "[red]x␛[2J" in rows[1]


@pytest.mark.parametrize("width", [20, 33, 38, 60])
async def test_it_fits_a_narrow_panel(width: int) -> None:
    app = TimelineApp()
    async with app.run_test(size=(width, 12)) as pilot:
        rows = await shown(pilot, app, CALLS, REQUESTS)
        assert "█" in rows[2]
        assert rows[2].endswith(" s")


async def test_a_thousand_calls_paint_only_the_screen() -> None:
    app = TimelineApp()
    async with app.run_test(size=(100, 30)) as pilot:
        calls = [
            call("tool", (n, n, n, n + 0.5), id=f"call-{n}", request_id=f"request-{n}")
            for n in range(1_000)
        ]
        requests = [request(n, n - 0.4, None, n) for n in range(1_000)]
        await shown(pilot, app, calls, requests)
        timeline = app.timeline
        assert timeline.row_count() == 2_001
        await pilot.press("end")
        await pilot.pause()
        for key, most in {"up": 4, "pageup": 31, "z": 31, "plus": 31}.items():
            before = timeline.lines_painted
            await pilot.press(key)
            await pilot.pause()
            assert timeline.lines_painted - before <= most, key


# -- the axis


stretches = st.lists(
    st.tuples(st.integers(1, 10**6), st.integers(0, 10**6)), min_size=1, max_size=8
).map(
    lambda pairs: [
        (start, start + length)
        for start, length in zip(
            [sum(a + b for a, b in pairs[:n]) + pairs[n][0] for n in range(len(pairs))],
            [length for _, length in pairs],
            strict=True,
        )
    ]
)


@given(stretches, st.integers(1, 300), st.lists(st.integers(0, 2 * 10**6), max_size=12))
def test_time_never_runs_backwards_on_the_axis(
    spans: list[tuple[int, int]], width: int, moments: list[int]
) -> None:
    scale = TimeScale(spans, width)
    columns = [scale.column(moment) for moment in sorted(moments)]
    assert columns == sorted(columns)
    assert scale.column(spans[0][0]) == pytest.approx(0)
    if spans[-1][1] > spans[0][0]:
        assert scale.column(spans[-1][1]) == pytest.approx(width)


@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("zoom"), st.floats(0.1, 10), st.floats(0, 1)),
            st.tuples(st.just("pan"), st.floats(-2, 2), st.just(0.0)),
        ),
        max_size=30,
    )
)
def test_a_view_stays_on_the_axis(moves: list[tuple[str, float, float]]) -> None:
    view = WHOLE
    for kind, amount, around in moves:
        view = zoomed(view, amount, around) if kind == "zoom" else panned(view, amount)
        start, end = view
        assert -1e-9 <= start < end <= 1 + 1e-9


def test_a_growing_axis_grows_in_steps() -> None:
    assert grown(10) == 1_000
    assert grown(1_001) == 1_250
    assert all(grown(ms) >= ms for ms in range(1, 100_000, 77))
    assert len({grown(ms) for ms in range(1, 60_000)}) < 25
