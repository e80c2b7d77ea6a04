from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from chatglass.models.demo.chunks import cut
from chatglass.models.demo.counting import PER_MESSAGE, PER_PROMPT, PromptCounter, count, pieces


@given(st.text())
def test_pieces_make_up_the_text(text: str) -> None:
    assert "".join(pieces(text)) == text
    assert count(text) == len(pieces(text))


@given(
    st.text(),
    st.one_of(st.none(), st.integers(1, 9), st.lists(st.integers(0, 20)).map(sorted).map(tuple)),
)
def test_every_cut_keeps_the_text(text: str, split: int | tuple[int, ...] | None) -> None:
    assert "".join(cut(text, split)) == text


def test_only_a_prefix_that_came_before_is_cached() -> None:
    counter = PromptCounter()
    first = {"role": "user", "content": "one two"}
    answer = {"role": "assistant", "content": "three"}
    one = counter.count("demo", [], [first])
    assert (one.prompt, one.cached) == (PER_PROMPT + PER_MESSAGE + count("user") + 2, 0)
    two = counter.count("demo", [], [first, answer])
    assert two.cached == one.prompt < two.prompt
    changed = counter.count("demo", [], [{**first, "content": "one three"}, answer])
    assert changed.cached == 0
    assert counter.count("demo-fast", [], [first]).cached == 0
    assert counter.count("demo", [{"type": "function"}], [first]).cached == 0
