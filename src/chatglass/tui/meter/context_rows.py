"""The context of the next request in the meter: how full it is, and of what."""

from __future__ import annotations

from rich.cells import cell_len

from chatglass.chat.stats import ContextParts, TokenStats
from chatglass.tui.meter.row import Row, Tone, pair
from chatglass.values import figures

WARNING_AT = 0.8


def level(fraction: float | None) -> Tone:
    """The tone of a context this full."""
    if fraction is None or fraction < WARNING_AT:
        return "good"
    return "warning" if fraction < 1 else "error"


def context_rows(stats: TokenStats, width: int) -> list[Row]:
    fraction = stats.context_fraction
    tone = level(fraction)
    used = figures.tokens(stats.context_tokens)
    most = figures.tokens(stats.limit)
    if cell_len(f"context {used} / {most}") > width:
        used, most = figures.short_tokens(stats.context_tokens), figures.short_tokens(stats.limit)
    share = figures.percent(fraction)
    bar = bar_pieces(stats.context, fraction, max(4, width - 5))
    rows = [
        pair(0, "context", f"{used} / {most}", width),
        Row(1, (*bar, (f"{share:>5}", tone))),
    ]
    if fraction is not None and fraction >= WARNING_AT:
        text = "over the limit" if fraction >= 1 else "over 80 % of the limit"
        rows.append(Row(2, ((f"! {text}"[:width], tone),)))
    if stats.window is not None and stats.window != stats.limit:
        rows.append(pair(12, "window", figures.tokens(stats.window), width))
    elif stats.window is None:
        rows.append(pair(12, "window", figures.UNKNOWN, width))
    rows += _legend(stats.context, width)
    if stats.turns_left is not None:
        rows.append(_forecast(stats, width))
    return rows


def _named(context: ContextParts) -> list[tuple[Tone, int]]:
    """The parts that are there, in the order in which they are sent."""
    named: list[tuple[Tone, int]] = [
        ("system", context.system),
        ("tools", context.tools),
        ("summary", context.summary),
        ("history", context.history),
        ("results", context.tool_results),
        ("draft", context.draft),
    ]
    return [(name, count) for name, count in named if count > 0]


def bar_pieces(
    context: ContextParts, fraction: float | None, width: int
) -> tuple[tuple[str, Tone], ...]:
    """`figures.bar` with each part in its own colour; the 80 % are marked."""
    cells = figures.bar(fraction, width, WARNING_AT)
    unmarked = figures.bar(fraction, width)
    tones: list[Tone] = []
    filled = unmarked.count("▰")
    total, sent = context.total, 0
    for name, count in _named(context):
        sent += count
        # By running sums, so that the cells of all parts come to those of the whole.
        for _ in range(len(tones), round(filled * sent / total)):
            tones.append(name)
    pieces: list[tuple[str, Tone]] = []
    for place, cell in enumerate(cells):
        tone: Tone = tones[place] if place < len(tones) else ""
        if cell == "│":
            tone = level(fraction)
        if pieces and pieces[-1][1] == tone:
            pieces[-1] = (pieces[-1][0] + cell, tone)
        else:
            pieces.append((cell, tone))
    return tuple(pieces)


def _legend(context: ContextParts, width: int) -> list[Row]:
    """The parts by name in the colours and the order that they have in the bar."""
    rows: list[Row] = []
    line: list[tuple[str, Tone]] = []
    used = 0
    for name, tokens in _named(context):
        count = figures.short_tokens(tokens)
        needed = len(name) + 1 + len(count)
        if used and used + 2 + needed > width:
            rows.append(Row(8, tuple(line)))
            line, used = [], 0
        if used:
            line.append(("  ", ""))
            used += 2
        line.append((f"{name} ", name))
        line.append((count, "value"))
        used += needed
    if line:
        rows.append(Row(8, tuple(line)))
    return rows


def _forecast(stats: TokenStats, width: int) -> Row:
    """How many turns are left before the limit, and what happens then."""
    left = stats.turns_left or 0
    count = f"{figures.ABOUT} {figures.counted(left, 'turn')}"
    tone: Tone = "value" if left else "warning"
    if not stats.strategy:
        return pair(7, "before the limit", count, width, tone)
    whole = f"{count} before compaction"
    if cell_len(whole) + cell_len(stats.strategy) + 1 <= width:
        gap = width - cell_len(whole) - cell_len(stats.strategy)
        return Row(7, ((whole, tone), (" " * gap, ""), (stats.strategy, "label")))
    return Row(7, ((whole[:width], tone),))
