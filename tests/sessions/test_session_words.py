from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from chatglass.store.records import SessionRow
from chatglass.tui.sessions.session_filter import SessionFilter
from chatglass.tui.sessions.session_words import columns, cost, place, title

ROW = SessionRow(
    id="a", title="Title", root="/work/here", endpoint="e", model="m", created_at=0, updated_at=0
)


@pytest.mark.parametrize(
    ("requests", "unpriced", "usd", "words"),
    [
        (0, 0, "0", ""), (3, 3, "0", "—"), (3, 0, "0", "free"), (3, 0, "0.0183", "$0.0183"),
        (3, 1, "1.5", "$1.50+"),
    ],
)  # fmt: skip
def test_cost(requests: int, unpriced: int, usd: str, words: str) -> None:
    used = {"requests": requests, "unpriced_requests": unpriced, "total_tokens": 10 * requests}
    assert cost(replace(ROW, **used, cost=Decimal(usd))) == words


def test_title_falls_back_to_what_there_is() -> None:
    assert title(ROW) == "Title"
    assert title(replace(ROW, title=" ", excerpt="first\nprompt")) == "first prompt"
    assert title(replace(ROW, title="", draft="half a")) == "draft: half a"
    assert title(replace(ROW, title="")) == "untitled"
    assert title(replace(ROW, title="a\x1b[2Jb")) == "a␛[2Jb"


def test_place() -> None:
    assert place(ROW, "/work/here") == "here"
    assert place(replace(ROW, root="/work/other/"), "/work/here") == "other"
    assert place(replace(ROW, root="/"), "/work/here") == "/"


@pytest.mark.parametrize("width", range(20, 200))
def test_columns_leave_room_for_the_title(width: int) -> None:
    room = width - 2 - columns(width).taken
    assert room >= (22 if width >= 44 else width - 12)


def test_more_width_never_takes_a_column_away() -> None:
    assert columns(40).cost == 0
    assert columns(78).model
    assert not columns(78).date
    assert columns(140).place


def test_filter_wants_every_word_in_any_order_and_case() -> None:
    rows = [
        replace(ROW, id=str(i), title=t)
        for i, t in enumerate(["Fix Parser", "parse fixtures", "x"])
    ]
    sieve = SessionFilter(rows)
    assert sieve.matching("fix pars") == [0, 1]
    assert sieve.matching("fix parse fixt") == [1]
    assert sieve.matching("fix parse") == [0, 1], (
        "a shorter text finds again what a longer one left out"
    )
    assert sieve.matching("") == [0, 1, 2]
    sieve.retitle(2, replace(ROW, title="Fix too"))
    assert sieve.matching("FIX") == [0, 1, 2]


def test_a_grown_text_looks_only_at_what_was_left() -> None:
    looked_at = 0

    class Counted(str):
        def __contains__(self, word: object) -> bool:
            nonlocal looked_at
            looked_at += 1
            return super().__contains__(word)

    sieve = SessionFilter([replace(ROW, title=f"t{i}") for i in range(1000)])
    sieve._titles = [Counted(text) for text in sieve._titles]
    sieve.matching("t99")
    assert looked_at == 1000
    looked_at = 0
    assert sieve.matching("t999") == [999]
    assert looked_at == 11
