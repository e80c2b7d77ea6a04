"""How figures are written for people: tokens, money, times, sizes, bars. The one place for it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from decimal import ROUND_HALF_EVEN, Decimal

UNKNOWN = "—"
ABOUT = "≈"
_SPARKS = "▁▂▃▄▅▆▇█"


def tokens(count: int | None) -> str:
    """`52,310`; `—` where unknown."""
    return UNKNOWN if count is None else f"{count:,}"


def short_tokens(count: int | None) -> str:
    """`812`, `52.3k`, `120k`, `1.2M`: at most five characters up to 999 million."""
    if count is None:
        return UNKNOWN
    if count < 0:
        return f"-{short_tokens(-count)}"
    if count < 1_000:
        return str(count)
    for size, unit in ((1_000, "k"), (1_000_000, "M"), (1_000_000_000, "G")):
        if (scaled := count / size) < 99.95:
            return f"{scaled:.1f}".removesuffix(".0") + unit
        if scaled < 999.5:
            return f"{scaled:.0f}{unit}"
    return f"{count / 1_000_000_000_000:.1f}T"


def money(usd: Decimal | None, *, about: bool = False) -> str:
    """`$0.0183`: four decimals below a dollar, more where that would hide the figure; `—` unpriced.

    `about` puts `≈` before a figure that rests on an estimate.
    """
    if usd is None:
        return UNKNOWN
    sign = "-" if usd < 0 else ""
    size = abs(usd)
    if size == 0:
        text = "0.00"
    elif size >= 100:
        text = f"{size:,.0f}" if size >= 1_000 else f"{size:.1f}"
    elif size >= 1:
        text = f"{size:.2f}"
    elif size >= Decimal("0.001"):
        text = f"{size:.4f}"
    elif size >= Decimal("0.0000001"):
        # Two significant digits: the smallest prices are some 1e-8 dollars a token.
        places = Decimal(1).scaleb(size.adjusted() - 1)
        text = f"{size.quantize(places, ROUND_HALF_EVEN):f}"
    else:
        return f"{sign}<$0.0000001"
    return f"{f'{ABOUT} ' if about else ''}{sign}${text}"


def sum_set(usd: Decimal) -> str:
    """A sum that somebody set, such as a limit: `$0.50`, `$0.0005`, with no zeros that say nothing."""
    return f"${usd:,.{_places(usd)}f}"


def money_of(spent: Decimal, limit: Decimal) -> str:
    """`$0.00 of $0.50`, `$0.1250 of $0.5000`: as many digits on either side."""
    written = Decimal(money(spent).lstrip("<$").replace(",", ""))
    places = max(_places(limit), _places(written))
    return f"${spent:,.{places}f} of ${limit:,.{places}f}"


def _places(usd: Decimal) -> int:
    """Two decimals, four where these say more, or as many as it takes."""
    exponent = usd.normalize().as_tuple().exponent
    needed = -exponent if isinstance(exponent, int) else 0
    return 2 if needed <= 2 else max(4, needed)


def cost(usd: Decimal | None, *, about: bool = False, unpriced: int = 0) -> str:
    """A cost with what is known of it: `—`, `free` for what is known to cost nothing, `$0.0183`, or
    `$0.0183+` with unpriced requests."""
    if usd is None or (unpriced and not usd):
        return UNKNOWN
    if not usd:
        return "free"
    return money(usd, about=about) + ("+" if unpriced else "")


def counted(number: int, noun: str, plural: str = "") -> str:
    """`1 line`, `2,000 lines`; `plural` where an s does not make it."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def percent(fraction: float | None) -> str:
    """`41%`, `<1%`, at most five characters; `—` where unknown."""
    if fraction is None:
        return UNKNOWN
    if 0 < fraction < 0.01:
        return "<1%"
    if fraction >= 9.995:
        return ">999%"
    whole = round(fraction * 100)
    return f"{min(99, whole) if fraction < 1 else whole}%"


def duration(ms: float | None) -> str:
    """`0.02 s`, `4.2 s`, `1 min 04 s`, `2 h 03 min`; `—` where unknown."""
    if ms is None:
        return UNKNOWN
    value = ms / 1_000
    if value < 1:
        return f"{value:.2f} s"
    if value < 59.95:
        return f"{value:.1f} s"
    whole = round(value)
    if whole < 3_600:
        return f"{whole // 60} min {whole % 60:02} s"
    return f"{whole // 3_600} h {whole % 3_600 // 60:02} min"


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
    percentage = part / whole * 100
    if percentage < 0.1:
        return "0 %" if part == 0 else "<0.1 %"
    if percentage < 10:
        return f"{percentage:.1f} %"
    return f"{min(99, round(percentage))} %"


def speed(per_second: float | None) -> str:
    """`82 tok/s`, `3.4 tok/s`; empty where unknown."""
    if per_second is None:
        return ""
    return f"{per_second:.0f} tok/s" if per_second >= 9.95 else f"{per_second:.1f} tok/s"


def bar(fraction: float | None, width: int, mark: float | None = None) -> str:
    """`▰▰▰▱▱│▱` of `width` cells. Anything above 0 shows, and only the full shows as full.

    `mark` puts a `│` at that fraction of the width; unknown shows as an empty bar.
    """
    if width <= 0:
        return ""
    filled = 0
    if fraction:
        filled = min(width, max(1, int(fraction * width)))
    cells = ["▰"] * filled + ["▱"] * (width - filled)
    if mark is not None and width > 2:
        cells[min(width - 1, round(mark * width))] = "│"
    return "".join(cells)


def sparkline(values: Sequence[Decimal | float], width: int) -> str:
    """The last `width` values as `▁▂▅▇`, scaled to the greatest of them."""
    shown = [float(value) for value in values[-width:]] if width > 0 else []
    top = max(shown, default=0.0)
    if top <= 0:
        return _SPARKS[0] * len(shown)
    return "".join(_SPARKS[min(7, max(0, int(value / top * 7.999)))] for value in shown)
