"""Durations, sizes, ages and costs in a few cells."""

from __future__ import annotations

import time
from decimal import Decimal


def duration(ms: int) -> str:
    """`0.02 s`, `4.2 s`, `3 min 20 s`, `2 h 5 min`."""
    if ms < 1_000:
        return f"{ms / 1000:.2f} s"
    if ms < 59_950:
        return f"{ms / 1000:.1f} s"
    seconds = round(ms / 1000)
    if seconds < 3600:
        return f"{seconds // 60} min {seconds % 60} s"
    return f"{seconds // 3600} h {seconds % 3600 // 60} min"


def size(count: int) -> str:
    """Bytes in decimal units: `812 B`, `3.1 kB`, `5.2 MB`."""
    if count < 1000:
        return f"{count} B"
    value = float(count)
    for unit in ("kB", "MB", "GB"):
        value /= 1000
        if value < 999.95:
            return f"{value:.1f} {unit}"
    return f"{value / 1000:.1f} TB"


def age(ms: int, now: int) -> str:
    """How long ago, in the largest unit that fits: `now`, `5 min`, `3 h`, `2 d`, `7 wk`, `2 y`."""
    seconds = max(0, (now - ms) // 1000)
    if seconds < 60:
        return "now"
    for unit, length, end in (
        ("min", 60, 3600),
        ("h", 3600, 86_400),
        ("d", 86_400, 14 * 86_400),
        ("wk", 7 * 86_400, 365 * 86_400),
    ):
        if seconds < end:
            return f"{seconds // length} {unit}"
    return f"{seconds // (365 * 86_400)} y"


def date(ms: int) -> str:
    """Local day and time: `2025-03-09 14:02`."""
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(ms / 1000))


def clock(ms: int) -> str:
    """Local time of day to the millisecond: `14:02:11.204`."""
    return time.strftime("%H:%M:%S", time.localtime(ms / 1000)) + f".{ms % 1000:03d}"


def share(part: int, whole: int) -> str:
    """`part` of `whole` in per cent; never 0 % of something, never 100 % of less than all."""
    if not whole or part >= whole:
        return "100 %"
    percent = part / whole * 100
    if percent < 0.1:
        return "0 %" if part == 0 else "<0.1 %"
    if percent < 10:
        return f"{percent:.1f} %"
    return f"{min(99, round(percent))} %"


def cost(usd: Decimal) -> str:
    """Dollars: `$0` where free, four digits below a dollar, cents above."""
    if usd == 0:
        return "$0"
    if usd < Decimal("0.0001"):
        return "<$0.0001"
    return f"${usd:.4f}" if usd < 1 else f"${usd:,.2f}"
