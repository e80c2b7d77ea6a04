"""The block parser finds what markdown-it-py finds."""

from __future__ import annotations

import re

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from chatglass.tui.markdown.blocks import Code, Empty, Heading, Item, Leaf, Paragraph, Rule, Table
from chatglass.tui.markdown.parser import BlockParser
from chatglass.tui.markdown.pipes import row_cells
from markdown.fragments import LINES, anything

REFERENCE = MarkdownIt("commonmark", {"html": False}).enable("table").disable("reference")

# A line indented by four that is no code, below a list, is read otherwise by markdown-it than the
# specification says (its example 312); those are in CASES.
INDENTED = re.compile(r"^(?: {4}| {0,3}\t)[ \t]*\S", re.MULTILINE)
MARKER = re.compile(r"(?:^|[>\s])(?:[-+*]|\d+[.)])(?:\s|$)")

Found = list[tuple[str, ...]]


def ours(text: str) -> Found:
    parser = BlockParser()
    for line in text.split("\n"):
        parser.feed(line)
    return [found for index, leaf in enumerate(parser.leaves) for found in _leaf(leaf, index)]


def _leaf(leaf: Leaf, index: int) -> Found:
    path = " ".join(
        f"{frame.marker}{frame.number if frame.number is not None else ''}"
        if isinstance(frame, Item)
        else ">"
        for frame in leaf.frames
    )
    match leaf:
        case Paragraph():
            return [(path, "p", _text("\n".join(leaf.lines)))]
        case Heading():
            return [(path, f"h{leaf.level}", _text("\n".join(leaf.lines)))]
        case Code():
            return [(path, "code", leaf.info if leaf.fence else "", "\n".join(leaf.shown).rstrip())]
        case Rule():
            return [(path, "hr")]
        case Table():
            width = len(leaf.aligns)
            rows = [(row_cells(line) + [""] * width)[:width] for line in leaf.lines]
            return [(path, "tr", *row) for row in rows]
        case Empty():
            return []
        case _:
            raise AssertionError(leaf)


def _text(text: str) -> str:
    return "\n".join(line.strip(" \t") for line in text.strip().split("\n"))


def theirs(text: str) -> Found:
    found: Found = []
    path: list[str] = []
    numbers: list[int | None] = []
    kind = ""
    for token in REFERENCE.parse(text):
        if token.type == "blockquote_open":
            path.append(">")
        elif token.type in ("bullet_list_open", "ordered_list_open"):
            numbers.append(int(token.attrs.get("start", 1)) if token.tag == "ol" else None)
        elif token.type == "list_item_open":
            number = numbers[-1]
            path.append(token.markup + ("" if number is None else str(number)))
            if number is not None:
                numbers[-1] = number + 1
        elif token.type in ("blockquote_close", "list_item_close"):
            path.pop()
        elif token.type in ("bullet_list_close", "ordered_list_close"):
            numbers.pop()
        elif token.type in ("paragraph_open", "heading_open"):
            kind = token.tag
        elif token.type == "tr_open":
            kind = "tr"
            found.append((" ".join(path), "tr"))
        elif token.type == "inline" and kind == "tr":
            found[-1] = (*found[-1], token.content)
        elif token.type == "inline":
            found.append((" ".join(path), kind, _text(token.content)))
        elif token.type in ("fence", "code_block"):
            found.append((" ".join(path), "code", token.info.strip(), token.content.rstrip()))
        elif token.type == "hr":
            found.append((" ".join(path), "hr"))
    return found


@settings(max_examples=400, deadline=None)
@given(anything.map(lambda text: text.replace("\r", "").replace("|", "/")))
def test_blocks_are_those_of_markdown_it(text: str) -> None:
    assume(not (INDENTED.search(text) and MARKER.search(text)))
    assert ours(text) == theirs(text)


# markdown-it tries a table before a quote or an item, so that `> a | b` above `--|--` is one whose
# header begins with `>`; GFM has containers first, and so do we. Hence no markers in these lines.
TABLE_LINES = [
    line for line in LINES if not line.lstrip().startswith((">", "-", "+", "*", "1", "2"))
]
DELIMITERS = ["--|--", "|---|:-:|", "| - |", ":-: | -:", "---|", "|:--|", "--|--|--", "-|-"]


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.sampled_from(TABLE_LINES + DELIMITERS * 3), max_size=10),
    st.sampled_from([("", ""), ("> ", "> "), ("- ", "  "), ("3. > ", "   > ")]),
)
def test_tables_are_those_of_markdown_it(lines: list[str], prefix: tuple[str, str]) -> None:
    lines = ["start", "", *(line.replace("\r", "") for line in lines)]
    text = "\n".join(prefix[bool(index)] + line for index, line in enumerate(lines))
    assert ours(text) == theirs(text)


def test_a_container_goes_before_a_table() -> None:
    assert ours("> a | b\n--|--") == [(">", "p", "a | b\n--|--")]


def test_a_table_takes_its_header_from_the_paragraph() -> None:
    assert ours("above\na | b\n--|--\n1 | 2\n\nafter") == [
        ("", "p", "above"),
        ("", "tr", "a", "b"),
        ("", "tr", "1", "2"),
        ("", "p", "after"),
    ]


# From https://spec.commonmark.org/0.31.2/, where markdown-it differs or a generated text seldom gets.
CASES = [
    ("- a\n - b\n  - c\n   - d\n    - e", [("-", "p", t) for t in ("a", "b", "c", "d\n- e")]),
    ("- foo\n\n      bar", [("-", "p", "foo"), ("-", "code", "", "bar")]),
    ("- a\n  > b\n  ```\n  c\n  ```\n- d", [
        ("-", "p", "a"), ("- >", "p", "b"), ("-", "code", "", "c"), ("-", "p", "d")]),
    ("-\n\n  foo", [("", "p", "foo")]),
    ("-\tfoo\n\n\tbar", [("-", "p", "foo"), ("-", "p", "bar")]),
    (">\t\tfoo", [(">", "code", "", "  foo")]),
    ("> 1. > quoted\nlazy", [("> .1 >", "p", "quoted\nlazy")]),
    ("words\n14. more", [("", "p", "words\n14. more")]),
    ("```\naaa\n  ```\nb", [("", "code", "", "aaa"), ("", "p", "b")]),
    ("  ```\n aaa\n    ```\n  ```", [("", "code", "", "aaa\n  ```")]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "found"), CASES, ids=range(len(CASES)))
def test_cases_of_the_specification(text: str, found: Found) -> None:
    assert ours(text) == found
