"""Comparing two texts."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatglass.chat.calls.comparing import compare_apart
from chatglass.chat.calls.line_diff import (
    MOST_APART,
    MOST_CHARS,
    MOST_LINES,
    Compared,
    changed_part,
    compare,
)


def kinds(compared: Compared) -> list[tuple[str, str | None, str | None]]:
    return [(row.kind, row.left, row.right) for row in compared.rows if row.kind != "same"]


def test_lines_are_aligned() -> None:
    compared = compare("a\nb\nc\nd", "a\nc\nD\nd\ne")
    assert kinds(compared) == [("left", "b", None), ("right", None, "D"), ("right", None, "e")]
    assert compared.differences == 3


def test_json_is_compared_member_by_member() -> None:
    left, right = {"path": "a.py", "lines": [1, 2]}, {"path": "b.py", "lines": [1, 2]}
    compared = compare(json.dumps(left), json.dumps(right))
    assert kinds(compared) == [("changed", '  "path": "a.py",', '  "path": "b.py",')]


def test_what_is_not_json_after_all_is_text() -> None:
    assert kinds(compare("{oops\nx", "{oops\ny")) == [("changed", "x", "y")]


@pytest.mark.parametrize(
    ("left", "right", "parts"),
    [
        ("same", "same", ((4, 4), (4, 4))),
        ("a = 1", "a = 23", ((4, 5), (4, 6))),
        ("aa", "aaa", ((2, 2), (2, 3))),
        ("", "x", ((0, 0), (0, 1))),
    ],
)
def test_the_changed_part_of_a_line(
    left: str, right: str, parts: tuple[tuple[int, int], tuple[int, int]]
) -> None:
    assert changed_part(left, right) == parts


def test_bounds_are_said() -> None:
    long = "x\n" * (MOST_LINES + 10)
    assert f"first {MOST_LINES:,}" in " ".join(compare(long, "x").notes)
    wide = "y" * (MOST_CHARS + 10)
    compared = compare(wide, "y")
    assert f"first {MOST_CHARS:,} of {MOST_CHARS + 10:,}" in " ".join(compared.notes)
    one = "\n".join(f"a {n}" for n in range(MOST_APART))
    other = "\n".join(f"b {n}" for n in range(MOST_APART))
    compared = compare(one, other)
    assert "too different" in " ".join(compared.notes)
    assert len(compared.rows) == MOST_APART


async def test_large_texts_are_compared_in_a_process_of_their_own() -> None:
    lines = [f"line {n}" for n in range(20_000)]
    changed = [*lines[:9_000], "new", *lines[9_001:]]
    compared = await compare_apart("\n".join(lines), "\n".join(changed))
    assert kinds(compared) == [("changed", "line 9000", "new")]
    assert not compared.notes


async def test_fifty_megabytes_say_what_was_left_out() -> None:
    text = "a line of a result\n" * 2_600_000
    compared = await compare_apart(text, text + "end")
    assert f"of {len(text) + 3:,} characters" in " ".join(compared.notes)
    assert len(compared.rows) == MOST_LINES


texts = st.lists(st.sampled_from(["a", "b", "c", ""]), max_size=12).map("\n".join)


@given(texts, texts)
def test_both_texts_are_there_in_order(left: str, right: str) -> None:
    compared = compare(left, right)
    assert [row.left for row in compared.rows if row.left is not None] == left.split("\n")
    assert [row.right for row in compared.rows if row.right is not None] == right.split("\n")
    assert Compared.from_json(compared.to_json()) == compared
    assert (compared.differences == 0) == (left == right)
