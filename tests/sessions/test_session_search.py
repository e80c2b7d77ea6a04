"""What the words and facets of a search mean."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatglass.store.records import SessionRow
from chatglass.store.session_search import Uses, parse_search

NOW = datetime(2026, 2, 10, 15, 30)


def at(year: int, month: int, day: int, hour: int = 0) -> int:
    return int(datetime(year, month, day, hour).timestamp() * 1_000)


ROW = SessionRow(
    id="S1",
    title="Fix the parser",
    root="/home/me/Projects/glass",
    endpoint="openai",
    model="gpt-5-mini",
    created_at=0,
    updated_at=at(2026, 1, 31, 12),
    cost=Decimal("0.10"),
    total_tokens=5_000,
    messages=12,
    tool_calls=3,
    tags=("work", "Später"),
)


def passes(text: str, uses: Uses | None = None, **changes: object) -> bool:
    search = parse_search(text, root="/home/me/Projects/glass", now=NOW)
    assert search.problems == ()
    given = {use: frozenset[str]() for use in search.uses} | dict(uses or {})
    return search.accepts(replace(ROW, **changes), given)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("fix parser", "fix parser"),
        ("fix tag:work parser", "fix parser"),
        ('"tag:work" now', '"tag:work" now'),
        ('tag:"two words" rest', "rest"),
        ("std::vector http://x.org/y 12:30 C:\\x a<b x=1", None),
        ("is::x tool://y cost=low", None),
        ('open "quote', 'open "quote'),
        ("  ", ""),
        ("文件 cost>1", "文件"),
    ],
)
def test_facets_are_taken_out_of_the_words(text: str, words: str | None) -> None:
    search = parse_search(text)
    assert search.words == (text if words is None else words)
    assert search.problems == ()


@pytest.mark.parametrize(
    ("yes", "no"),
    [
        ("cost>0.09", "cost>0.10"),
        ("cost>=0.10", "cost<0.1"),
        ("cost<$1", "cost=0"),
        ("cost:>0.05", "cost:>=0.11"),
        ("tokens>4,999", "tokens<5000"),
        ("messages=12", "messages>12"),
        ("calls<4", "calls>3"),
        ("tag:WORK", "tag:ork"),
        ("tag:spät", 'tag:"work x"'),
        ("root:projects/GL", "root:elsewhere"),
        ("root:here", "root:nowhere"),
        ("before:2026-02-01", "before:2026-01-31"),
        ("after:2026-01-31", "after:2026-02-01"),
        ("after:2026-01", "before:2026-01"),
        ("after:2026", "after:today"),
        ("before:yesterday", "after:yesterday"),
        ("after:2w", "after:7d"),
        ("after:1m", "before:1m"),
        ("is:here", "is:pinned"),
        ("tag:work cost>0.05", "tag:work cost>5"),
        ("model:MINI", "model:claude"),
    ],
)
def test_facets(yes: str, no: str) -> None:
    assert passes(yes)
    assert not passes(no)


@pytest.mark.parametrize(
    ("state", "changes"),
    [
        ("pinned", {"pinned": True}),
        ("archived", {"archived": True}),
        ("forked", {"forked_from": ("S0", "M0")}),
        ("interrupted", {"last_status": "interrupted"}),
        ("interrupted", {"last_status": "partial"}),
        ("error", {"last_status": "error"}),
    ],
)
def test_states(state: str, changes: dict[str, object]) -> None:
    assert passes(f"is:{state}", **changes)
    assert passes(f"is:{state[:2]}", **changes), "as soon as it is clear"
    assert not passes(f"is:{state}")


def test_archived_sessions_are_listed_only_when_asked_for() -> None:
    assert not passes("", archived=True)
    assert not passes("cost>0", archived=True)
    assert passes("is:archived cost>0", archived=True)


def test_tools_and_models_are_asked_of_the_store() -> None:
    search = parse_search("tool:Read model:claude")
    assert search.uses == (("tool", "read"), ("model", "claude"))
    used: Uses = {("tool", "read"): frozenset({"S1"})}
    assert passes("tool:Read", used)
    assert not passes("tool:read")
    assert passes("model:claude", {("model", "claude"): frozenset({"S1"})})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("cost>", "dollars"),
        ("cost>abc", "dollars"),
        ("tokens<x", "tokens>100"),
        ("is:", "pinned, interrupted"),
        ("is:p is:nothing", "pinned, interrupted"),
        ("before:", "2026-01-31"),
        ("after:2026-02-31", "2026-01-31"),
        ("after:99999", "2026-01-31"),
        ("tag:", "a tag"),
        ("model:", "model's name"),
    ],
)
def test_an_unfinished_facet_hides_nothing_and_says_what_it_wants(text: str, said: str) -> None:
    search = parse_search(text, now=NOW)
    assert said in " ".join(search.problems)
    assert search.words == ""
    assert search.accepts(replace(ROW, pinned=True), {})


def test_an_unknown_facet_is_text_and_the_known_ones_are_named() -> None:
    search = parse_search("colour:red")
    assert search.words == "colour:red"
    (problem,) = search.problems
    assert "no facet colour:" in problem
    for name in ("model:", "tool:", "cost>", "before:", "after:", "is:", "tag:", "root:"):
        assert name in problem


@given(st.text(max_size=60))
def test_any_text_can_be_typed(text: str) -> None:
    search = parse_search(text, now=NOW)
    search.accepts(ROW, {use: frozenset() for use in search.uses})
