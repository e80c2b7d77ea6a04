"""The filter of the calls, as it is typed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calls.rows import at, call, rerun
from chatglass.chat.calls.call_filter import parse_filter

CALLS = {
    "read": call("read_file", (0, 0, 0, 0.2)),
    "git": call("git__log", (0, 0, 0, 3), server="git", result_bytes=20_000, seen_bytes=5_000),
    "bad": call("run_command", (0, 1, 1, 2.5), state="error", error="exit code 3: No Such File"),
    "no": call("write_file", (0, 4, None, 4), state="denied"),
    "busy": call("fetch_url", (0, 0, 1, None)),
    "asks": call("move_file", (0, None, None, None)),
    "mine": rerun(call("read_file"), (9, 9, 9, 9.5)),
}
NOW = at(10)


def listed(text: str, found: frozenset[str] | None = None) -> set[str]:
    chosen = parse_filter(text)
    return {name for name, row in CALLS.items() if chosen.accepts(row, NOW, found)}


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("", set(CALLS)),
        ("tool:file", {"read", "no", "asks", "mine"}),
        ("tool:READ_", {"read", "mine"}),
        ("server:gi", {"git"}),
        ("server:built-in", set(CALLS) - {"git"}),
        ("is:error", {"bad"}),
        ("is:failed", {"bad", "no"}),
        ("is:denied", {"no"}),
        ("is:den", {"no"}),
        ("is:running", {"busy"}),
        ("is:asking", {"asks"}),
        ("is:open", {"busy", "asks"}),
        ("is:slow", {"git", "bad", "busy"}),
        ("is:cut", {"git"}),
        ("is:yours", {"mine"}),
        ("slow>2s", {"git", "busy"}),
        ("slow:>2s", {"git", "busy"}),
        ("slow>=3", {"git", "busy"}),
        ("slow<500ms", {"read"}),
        ("slow>0.1m", {"busy"}),
        ("size>10k", {"git"}),
        ("size>1MB", set()),
        ("such FILE", {"bad"}),
        ('"no such"', {"bad"}),
        ("src/git__log.py", {"git"}),
        ("is:slow server:git", {"git"}),
        ("is:error nothing", set()),
        ("src/ is:running", {"busy"}),
    ],
)
def test_facets_and_words(text: str, names: set[str]) -> None:
    assert listed(text) == names
    assert not parse_filter(text).problems


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("slow>", "slow>2s"),
        ("slow>fast", "slow>2s"),
        ("slow>2h", "slow>2s"),
        ("is:", "is: wants one of"),
        ("is:e", "is: wants one of"),
        ("tool:", "tool: wants"),
        ("server:", "server: wants"),
        ("size>much", "size>10k"),
        ("model:gpt", "There is no facet model:"),
    ],
)
def test_what_cannot_be_used_is_said(text: str, told: str) -> None:
    chosen = parse_filter(text)
    assert told in " ".join(chosen.problems)
    if not text.startswith("model"):
        assert not chosen, "and narrows nothing"


def test_what_the_store_found_counts_where_the_facets_agree() -> None:
    assert listed("needle", frozenset({CALLS["git"].id})) == {"git"}
    assert listed("needle is:error", frozenset({CALLS["git"].id})) == set()


def test_urls_and_times_are_words() -> None:
    assert parse_filter("https://example.org 12:30").words == ("https://example.org", "12:30")


@given(st.text(max_size=40))
def test_any_text_can_be_typed(text: str) -> None:
    chosen = parse_filter(text)
    for row in CALLS.values():
        chosen.accepts(row, NOW)
