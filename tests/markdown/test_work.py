"""How much is done again while a long text streams, as counts."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from markdown_it.parser_inline import ParserInline
from pygments.lexer import Lexer

from chatglass.tui.markdown.document import MarkdownDocument
from chatglass.tui.markdown.look import MarkdownLook
from chatglass.tui.markdown.parser import BlockParser

LOOK = MarkdownLook()
FRAME, WIDTH = 68, 80  # characters between two calls of lines(), cells

SHAPES = {
    "rich": "# Title\n\nA *paragraph* with `code`.\n\n- a\n- b\n\n```python\nx = 1\n```\n\n| a | b |\n|--|--|\n| 1 | 2 |\n\n> q\n\n",
    "paragraph": "One **long** paragraph with `code`, that never ends and goes on. ",
    "soft lines": "A line of a paragraph, *broken* by hand.\n",
    "one word": "x" * 61,
    "open emphasis": "**never closed [and so `on ",
    "fence": "def f(x):\n    return 'text'  # why\n\n",
    "docstring": "a line of a docstring that does not end\n\n",
    "long line": "0123456789abcdef",
    "fence in item": "   x = compute('a')\n",
    "list": "- item with **bold** words\n  - and one inside it\n",
    "loose list": "- item\n\n  with *more*\n\n",
    "table": "| one | `two` |\n",
    "quote": "> A quoted line.\n",
}  # fmt: skip
HEADS = {
    "fence": "```python\n",
    "docstring": "```python\n'''\n",
    "long line": "```python\n",
    "fence in item": "1. So:\n\n   ```python\n",
    "table": "| a | b |\n|--|--|\n",
}


@pytest.fixture
def handed(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, int]]:
    """Characters and lines handed to markdown-it, to lexers and to the block parser."""
    counts = {"inline": 0, "lexed": 0, "fed": 0}
    parse, tokens, feed = ParserInline.parse, Lexer.get_tokens, BlockParser.feed

    def counting_parse(self, src, *rest):
        counts["inline"] += len(src)
        return parse(self, src, *rest)

    def counting_tokens(self, text, *rest):
        counts["lexed"] += len(text)
        return tokens(self, text, *rest)

    def counting_feed(self, line):
        counts["fed"] += 1
        return feed(self, line)

    monkeypatch.setattr(ParserInline, "parse", counting_parse)
    monkeypatch.setattr(Lexer, "get_tokens", counting_tokens)
    monkeypatch.setattr(BlockParser, "feed", counting_feed)
    return counts


def long_text(shape: str, size: int) -> str:
    """The shape's text over and over; of those that have a head, the head once."""
    head, body = HEADS.get(shape, ""), SHAPES[shape]
    return (head + body * (size // len(body) + 1))[:size]


@pytest.mark.parametrize("shape", SHAPES)
def test_work_grows_with_the_text_and_not_faster(shape: str, handed: dict[str, int]) -> None:
    part = 10_000
    text = long_text(shape, 3 * part)
    document = MarkdownDocument(complete=False)
    most = 0
    spent: list[int] = []
    for start in (0, part, 2 * part):
        before, again = handed["inline"] + handed["lexed"], 0
        for at in range(start, start + part, FRAME):
            document.push(text[at : min(at + FRAME, start + part)])
            lines, first = document.lines(WIDTH, LOOK)
            again += len(lines) - first
            most = max(most, len(lines) - first)
        spent.append(handed["inline"] + handed["lexed"] - before + again)
    document.finish()
    document.lines(WIDTH, LOOK)
    assert handed["inline"] <= 16 * len(text)
    assert handed["lexed"] <= 6 * len(text)
    assert handed["fed"] <= text.count("\n") + len(text) // FRAME + 4
    assert most <= 210  # a chunk of code is at most 200 lines
    assert spent[2] <= 1.3 * max(spent[:2]) + 2_000  # the last third costs what the others did


def test_nothing_new_costs_nothing(handed: dict[str, int]) -> None:
    document = MarkdownDocument(SHAPES["rich"] * 5, complete=False)
    lines, _ = document.lines(WIDTH, LOOK)
    before = dict(handed)
    assert document.lines(WIDTH, LOOK)[1] == len(lines)
    assert handed == before


def test_push_does_no_work(handed: dict[str, int]) -> None:
    document = MarkdownDocument(complete=False)
    for _ in range(1000):
        document.push("*a*\n")
    assert handed == {"inline": 0, "lexed": 0, "fed": 0}


def test_another_width_parses_no_blocks_again(handed: dict[str, int]) -> None:
    document = MarkdownDocument(SHAPES["rich"] * 5)
    document.lines(80, LOOK)
    fed = handed["fed"]
    document.lines(40, LOOK)
    assert handed["fed"] == fed
