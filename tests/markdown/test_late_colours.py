"""Long code is laid out without colours at first and coloured in slices; the end is the same."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pygments.lexer import Lexer

from chatglass.tui.markdown.document import MarkdownDocument
from chatglass.tui.markdown.look import MarkdownLook
from markdown.fragments import anything, chunked

LOOK = MarkdownLook.from_theme_variables({"primary": "#0178D4", "accent": "#FEA62B"}, dark=True)
CODE = "def f(x):\n    return 'text'  # why\n\n"


@pytest.fixture
def lexed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The lines that were handed to lexers, call by call."""
    lines: list[int] = []
    tokens = Lexer.get_tokens

    def counting(self, text, *rest):
        lines.append(text.count("\n") + 1)
        return tokens(self, text, *rest)

    monkeypatch.setattr(Lexer, "get_tokens", counting)
    return lines


def coloured(document: MarkdownDocument, width: int) -> list[object]:
    """The lines once all have their colours; what each step says that it changed is all it changed."""
    lines, _ = document.lines(width, LOOK)
    before = list(lines)
    while (changed := document.colour()) is not None:
        first, last = changed
        assert 0 <= first <= last < len(lines) == len(before)
        for index, (old, new) in enumerate(zip(before, lines, strict=True)):
            assert (old is new) != (first <= index <= last)
            assert old.text == new.text
        before = list(lines)
    assert document.lines(width, LOOK) == (lines, len(lines))
    return list(lines)


@settings(max_examples=100, deadline=None)
@given(anything, st.sampled_from([1, 7, 20, 60]))
def test_colours_that_come_late_are_those_that_come_at_once(text: str, width: int) -> None:
    whole, _ = MarkdownDocument(text).lines(width, LOOK)
    assert coloured(MarkdownDocument(text, colours_at_once=1), width) == whole


@settings(max_examples=50, deadline=None)
@given(chunked())
def test_blocks_that_wait_for_their_colours_while_the_text_grows(chunks: list[str]) -> None:
    whole, _ = MarkdownDocument("".join(chunks)).lines(40, LOOK)
    document = MarkdownDocument(complete=False, colours_at_once=1)
    for number, chunk in enumerate(chunks):
        document.push(chunk)
        document.lines(40, LOOK)
        if number % 2:
            document.colour()
    document.finish()
    assert [strip.text for strip in document.lines(40, LOOK)[0]] == [s.text for s in whole]
    coloured(document, 40)


@pytest.mark.parametrize("text", [CODE * 700, "'''\n" + "a docstring without an end\n" * 2_000])
def test_long_code_is_lexed_in_slices(text: str, lexed: list[int]) -> None:
    fenced = (
        f"Before:\n\n- ```python\n  {text.replace(chr(10), chr(10) + '  ')}\n  ```\n\nBehind.\n"
    )
    document = MarkdownDocument(fenced, colours_at_once=200)
    count = len(document.lines(60, LOOK)[0])
    assert count > 2_000
    assert not lexed
    steps: list[int] = []
    while document.colour() is not None:
        steps.append(sum(lexed))
        lexed.clear()
    assert max(steps) <= 1_000
    whole, _ = MarkdownDocument(fenced).lines(60, LOOK)
    assert document.lines(60, LOOK)[0] == whole


def test_as_many_lines_as_may_be_get_their_colours_at_once(lexed: list[int]) -> None:
    document = MarkdownDocument(f"```python\n{CODE * 30}```\n\n" * 5, colours_at_once=200)
    document.lines(60, LOOK)
    assert 180 <= sum(lexed) <= 4 * 200  # two of the five, with the tries for where a piece ends
    assert document.colour() is not None


def test_another_width_forgets_what_waited_at_the_old_one() -> None:
    text = f"```python\n{CODE * 300}```\n"
    document = MarkdownDocument(text, colours_at_once=200)
    document.lines(60, LOOK)
    document.colour()
    whole, _ = MarkdownDocument(text).lines(30, LOOK)
    assert coloured(document, 30) == whole
