"""Figures, the meter's rows, the top line; and that drawing them is cheap."""

from __future__ import annotations

import re
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from textual.app import App, ComposeResult

from chatglass.chat.stats import ContextParts, TokenStats
from chatglass.tui.meter.context_rows import bar_pieces
from chatglass.tui.meter.meter import Meter
from chatglass.tui.meter.rows import meter_rows
from chatglass.tui.topline.top_line import TopLine, top_line
from chatglass.values import figures
from chatglass.values.usage import Spent

STATS = TokenStats(
    total_tokens=64_085,
    estimated_cost=Decimal("0.0183"),
    tool_calls=5,
    segments=2,
    requests=11,
    input_tokens=61_204,
    output_tokens=2_881,
    cached_tokens=48_100,
    reasoning_tokens=512,
    turn_requests=3,
    turn_cost=Decimal("0.0041"),
    context=ContextParts(system=1_200, tools=3_100, history=40_010, tool_results=8_000),
    limit=128_000,
    window=200_000,
    cost_by_turn=(Decimal("0.001"), Decimal("0.002"), Decimal("0.004")),
    tokens_per_second=82.4,
    first_token_ms=420,
)


def changed(**fields: object) -> TokenStats:
    from dataclasses import replace

    return replace(STATS, **fields)  # type: ignore[arg-type]


def text_of(stats: TokenStats, width: int = 31, height: int = 40) -> str:
    return "\n".join(row.text for row in meter_rows(stats, width, height))


@pytest.mark.parametrize(
    ("count", "short"),
    [
        (0, "0"), (999, "999"), (1_000, "1k"), (52_310, "52.3k"), (99_949, "99.9k"),
        (99_951, "100k"), (120_400, "120k"), (999_499, "999k"), (999_600, "1M"),
        (1_234_567, "1.2M"), (2_000_000_000, "2G"), (None, "—"), (-1_500, "-1.5k"),
    ],
)  # fmt: skip
def test_short_tokens(count: int | None, short: str) -> None:
    assert figures.short_tokens(count) == short


@given(st.integers(min_value=0, max_value=10**9))
def test_short_tokens_stay_short(count: int) -> None:
    assert len(figures.short_tokens(count)) <= 5


@pytest.mark.parametrize(
    ("usd", "text"),
    [
        ("0", "$0.00"), ("0.0183", "$0.0183"), ("0.00183", "$0.0018"), ("0.000183", "$0.00018"),
        ("0.0000009", "$0.00000090"), ("0.00000000001", "<$0.0000001"), ("0.999", "$0.9990"),
        ("1.239", "$1.24"), ("123.45", "$123.5"), ("12345.6", "$12,346"), ("-0.5", "-$0.5000"),
    ],
)  # fmt: skip
def test_money_has_sensible_digits(usd: str, text: str) -> None:
    if usd == "123.45":
        assert figures.money(Decimal(usd)) in ("$123.4", "$123.5")
    else:
        assert figures.money(Decimal(usd)) == text


def test_money_says_what_it_does_not_know() -> None:
    assert figures.money(None) == "—"
    assert figures.money(Decimal("0.5"), about=True) == "≈ $0.5000"
    assert figures.cost(None) == "—"
    assert figures.cost(Decimal("0.5"), unpriced=2) == "$0.5000+"
    assert figures.cost(Decimal(0)) == "free"


@given(st.decimals(min_value=0, max_value=10**6, allow_nan=False, places=9))
def test_money_never_shows_a_cost_as_nothing(usd: Decimal) -> None:
    text = figures.money(usd)
    assert len(text) <= 12
    assert (text.strip("$0.,") == "") == (usd == 0)


@given(st.one_of(st.none(), st.floats(0, 3)), st.integers(0, 60))
def test_a_bar_has_its_width_and_shows_only_the_full_as_full(
    fraction: float | None, width: int
) -> None:
    bar = figures.bar(fraction, width)
    assert len(bar) == width
    if width:
        assert ("▰" in bar) == bool(fraction)
        assert ("▱" in bar) == (fraction is None or fraction * width < width or width == 0) or (
            fraction is not None and fraction < 1 and width == 1
        )


@pytest.mark.parametrize(
    ("duration", "text"),
    [(20, "0.02 s"), (4_210, "4.2 s"), (59_990, "1 min 00 s"), (64_000, "1 min 04 s"),
     (7_380_000, "2 h 03 min"), (None, "—")],
)  # fmt: skip
def test_seconds(duration: int | None, text: str) -> None:
    assert figures.duration(duration) == text


def test_sparkline_and_percent() -> None:
    assert figures.sparkline([0, 1, 2, 4], 9) == "▁▂▄█"
    assert figures.sparkline([1, 2, 3], 2) == "▆█" or len(figures.sparkline([1, 2, 3], 2)) == 2
    assert figures.sparkline([], 5) == ""
    assert figures.percent(0.004) == "<1%"
    assert figures.percent(0.999) == "99%"


def test_the_meter_shows_every_figure() -> None:
    text = text_of(STATS)
    for figure in (
        "52,310 / 128,000", "41%", "│", "200,000", "system 1.2k", "tools 3.1k", "history 40k",
        "results 8k", "61,204", "48,100", "2,881", "512", "3 requests  $0.0041",
        "11 requests  $0.0183", "tool calls 5", "64,085", "82 tok/s", "0.42 s", "▂",
    ):  # fmt: skip
        assert figure in text, figure
    assert "≈" not in text


def test_the_meter_marks_what_is_estimated_unpriced_free_or_unknown() -> None:
    assert "≈ 61,204" in text_of(changed(source="estimated"), 40)
    assert "≈ $0.0183" in text_of(changed(source="estimated"), 40)
    unpriced = text_of(changed(estimated_cost=None, turn_cost=None))
    assert "11 requests  —" in unpriced
    assert "$0.0183+" in text_of(changed(unpriced_requests=2))
    free = text_of(changed(estimated_cost=Decimal(0), turn_cost=Decimal(0)))
    assert "11 requests  free" in free
    assert "$" not in free
    unknown = text_of(changed(limit=None, window=None))
    assert "52,310 / —" in unknown
    assert "in flight" in text_of(changed(pending=900))
    assert "≈ 900" in text_of(changed(pending=900))


@given(
    st.builds(
        ContextParts,
        **dict.fromkeys(("system", "tools", "history", "draft"), st.integers(0, 10**6)),
    ),
    st.one_of(st.none(), st.integers(1, 10**6)),
    st.integers(4, 60),
)
def test_the_bar_of_parts_is_the_bar(context: ContextParts, limit: int | None, width: int) -> None:
    stats = changed(context=context, limit=limit)
    pieces = bar_pieces(context, stats.context_fraction, width)
    text = "".join(text for text, _ in pieces)
    assert text == figures.bar(stats.context_fraction, width, 0.8)
    order = [tone for _, tone in pieces if tone in ("system", "tools", "history", "draft")]
    assert list(dict.fromkeys(order)) == sorted(set(order), key="system tools history draft".find)
    full = {tone for text, tone in pieces if "▱" in text}
    assert full <= {""}


def test_each_part_takes_its_share_of_the_bar() -> None:
    context = ContextParts(system=1_000, history=2_000, draft=1_000)
    pieces = bar_pieces(context, 1.0, 40)
    assert [(len(text), tone) for text, tone in pieces] == [
        (10, "system"), (20, "history"), (2, "draft"), (1, "error"), (7, "draft")
    ]  # fmt: skip
    assert "draft 1k" in text_of(changed(context=context))


def test_the_meter_warns_from_80_percent_in_words_too() -> None:
    assert "!" not in text_of(changed(limit=66_000))
    assert "! over 80 % of the limit" in text_of(changed(limit=65_000))
    assert "! over the limit" in text_of(changed(limit=52_310))


def test_a_degraded_ledger_is_said() -> None:
    text = text_of(changed(degraded="No module\x1b named [b]chuk"))
    assert "ledger off: No module␛" in text


@given(
    st.integers(min_value=20, max_value=60),
    st.integers(min_value=0, max_value=30),
    st.booleans(),
    st.integers(min_value=0, max_value=10**8),
)
def test_rows_fit_width_and_height_and_the_context_goes_last(
    width: int, height: int, wild: bool, tokens: int
) -> None:
    stats = changed(
        input_tokens=tokens, pending=tokens, source="estimated" if wild else "reported",
        degraded="it broke" if wild else None, context=ContextParts(history=tokens),
    )  # fmt: skip
    rows = meter_rows(stats, width, height)
    assert len(rows) <= height
    assert all(cell_len(row.text) <= width for row in rows)
    if height:
        assert rows[0].text.startswith("context")


@given(
    st.integers(min_value=40, max_value=250),
    st.text(max_size=80),
    st.text("abc-界/:", max_size=60),
    st.booleans(),
)
def test_the_top_line_fills_its_width_and_keeps_context_and_cost(
    width: int, title: str, model: str, known: bool
) -> None:
    stats = STATS if known else changed(limit=None, estimated_cost=None)
    text = "".join(piece for piece, _ in top_line(title, model, "openai", stats, width))
    assert cell_len(text) == width
    assert ("41%" if known else "—") in text
    assert ("$0.0183" if known else "—") in text
    assert "\x1b" not in text


def test_the_top_line_at_its_widths() -> None:
    def line(width: int) -> str:
        pieces = top_line("Fix the flaky parser test", "gpt-5-mini", "openai", STATS, width)
        return "".join(piece for piece, _ in pieces)

    assert "ctx ▰▰▰▰▱▱▱▱▱▱ 41%" in line(120)
    assert "gpt-5-mini · openai" in line(80)
    assert "Fix the" in line(40)


class Host(App[None]):
    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def compose(self) -> ComposeResult:
        yield TopLine()
        yield Meter(clock=lambda: self.now)


def test_today_models_and_tools_have_rows_where_there_is_room() -> None:
    stats = changed(
        today=Spent(requests=40, tokens=9, cost=Decimal("1.25"), unpriced=1),
        by_model=(
            Spent(name="gpt-5", requests=9, tokens=50, cost=Decimal("0.018")),
            Spent(name="gemma3:13b", requests=2, tokens=20, cost=Decimal(0)),
        ),
        by_tool=(
            Spent(
                name="read_file", requests=4, tokens=1_200, cost=Decimal("0.0021"), estimated=True
            ),
            Spent(name="run", requests=4, tokens=1_200, cost=None, unpriced=4),
        ),
        turn_unpriced=1,
    )
    shown = text_of(stats, width=40)
    for pattern in (
        r"today +40 requests +\$1\.25\+", r"gpt-5 +9 requests +\$0\.0180",
        r"gemma3:13b +2 requests +free", r"results of read_file +≈ \$0\.0021",
        r"results of run +≈ 1\.2k tokens", r"turn +3 requests +\$0\.0041\+",
    ):  # fmt: skip
        assert re.search(pattern, shown), pattern
    # In the 18 rows that it has on 40 what sets groups apart goes first, and nothing else.
    tight = text_of(
        changed(
            **{name: getattr(stats, name) for name in ("today", "by_model", "by_tool")},
            turns_left=9,
            strategy="trim",
            segments=1,
            window=STATS.limit,
        ),
        width=40,
        height=18,
    )
    for pattern in (
        "today",
        "gpt-5 ",
        "gemma3:13b",
        "results of read_file",
        "82 tok/s",
        "first token",
        "turns before",
        "history",
    ):
        assert pattern in tight, pattern
    overlay = text_of(stats, width=56, height=11)
    for pattern in ("turn ", "session ", "today", "cached", "reasoning", "total", "82 tok/s"):
        assert pattern in overlay, pattern
    low = text_of(stats, width=40, height=10)
    assert "results of" not in low
    assert "session" in low
    estimated = changed(
        today=Spent(requests=40, tokens=9, cost=Decimal("1.25"), estimated=True),
        by_model=tuple(replace(one, estimated=True) for one in stats.by_model),
        turn_estimated=True,
    )
    shown = text_of(estimated, width=40)
    for pattern in (
        r"today +40 requests +≈ \$1\.25",
        r"gpt-5 .*≈ \$0\.0180",
        r"turn .*≈ \$0\.0041",
    ):
        assert re.search(pattern, shown), pattern
    # Of a session that was resumed today is less than the whole.
    resumed = changed(today=Spent(requests=2, tokens=9, cost=Decimal("0.001")))
    assert re.search(r"today +2 requests +\$0\.0010", text_of(resumed, width=40))
    alone = changed(
        today=Spent(requests=11, tokens=STATS.total_tokens, cost=Decimal("0.0183")),
        by_model=stats.by_model[:1],
    )
    assert "today" not in text_of(alone)
    assert "gpt-5 " not in text_of(alone)


async def test_figures_are_drawn_at_once_then_at_most_ten_times_a_second() -> None:
    app = Host()
    async with app.run_test(size=(40, 20)) as pilot:
        meter = app.query_one(Meter)
        before = meter.drawings
        for number in range(1, 51):
            meter.show(changed(input_tokens=number))
        assert meter.drawings == before + 1
        app.now = 1.0
        await pilot.pause(0.15)
        assert meter.drawings == before + 2
        assert meter.stats.input_tokens == 50
        meter.show(meter.stats)
        assert meter.drawings == before + 2


async def test_new_figures_never_lay_anything_out() -> None:
    app = Host()
    async with app.run_test(size=(80, 20)) as pilot:
        await pilot.pause()
        layouts = 0
        refresh = app.screen._refresh_layout

        def counted(*args, **kwargs) -> None:
            nonlocal layouts
            layouts += 1
            refresh(*args, **kwargs)

        app.screen._refresh_layout = counted  # type: ignore[method-assign]
        for number in range(5):
            app.now += 1
            app.query_one(Meter).show(changed(input_tokens=10**number, pending=number))
            app.query_one(TopLine).show(f"[b]title {number}", "m", "e", STATS)
            await pilot.pause()
        assert layouts == 0
        rows = [
            "".join(segment.text for segment in strip)
            for strip in app.screen._compositor.render_strips()
        ]
        assert "[b]title 4" in rows[0]
        assert any("10,000" in row for row in rows)
