from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from chatglass.tui.dashboard.bars import buckets, cells_of_bar, columns, share_bar

DAY = date(2025, 3, 9)


def test_every_day_of_the_range_has_a_bar() -> None:
    found = buckets({DAY: 2.0}, DAY - timedelta(days=2), DAY + timedelta(days=1), 80)
    assert [bucket.value for bucket in found] == [0, 0, 2.0, 0]
    assert found[0].words == "2025-03-07"
    assert buckets({}, None, None, 80) == []
    assert buckets({}, DAY, DAY - timedelta(days=1), 80) == []


@given(st.dictionaries(st.integers(0, 800), st.floats(0, 1e6), min_size=1), st.integers(1, 200))
def test_days_that_share_a_bar_lose_nothing(values: dict[int, float], most: int) -> None:
    days = {DAY + timedelta(days=offset): value for offset, value in values.items()}
    found = buckets(days, None, None, most)
    assert len(found) <= most
    assert found[0].first == min(days)
    assert found[-1].last == max(days)
    assert abs(sum(bucket.value for bucket in found) - sum(days.values())) <= 1e-3
    for one, other in pairwise(found):
        assert other.first - one.last == timedelta(days=1)


def test_the_greatest_is_as_high_as_the_chart() -> None:
    lines = columns([8.0, 4.0, 0.0, 0.001], 2, 4)
    assert lines == ["█", "██ ▁"]
    assert columns([1.0], 1, 80) == ["█████"]
    assert columns([0.0, 0.0], 2, 10) == ["", ""]
    assert columns([], 2, 10) == ["", ""]


@given(st.lists(st.floats(0, 1e9), min_size=1, max_size=200), st.integers(1, 12))
def test_lines_fit(values: list[float], height: int) -> None:
    width = 200
    lines = columns(values, height, width)
    assert len(lines) == height
    assert cells_of_bar(len(values), width) * len(values) <= width
    assert all(len(line) <= width for line in lines)


def test_a_share_is_never_rounded_to_nothing() -> None:
    assert share_bar(0, 4) == "    "
    assert share_bar(1e-9, 4) == "▏   "
    assert share_bar(0.5, 4) == "██  "
    assert share_bar(1, 4) == share_bar(7, 4) == "████"
    assert share_bar(1, 0) == ""
