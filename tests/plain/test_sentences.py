from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from chatglass.plain.sentences import LONGEST, Sentences

_TEXT = st.text(st.sampled_from("ab .!?\n`~。'* "), max_size=120)


def spoken(text: str, cuts: list[int]) -> list[str]:
    sentences = Sentences()
    places = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    pieces = [piece for start, end in pairwise(places) for piece in sentences.push(text[start:end])]
    return pieces + sentences.flush()


@given(_TEXT, st.lists(st.integers(0, 120), max_size=8))
def test_what_is_said_does_not_depend_on_the_chunks(text: str, cuts: list[int]) -> None:
    assert "".join(spoken(text, cuts)) == "".join(spoken(text, []))


@given(_TEXT.filter(lambda text: "```" not in text and "~~~" not in text))
def test_text_without_code_is_said_as_it_is(text: str) -> None:
    assert "".join(spoken(text, [])) == text


def test_a_sentence_is_said_as_soon_as_it_is_whole() -> None:
    sentences = Sentences()
    assert sentences.push("It is late. And co") == ["It is late. "]
    assert sentences.push("ld!\nNo") == ["And cold!\n"]
    assert sentences.flush() == ["No"]


def test_fences_become_words_and_code_stays_as_it_is() -> None:
    text = "See:\n```python\nif a. b:\n    pass\n```\nDone."
    assert "".join(spoken(text, [])) == (
        "See:\nCode, python:\nif a. b:\n    pass\nEnd of code.\nDone."
    )


def test_a_text_without_an_end_is_said_in_bounded_pieces() -> None:
    assert max(map(len, Sentences().push("word " * 1_000))) <= LONGEST
