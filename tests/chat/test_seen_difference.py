from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatglass.chat.seen_difference import REDACTED, difference
from chatglass.tools.limits import head_and_tail

lines = st.lists(st.text("ab\n", max_size=8) | st.just("a line of text"), max_size=30).map(
    "\n".join
)


@given(lines, lines)
def test_the_stretches_are_both_texts_without_gaps(produced: str, seen: str) -> None:
    found = difference(produced, seen)
    assert "".join(produced[slice(*each.produced)] for each in found) == produced
    assert "".join(seen[slice(*each.seen)] for each in found) == seen
    for each in found:
        if each.kind == "same":
            assert produced[slice(*each.produced)] == seen[slice(*each.seen)] != ""
    ends = [0, *(each.produced[1] for each in found)]
    assert [each.produced[0] for each in found] == ends[:-1]


def told(produced: str, seen: str) -> list[tuple[str, str, str]]:
    return [
        (each.kind, produced[slice(*each.produced)], seen[slice(*each.seen)])
        for each in difference(produced, seen)
        if each.kind != "same"
    ]


def test_a_key_that_was_taken_out() -> None:
    produced = "HOME=/x\nKEY=sk-12345 and more\nEND=1\nKEY2=sk-12345"
    seen = produced.replace("sk-12345", REDACTED)
    assert told(produced, seen) == [("redacted", "sk-12345", REDACTED)] * 2


def test_a_key_behind_what_was_left_out() -> None:
    produced = "first\n" + "middle line\n" * 500 + "KEY=sk-1234567\nlast\n"
    seen = f"first\n[… 500 lines left out.]\nKEY={REDACTED}\nlast\n"
    assert [(kind, mine) for kind, _, mine in told(produced, seen)] == [
        ("cut", "[… 500 lines left out.]\n"),
        ("redacted", REDACTED),
    ]


def test_a_middle_that_was_left_out_of_very_much() -> None:
    produced = "".join(f"line {number} of the output\n" for number in range(1_000_000))
    seen = head_and_tail(produced, 10_000)
    began = time.process_time()
    (cut,) = told(produced, seen)
    assert time.process_time() - began < 5
    assert cut[0] == "cut"
    assert len(cut[1]) > 20_000_000
    assert len(cut[2]) < 200


def test_a_stub_instead_and_an_added_note() -> None:
    assert told("x" * 500, "[image, 500 bytes]")[0][0] == "cut"
    assert told("same\n", "same\n[a note]") == [("note", "", "[a note]")]
    assert told("one thing\n", "another\n")[0][0] == "other"


@pytest.mark.parametrize("text", ["", "a", "a\n" * 1000])
def test_the_same_is_the_same(text: str) -> None:
    assert told(text, text) == []
