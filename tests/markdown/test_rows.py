"""What the blocks look like, line by line."""

from __future__ import annotations

import pytest
from rich.cells import cell_len
from textual.strip import Strip

from chatglass.tui.markdown.document import CodeBlock, MarkdownDocument
from chatglass.tui.markdown.inline import LINK_META
from chatglass.tui.markdown.look import MarkdownLook

LOOK = MarkdownLook.from_theme_variables({"primary": "#0178D4", "accent": "#FEA62B"}, dark=True)


def strips(text: str, width: int = 40) -> list[Strip]:
    return MarkdownDocument(text).lines(width, LOOK)[0]


def rows(text: str, width: int = 40) -> list[str]:
    return [strip.text.rstrip() for strip in strips(text, width)]


def style_of(text: str, part: str):
    return next(style for strip in strips(text, 80) for t, style, _ in strip if part in t)


SHOWN = {
    "blocks are a line apart": ("# One\ntext\n* * *\nmore", ["One", "", "text", "", "─" * 40, "", "more"]),
    "words wrap, long ones break": ("aaaa bbbb " + "c" * 45, ["aaaa bbbb", "c" * 40, "c" * 5]),
    "hard and soft breaks": ("one\ntwo  \nthree\\\nfour", ["one two", "three", "four"]),
    "words outside ASCII wrap alike": ("été " * 11 + "é" * 45, [("été " * 10).rstrip(), "été", "é" * 40, "é" * 5]),
    "wide characters": ("漢字" * 12, ["漢字" * 10, "漢字" * 2]),
    "no line begins with a full stop": ("漢" * 20 + "。", ["漢" * 19, "漢。"]),
    "lists": (
        "- one\n  - two\n    - three\n      - four\n\n- five",
        ["• one", "  ◦ two", "    ▪ three", "      • four", "", "• five"],
    ),
    "numbers go on from the first": ("7. a\n7. b\n1) c", ["7. a", "8. b", "", "1) c"]),
    "an item's text hangs": ("10. " + "word " * 10, ["10. word word word word word word word", "    word word word"]),
    "blank lines in a list are those of its source": (
        "- a\n- b\n\n  more\n- c",
        ["• a", "• b", "", "  more", "• c"],
    ),
    "tasks": ("- [ ] open\n- [X] done\n1. [x] third\n- [x]y", ["☐ open", "☑ done", "", "1. ☑ third", "", "• [x]y"]),
    "empty items": ("-\n- a\n>", ["•", "• a", "", "▌"]),
    "quotes": ("> a\n>\n> > b\nlazy", ["▌ a", "▌", "▌ ▌ b lazy"]),
    "blocks in a quote are a line apart": ("> # a\n> b", ["▌ a", "▌", "▌ b"]),
    "tables": (
        "| name | n | mid |\n|---|--:|:-:|\n| a | 10 | x |\n| `bb` | 5 |",
        ["name │  n │ mid", "─────┼────┼────", "a    │ 10 │  x", "bb   │  5 │"],
    ),
    "table cells wrap": (
        "| a | b |\n|--|--|\n| short | " + "word " * 9 + "|",
        ["a     │ b", "──────┼─" + "─" * 32, "short │ word word word word word word", "      │ word word word"],
    ),
    "html is text": ("<b>x</b>\n\n<div>\n*y*", ["<b>x</b>", "", "<div> y"]),
    "links and images": (
        "[a](https://e.org) <https://e.org> ![i](p.png)",
        ["a (https://e.org) https://e.org [image:", "i] p.png"],
    ),
    "a script is no link": ("[a](javascript:x)", ["[a](javascript:x)"]),
    "definitions": ("[a][1] b\n[1]: https://e.org\n[2]: /f", ["[a][1] b", "[1]: https://e.org", "[2]: /f"]),
    "controls are shown": ("a\x1b[31m &#x202e;&#13;b", ["a␛[31m \\u202e\N{SYMBOL FOR CARRIAGE RETURN}b"]),
    "markup of other kinds is text": ("[bold]x[/bold] [@click=quit]y[/]", ["[bold]x[/bold] [@click=quit]y[/]"]),
    "unclosed markup is shown": ("a **b and `c", ["a **b and `c"]),
    "nothing": ("", []),
}  # fmt: skip


@pytest.mark.parametrize("name", SHOWN)
def test_rows(name: str) -> None:
    text, expected = SHOWN[name]
    assert rows(text) == expected


def test_code_has_its_language_a_background_and_a_sign_where_it_wraps() -> None:
    lines = strips("```python\n\tx = '" + "a" * 30 + "'\n```\n", 30)
    assert [line.text for line in lines] == [
        " python                       ",
        "     x = 'aaaaaaaaaaaaaaaaaaa ",
        " ↪ aaaaaaaaaaa'               ",
    ]
    assert {style.bgcolor for line in lines for _, style, _ in line} == {LOOK.code_block.bgcolor}
    colours = {text: style.color for text, style, _ in lines[1]}
    assert len(set(colours.values())) > 1


def test_wrapped_code_hides_nothing() -> None:
    code = "".join(chr(33 + n % 90) for n in range(333))
    shown = "".join(
        strip.text.strip().removeprefix("↪ ") for strip in strips(f"```\n{code}\n```", 25)
    )
    assert shown == code


def test_narrow_tables_are_stacked() -> None:
    table = "| name | size | kind |\n|--|--|--|\n| a.py | 10 | file |\n| b | | dir |"
    assert rows(table, 14) == [
        "name", "size", "kind", "────────────",
        "name: a.py", "size: 10", "kind: file", "───",
        "name: b", "kind: dir", "───",
    ]  # fmt: skip


@pytest.mark.parametrize("url", ["https://e.org/a", "http://e.org/a", "mailto:a@e.org"])
def test_links_carry_their_address_and_no_terminal_link(url: str) -> None:
    style = style_of(f"see [this]({url})", "this")
    assert style.meta == {LINK_META: url}
    assert style.link is None


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://e.org", "notes.md", "#part"])
def test_other_links_are_shown_and_not_clickable(url: str) -> None:
    assert not any(
        style.meta for strip in strips(f"[this]({url})") for _, style, _ in strip if style
    )


def test_headings_differ_from_text_and_from_one_another() -> None:
    for look in (LOOK, MarkdownLook.from_theme_variables({}, dark=False, monochrome=True)):
        text = "\n\n".join("#" * n + " x" for n in range(1, 7)) + "\n\nx"
        lines = MarkdownDocument(text).lines(20, look)[0]
        assert len({next(iter(line)).style for line in lines if line.text}) == 7


def test_code_blocks_know_their_lines() -> None:
    document = MarkdownDocument("a\n\n```py x=1\n\tb\n\nc\n```\n\n    d\n\n~~~", complete=False)
    lines, _ = document.lines(40, LOOK)
    found = document.code_blocks()
    assert [(block.language, block.text) for block in found] == [("py", "\tb\n\nc"), ("", "d")]
    first, last = found[0].first_line, found[0].last_line
    assert [line.text.strip() for line in lines[first:last]] == ["py x=1", "b", "", "c"]
    assert document.code_blocks()[1] == CodeBlock("", "d", last + 1, last + 2)


def test_what_may_become_something_else_waits() -> None:
    document = MarkdownDocument("text", complete=False)
    shown: list[list[str]] = []
    for delta in ("\n", "-", "-", " x"):
        document.push(delta)
        shown.append([line.text for line in document.lines(20, LOOK)[0]])
    assert shown == [["text"], ["text"], ["text"], ["text -- x"]]
    document.push("\n--")
    document.finish()
    assert document.lines(20, LOOK)[0][0].text == "text -- x"
    assert next(iter(document.lines(20, LOOK)[0][0])).style != LOOK.text


def test_a_line_end_or_character_cut_in_two() -> None:
    document = MarkdownDocument(complete=False)
    for delta in ("a\r", "\nb \ud83d", "\ude00 c", "\ud83d"):
        document.push(delta)
        document.lines(20, LOOK)
    document.finish()
    assert [line.text for line in document.lines(20, LOOK)[0]] == [
        "a b 😀 c\N{REPLACEMENT CHARACTER}"
    ]


def test_a_finished_document_takes_no_more() -> None:
    with pytest.raises(RuntimeError, match="finished"):
        MarkdownDocument("a").push("b")


@pytest.mark.parametrize("text", ["", "one", "one\n\ntwo\nthree", "word " * 200, "漢字" * 100])
def test_the_estimated_height_is_near(text: str) -> None:
    exact = len(strips(text, 40))
    assert abs(MarkdownDocument.estimate_height(text, 40) - exact) <= 2 + exact // 4


def test_a_very_long_cell_is_shown_as_it_is() -> None:
    shown = rows("| a |\n|--|\n| *b*\tc " + "d" * 2000 + " |")
    assert shown[2] == "*b* c"
    assert not any("\t" in row for row in shown)


@pytest.mark.parametrize("depth", [3, 40, 4000])
def test_deep_nesting_ends(depth: int) -> None:
    for marker in ("> ", "- ", "1. ", "*", "[", "`"):
        for strip in strips(marker * depth + "x", 30):
            assert cell_len(strip.text) <= 30
