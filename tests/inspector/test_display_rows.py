from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from chatglass.tui.inspector import display_rows
from chatglass.tui.inspector.display_rows import DisplayRows, shown

texts = st.lists(
    st.sampled_from(
        ["a", "word ", " ", "\n", "\n\n", "\t", "漢字", "é", "e\u0301", "\x1b[31m", "\u202e"]
    )
    | st.text(max_size=30),
    max_size=40,
).map("".join)


def rows_of(text: str, width: int, **how: bool) -> DisplayRows:
    rows = DisplayRows(text, width, wrap=how.get("wrap", True), by_word=how.get("by_word", False))
    rows.grow()
    return rows


@settings(max_examples=300)
@given(texts, st.integers(1, 30), st.booleans(), st.booleans(), st.sampled_from([7, 64, 16_384]))
def test_rows_are_the_whole_text_and_fit(text, width, wrap, by_word, block) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(display_rows, "_BLOCK", block)
        patch.setattr(display_rows, "LONGEST_ROW", 5)
        rows = rows_of(text, width, wrap=wrap, by_word=by_word)
    whole, before = "", 0
    for index in range(len(rows)):
        start, end = rows.span(index)
        assert start <= end
        # Between rows stands a newline, or nothing where a line was cut.
        assert text[before:start] in ("", "\n")
        whole += text[before:end]
        before = end
        if wrap and block > width:
            row = text[start:end].removesuffix(" ") if by_word else text[start:end]
            one = sum(cell_len(shown(character)[0]) > 0 for character in row) <= 1
            assert cell_len(shown(row)[0]) <= width or one
        assert rows.row_at(start) == index or start == end
    assert whole + text[before:] == text
    assert text[before:] in ("", "\n")


@given(texts, st.integers(1, 30))
def test_blocks_cut_as_one_piece_does(text, width) -> None:
    one = rows_of(text, width)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(display_rows, "_BLOCK", max(64, width * 2))
        assert rows_of(text, width).starts == one.starts


def test_a_line_of_five_megabytes_becomes_rows() -> None:
    rows = rows_of("x" * 5_000_000, 100)
    assert len(rows) == 50_000
    assert rows.span(49_999) == (4_999_900, 5_000_000)
    unwrapped = rows_of("x" * 5_000_000, 100, wrap=False)
    assert unwrapped.widest == display_rows.LONGEST_ROW
    assert len(unwrapped) == -(-5_000_000 // display_rows.LONGEST_ROW)


def test_growing_in_slices_gives_rows_early() -> None:
    rows = DisplayRows("line of text\n" * 400_000, 80, wrap=True, by_word=True)
    assert not rows.grow(0)
    assert 100 < len(rows) < 100_000
    while not rows.grow(0):
        pass
    assert len(rows) == 400_000


def test_words_stay_whole_where_they_fit() -> None:
    text = "the quick brown fox jumps"
    rows = rows_of(text, 10, by_word=True)
    assert [text[slice(*rows.span(i))] for i in range(len(rows))] == [
        "the quick ",
        "brown fox ",
        "jumps",
    ]


def test_signs_widened_by_a_selector_do_not_overflow() -> None:
    text = ("❤\ufe0f" * 3 + "漢" * 4) * 5
    rows = rows_of(text, 10)
    assert max(cell_len(text[slice(*rows.span(i))]) for i in range(len(rows))) <= 10


def test_one_row_for_nothing_and_none_for_the_last_newline() -> None:
    assert len(rows_of("", 10)) == 1
    assert len(rows_of("a\n", 10)) == 1
    assert len(rows_of("a\n\n", 10)) == 2


def test_shown_shows_controls_and_maps_places() -> None:
    assert shown("plain é 漢") == ("plain é 漢", None)
    text, places = shown("a\tb\x1bc\x9b")
    assert text == "a    b␛c\\x9b"
    assert places == [0, 1, 5, 6, 7, 8, 12]
