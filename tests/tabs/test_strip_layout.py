"""Which tabs stand where, for any titles, marks and widths."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from chatglass.tui.tabs.strip_layout import LEAST_TITLE, lay_out
from chatglass.tui.tabs.tab import SIGNS, Mark, Tab

TITLES = st.text(st.sampled_from("ab 四界é"), min_size=1, max_size=40)
MARKS: st.SearchStrategy[Mark] = st.sampled_from(["", "working", "finished", "failed", "asking"])


@st.composite
def some_tabs(draw: st.DrawFn) -> list[Tab]:
    titles = draw(st.lists(TITLES, min_size=1, max_size=30))
    current = draw(st.integers(0, len(titles) - 1))
    return [
        Tab(str(place), title, draw(MARKS), "", place == current)
        for place, title in enumerate(titles)
    ]


@given(some_tabs(), st.integers(40, 200))
def test_the_strip_fits_and_shows_the_current_tab(tabs: list[Tab], width: int) -> None:
    pieces = lay_out(tabs, width, SIGNS)
    x = 0
    for piece in pieces:
        assert piece.x == x
        x += cell_len(piece.text)
    assert x <= width
    current = next(tab for tab in tabs if tab.is_current)
    assert [piece.session_id for piece in pieces if piece.kind == "close"] == [current.session_id]
    assert pieces[-1].kind == "new"
    # Each tab is there, or said to be on one of the sides.
    shown = {piece.session_id for piece in pieces if piece.kind == "tab"}
    numbers = sorted(int(session_id) for session_id in shown)
    assert numbers == list(range(numbers[0], numbers[-1] + 1))
    text = "".join(piece.text for piece in pieces if piece.kind == "more")
    assert (f"‹{numbers[0]}" in text) == (numbers[0] > 0)
    right = len(tabs) - 1 - numbers[-1]
    assert (f"›{right}" in text) == (right > 0)
    for tab in tabs:
        if tab.session_id in shown and tab.mark:
            signs = [p.text for p in pieces if p.session_id == tab.session_id and p.mark]
            assert f"{SIGNS[tab.mark]} " in signs


def tabs(*marks: Mark, current: int = 0) -> list[Tab]:
    return [
        Tab(str(place), f"the title of session {place}", mark, "", place == current)
        for place, mark in enumerate(marks)
    ]


def test_titles_are_cut_alike_before_any_tab_is_left_out() -> None:
    wide = "".join(piece.text for piece in lay_out(tabs("", "", ""), 120, SIGNS))
    assert wide.count("the title of session") == 3
    narrow = "".join(piece.text for piece in lay_out(tabs("", "", ""), 50, SIGNS))
    assert narrow.count("the title…") == 3


def test_what_has_no_room_is_counted_for_by_its_most_urgent_mark() -> None:
    many: list[Mark] = [""] * 20
    many[15], many[17], many[19] = "finished", "asking", "working"
    pieces = lay_out(tabs(*many, current=0), 60, SIGNS)
    more = [piece for piece in pieces if piece.kind == "more"]
    assert more[0].text == "›16"
    assert [piece.session_id for piece in more] == ["4"] * 3
    assert "".join(piece.text for piece in more) == "›16? "
    assert all(len(p.text) <= LEAST_TITLE for p in pieces if p.kind == "tab")
