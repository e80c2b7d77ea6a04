from __future__ import annotations

from decimal import Decimal

import pytest
from rich.cells import cell_len

from chatglass.tui.lines.cells import fit
from chatglass.values.figures import age, duration, money_of, share, size, sum_set


@pytest.mark.parametrize(
    ("ms", "words"),
    [
        (0, "0.00 s"), (23, "0.02 s"), (999, "1.00 s"), (4_210, "4.2 s"), (59_949, "59.9 s"),
        (59_960, "1 min 00 s"), (200_000, "3 min 20 s"), (7_500_000, "2 h 05 min"),
    ],
)  # fmt: skip
def test_duration(ms: int, words: str) -> None:
    assert duration(ms) == words


@pytest.mark.parametrize(
    ("count", "words"),
    [
        (0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (3_140, "3.1 kB"), (999_949, "999.9 kB"),
        (999_950, "1.0 MB"), (5_200_000, "5.2 MB"), (3 * 10**12, "3.0 TB"),
    ],
)  # fmt: skip
def test_size(count: int, words: str) -> None:
    assert size(count) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-5, "now"), (59, "now"), (60, "1 min"), (3599, "59 min"), (3600, "1 h"), (86_400, "1 d"),
        (13 * 86_400, "13 d"), (14 * 86_400, "2 wk"), (364 * 86_400, "52 wk"), (365 * 86_400, "1 y"),
    ],
)  # fmt: skip
def test_age(seconds: int, words: str) -> None:
    assert age(10**12, 10**12 + seconds * 1000) == words


def test_share_is_never_rounded_to_nothing_or_all() -> None:
    assert share(1, 10**6) == "<0.1 %"
    assert share(999_999, 10**6) == "99 %"
    assert share(0, 5) == "0 %"
    assert share(5, 5) == share(0, 0) == "100 %"
    assert share(412, 5000) == "8.2 %"


@pytest.mark.parametrize("text", ["", "ab", "abcdef", "漢字漢字漢字", "a漢b字c漢"])
@pytest.mark.parametrize("width", [0, 1, 2, 3, 5, 6, 20])
@pytest.mark.parametrize("align", ["left", "right"])
def test_fit_is_as_wide_as_asked(text: str, width: int, align) -> None:
    assert cell_len(fit(text, width, align)) == width


@pytest.mark.parametrize(
    ("spent", "limit", "said"),
    [
        ("0", "0.5", "$0.00 of $0.50"),
        ("0.125", "0.5", "$0.1250 of $0.5000"),
        ("4.9812", "5", "$4.98 of $5.00"),
        ("0.000012", "0.0005", "$0.000012 of $0.000500"),
        ("1234.5", "20000", "$1,234.50 of $20,000.00"),
        ("0.00000000001", "1", "$0.0000000 of $1.0000000"),
    ],
)
def test_what_was_spent_and_its_limit_have_as_many_digits(
    spent: str, limit: str, said: str
) -> None:
    assert money_of(Decimal(spent), Decimal(limit)) == said


def test_a_sum_that_was_set_has_no_zeros_that_say_nothing() -> None:
    assert [sum_set(Decimal(text)) for text in ("0.5", "12", "0.00050")] == [
        "$0.50",
        "$12.00",
        "$0.0005",
    ]
