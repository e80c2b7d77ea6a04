"""`chatglass usage`: what was spent, by day, model, tool or session."""

from __future__ import annotations

import argparse

from chatglass.commands.opening import opened
from chatglass.commands.printing import emit, emit_json, note
from chatglass.spending.days import Range
from chatglass.spending.report import as_csv, as_json, as_table
from chatglass.store.usage_records import UsageQuery
from chatglass.values.text import one_line

_WIDEST = 60


async def run_usage(found: argparse.Namespace) -> int:
    span = Range(found.since, found.until)
    query = UsageQuery(by=found.by, since=span.since, until=span.until)
    async with opened(found.data_dir) as store:
        rows = await store.usage(query)
    if found.json:
        days = {"since": _iso(found.since), "until": _iso(found.until)}
        emit_json({**days, **as_json(found.by, rows)})
    elif found.csv:
        emit(as_csv(found.by, rows))
    elif not rows:
        note(f"No requests ({span.words}).")
    else:
        emit(_text(as_table(found.by, rows)))
    return 0


def _iso(day: object) -> str | None:
    return None if day is None else str(day)


def _text(lines: list[tuple[str, ...]]) -> str:
    """Columns, the first to the left and the others to the right."""
    shown = [(one_line(name, _WIDEST), *rest) for name, *rest in lines]
    widths = [max(map(len, column)) for column in zip(*shown, strict=True)]
    return "".join(
        "  ".join(
            [f"{name:<{widths[0]}}"]
            + [f"{cell:>{width}}" for cell, width in zip(rest, widths[1:], strict=True)]
        ).rstrip()
        + "\n"
        for name, *rest in shown
    )
