from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from chatglass.store.records import SessionRow
from chatglass.tui.sessions.session_words import (
    Totals,
    columns,
    cost,
    excerpt,
    facts,
    flags,
    place,
    title,
    total,
)

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
    assert room >= (20 if width >= 44 else width - 12)


def test_more_width_never_takes_a_column_away() -> None:
    assert columns(40).cost == 0
    assert columns(78).calls
    assert not columns(78).date
    assert columns(140).place


def test_the_first_prompt_stands_behind_another_title_only() -> None:
    told = replace(ROW, title="Fix the parser", excerpt="Fix the parser, please")
    assert excerpt(told) == ""
    assert excerpt(replace(told, title="Parser")) == "Fix the parser, please"
    assert excerpt(replace(ROW, title="", excerpt="said")) == ""


def test_flags_and_facts_say_the_same_in_signs_and_words() -> None:
    row = replace(
        ROW, pinned=True, archived=True, forked_from=("SESSION", "MESSAGE"), tags=("a",),
        last_status="interrupted",
    )  # fmt: skip
    assert flags(ROW) == ""
    assert flags(row) == "★⑂▣"
    words = facts(row, "/work/here")[-1]
    for word in ("pinned", "archived", "forked from ESSION", "#a", "interrupted"):
        assert word in words
    assert len(facts(ROW, "/")) == len(facts(row, "/")) - 1
    assert "(here)" in facts(ROW, "/work/here")[0]
    assert "\x1b" not in "".join(facts(replace(ROW, model="\x1b[2J", root="/\x1b"), "/"))


def test_the_total_line() -> None:
    some = Totals(sessions=2, tokens=3_000, cost=Decimal("1.5"), unpriced_requests=1)
    assert total(some, "cost") == "2 sessions · 3,000 tokens · $1.50+ · dearest first"
    assert total(Totals(), "time") == "0 sessions · 0 tokens · — · newest first"
