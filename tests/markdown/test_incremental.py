"""Growing by chunks gives what rendering at once gives, and says truly what changed."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from textual.strip import Strip

from chatglass.tui.markdown.document import MarkdownDocument
from chatglass.tui.markdown.look import MarkdownLook
from markdown.fragments import anything, chunked

LOOK = MarkdownLook.from_theme_variables({"primary": "#0178D4", "accent": "#FEA62B"}, dark=True)


def plain(strip: Strip) -> list[tuple[str, object]]:
    """A strip as what is seen of it: neighbours of one style are joined."""
    parts: list[tuple[str, object]] = []
    for text, style, _ in strip:
        if parts and parts[-1][1] == style:
            parts[-1] = (parts[-1][0] + text, style)
        elif text:
            parts.append((text, style))
    return parts


def stream(chunks: list[str], widths: list[int]) -> list[Strip]:
    document = MarkdownDocument(complete=False)
    seen: list[Strip] = []
    width = widths[0]
    for index, chunk in enumerate(chunks):
        document.push(chunk)
        now = widths[index % len(widths)]
        lines, first = document.lines(now, LOOK)
        assert 0 <= first <= len(lines)
        if now == width:
            assert all(a is b for a, b in zip(seen[:first], lines[:first], strict=True))
        seen, width = list(lines), now
    document.finish()
    lines, first = document.lines(widths[0], LOOK)
    if width == widths[0]:
        assert all(a is b for a, b in zip(seen[:first], lines[:first], strict=True))
    assert document.lines(widths[0], LOOK) == (lines, len(lines))
    assert document.source == "".join(chunks)
    return lines


@settings(max_examples=250, deadline=None)
@given(chunked(), st.sampled_from([1, 7, 20, 60]))
def test_chunks_give_the_same_lines_as_the_whole(chunks: list[str], width: int) -> None:
    whole, _ = MarkdownDocument("".join(chunks)).lines(width, LOOK)
    assert [plain(s) for s in stream(chunks, [width])] == [plain(s) for s in whole]


@settings(max_examples=40, deadline=None)
@given(anything)
def test_one_character_at_a_time(text: str) -> None:
    whole, _ = MarkdownDocument(text).lines(30, LOOK)
    assert [plain(s) for s in stream(list(text), [30])] == [plain(s) for s in whole]


@settings(max_examples=40, deadline=None)
@given(chunked())
def test_resizing_while_it_grows(chunks: list[str]) -> None:
    whole, _ = MarkdownDocument("".join(chunks)).lines(33, LOOK)
    assert [plain(s) for s in stream(chunks, [33, 80, 9])] == [plain(s) for s in whole]


@settings(max_examples=250, deadline=None)
@given(anything, st.integers(1, 50))
def test_every_line_fits_and_knows_its_width(text: str, width: int) -> None:
    for strip in MarkdownDocument(text).lines(width, LOOK)[0]:
        assert strip.cell_length == sum(cell_len(text) for text, _, _ in strip)
        assert strip.cell_length <= width
        assert strip.text.isprintable() or not set(strip.text) & set(map(chr, range(32)))


@pytest.mark.parametrize(
    "open_block", ["```python\n", "- item\n\n      ", "> ", "| a | b |\n|--|--|\n"]
)
@pytest.mark.parametrize("seed", range(4))
def test_long_blocks(open_block: str, seed: int) -> None:
    text = open_block + LONG[seed]
    size = 37 + 11 * seed
    whole, _ = MarkdownDocument(text).lines(50, LOOK)
    chunks = [text[at : at + size] for at in range(0, len(text), size)]
    assert [plain(s) for s in stream(chunks, [50])] == [plain(s) for s in whole]


@pytest.mark.parametrize(
    "last", ["--|--\n1 | 2", "==", "\n# Heading", "[1]: https://example.org", "```"]
)
def test_a_long_paragraph_whose_last_line_changes_what_it_is(last: str) -> None:
    header = "first\n" + "word " * 400 + "| b\n"
    whole, _ = MarkdownDocument(header + last).lines(50, LOOK)
    assert [plain(s) for s in stream([header, *last], [50])] == [plain(s) for s in whole]


LONG = [
    "word **strong words** and `code` " * 200,
    "".join(
        f"def f{n}(x):\n    return x * {n}\n\n" * (n % 3) + "'''\n" * (n % 7 == 0)
        for n in range(90)
    ),
    "".join(f"| row {n} | {'cell ' * (n % 9)} |\n" for n in range(150)),
    "".join(f"- item {n}\n  with more\n\n" if n % 4 else f"  1. sub {n}\n" for n in range(80)),
]
