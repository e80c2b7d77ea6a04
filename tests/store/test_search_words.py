"""How the words of a search are told apart."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatglass.store.search_words import cjk_pairs, search_words

CJK = st.text(alphabet="文件内容读取カタナひらな한국어말𠮷", max_size=12)
OTHER = st.text(alphabet="ab öß1_-、。 \n\0", max_size=4)


def test_pairs_run_within_runs_only() -> None:
    assert cjk_pairs("读取 file 文件内") == "读取 文件 件内"
    assert cjk_pairs("文x件") == cjk_pairs("plain") == cjk_pairs("öäü") == cjk_pairs(None) == ""
    assert cjk_pairs("好好好") == "好好", "once each"
    assert cjk_pairs("カー、ヽ々・。") == "カー ヽ々"


@given(st.lists(st.tuples(OTHER, CJK), max_size=4))
def test_any_two_neighbours_can_be_found(parts: list[tuple[str, str]]) -> None:
    text = "".join(other + run for other, run in parts)
    pairs = cjk_pairs(text).split(" ")
    for _, run in parts:
        for one, two in itertools.pairwise(run):
            assert one + two in pairs
            assert search_words(one + two).pairs == (one + two,)
    assert all(pair in text for pair in pairs)


@pytest.mark.parametrize(
    ("text", "reach"),
    [
        ("", "nothing"),
        (' " ', "nothing"),
        ("a", "titles"),
        ("ab 文 c", "titles"),
        ("文a", "titles"),
        ("文件", "everything"),
        ("abc", "everything"),
        ("a b abc", "everything"),
    ],
)
def test_how_far_words_reach(text: str, reach: str) -> None:
    assert search_words(text).reach == reach


def test_words_by_how_they_are_found() -> None:
    words = search_words('parse "in text" 文件 a 读 \0x "" "')
    assert words.long == ("parse", "in text")
    assert words.pairs == ("文件",)
    assert words.short == ("a", "读", "x")
    assert words.pattern.findall("A Parse in text of 文件") == ["A", "Parse", "in text", "文件"]
