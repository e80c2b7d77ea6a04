"""What the meter shows, as rows of styled pieces; no widget, so that it can be tested as data."""

from __future__ import annotations

from rich.cells import cell_len

from chatglass.chat.stats import TokenStats
from chatglass.tui.meter.context_rows import context_rows
from chatglass.tui.meter.row import Row, pair
from chatglass.values import figures
from chatglass.values.text import one_line
from chatglass.values.usage import Spent

_MOST_NAMED = 4
"""Models and tools that have rows of their own."""


def _two(rank: int, width: int, *pairs: tuple[str, str]) -> list[Row]:
    """Two pairs on one row where they fit, else a row each."""
    wanted = sum(cell_len(label) + cell_len(value) + 1 for label, value in pairs) + 2
    if wanted > width or len(pairs) != 2:
        return [pair(rank, label, value, width) for label, value in pairs]
    (one, first), (two, second) = pairs
    gap = width - wanted + 2
    return [
        Row(
            rank,
            (
                (f"{one} ", "label"),
                (first, "value"),
                (" " * gap, ""),
                (f"{two} ", "label"),
                (second, "value"),
            ),
        )
    ]


def _costs(stats: TokenStats, width: int) -> list[Row]:
    turn = figures.cost(stats.turn_cost, about=stats.turn_estimated, unpriced=stats.turn_unpriced)
    rows = [
        _spending("turn", stats.turn_requests, turn, 4, width),
        _spending("session", stats.requests, stats.cost_words, 3, width),
    ]
    if stats.unpriced_requests and stats.estimated_cost is not None:
        rows.append(pair(10, "of them unpriced", str(stats.unpriced_requests), width, "warning"))
    # Where this session is all there was today, a row would only say it again.
    today = stats.today
    if today is not None and (today.requests, today.tokens) != (stats.requests, stats.total_tokens):
        rows.append(_spending("today", today.requests, _money(today), 5, width))
    return rows


def _money(spent: Spent) -> str:
    return figures.cost(spent.cost, about=spent.estimated, unpriced=spent.unpriced)


def _by_model(stats: TokenStats, width: int) -> list[Row]:
    if len(stats.by_model) < 2:
        return []
    return [
        _spending(one_line(model.name, width), model.requests, _money(model), 10, width)
        for model in stats.by_model[:_MOST_NAMED]
    ]


def _by_tool(stats: TokenStats, width: int) -> list[Row]:
    """What results have cost so far, as they are sent again with every request."""
    rows: list[Row] = []
    for tool in stats.by_tool[:_MOST_NAMED]:
        value = _money(tool)
        if not tool.cost:
            value = f"{figures.ABOUT} {figures.short_tokens(tool.tokens)} tokens"
        rows.append(pair(13, f"results of {one_line(tool.name, width)}", value, width))
    return rows


def _spending(label: str, requests: int, cost: str, rank: int, width: int) -> Row:
    counted = figures.counted(requests, "request")
    if cell_len(f"{label}  {counted}  {cost}") > width:
        return pair(rank, label, cost, width)
    gap = width - cell_len(label) - cell_len(counted) - cell_len(cost) - 2
    return Row(
        rank,
        (
            (label, "label"),
            (" " * gap, ""),
            (f"{counted}  ", "label"),
            (cost, "value"),
        ),
    )


def _pace(stats: TokenStats, width: int) -> list[Row]:
    rows: list[Row] = []
    rate = figures.speed(stats.tokens_per_second)
    if stats.cost_by_turn and any(stats.cost_by_turn):
        room = max(4, width - 8 - (cell_len(rate) + 2 if rate else 0))
        line = figures.sparkline(stats.cost_by_turn, room)
        rows.append(_row_of(9, "a turn ", line, rate, width))
    elif rate:
        rows.append(pair(9, "speed", rate, width))
    if stats.first_token_ms is not None:
        rows.append(pair(11, "first token", figures.duration(stats.first_token_ms), width))
    return rows


def _row_of(rank: int, label: str, line: str, right: str, width: int) -> Row:
    gap = max(0, width - cell_len(label) - cell_len(line) - cell_len(right))
    return Row(rank, ((label, "label"), (line, "good"), (" " * gap, ""), (right, "value")))


_GAP = Row(14, ())
"""Sets groups apart; the first to be left out."""


def meter_rows(stats: TokenStats, width: int, height: int) -> list[Row]:
    """At most `height` rows of `width` cells; the less important are left out."""
    mark = f"{figures.ABOUT} " if stats.source == "estimated" else ""
    rows = [*context_rows(stats, width), _GAP, *_costs(stats, width), _GAP]
    rows += _two(
        5,
        width,
        ("in", mark + figures.tokens(stats.input_tokens)),
        ("cached", figures.tokens(stats.cached_tokens)),
    )
    rows += _two(
        5,
        width,
        ("out", mark + figures.tokens(stats.output_tokens)),
        ("reasoning", figures.tokens(stats.reasoning_tokens)),
    )
    if stats.pending:
        rows.append(pair(6, "in flight", f"{figures.ABOUT} {figures.tokens(stats.pending)}", width))
    rows += _two(
        6,
        width,
        ("total", mark + figures.tokens(stats.total_tokens)),
        ("tool calls", str(stats.tool_calls)),
    )
    if stats.segments > 1:
        rows.append(pair(12, "segments", str(stats.segments), width))
    rows += [_GAP, *_pace(stats, width)]
    for named in (_by_model(stats, width), _by_tool(stats, width)):
        rows += [_GAP, *named] if named else []
    if stats.degraded:
        why = one_line(f"! ledger off: {stats.degraded}", 4 * width)
        rows += [
            Row(2, ((why[start : start + width], "warning"),))
            for start in range(0, min(len(why), 2 * width), width)
        ]
    while len(rows) > max(0, height):
        worst = max(row.rank for row in rows)
        rows.pop(max(index for index, row in enumerate(rows) if row.rank == worst))
    return rows
