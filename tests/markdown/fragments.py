"""Pieces of Markdown that are awkward next to one another, as hypothesis strategies."""

from __future__ import annotations

from hypothesis import strategies as st

LINES = [
    "",
    " ",
    "plain words",
    "more words that go on for a while, so that they wrap",
    "    four spaces",
    "\ttab first",
    "  two spaces",
    "# Heading",
    "###### deep ##",
    "#",
    "#no heading",
    "===",
    "---",
    "- - -",
    "***",
    "-",
    "--",
    "- item",
    "- ",
    "* star",
    "+ plus",
    "  - nested",
    "    - deeper",
    "-     code in item",
    "- # heading in item",
    "- > quote in item",
    "- - twice",
    "- ```",
    "- [ ] open task",
    "- [x] done",
    "1. one",
    "2. two",
    "1) paren",
    "10. ten",
    "123456789. big",
    "   indented by three",
    "> quote",
    ">",
    "> - item in quote",
    "> > deeper",
    ">     code in quote",
    "> ```",
    "> a | b",
    "> --|--",
    "```",
    "```python",
    "~~~",
    "````",
    "  ```",
    "   ```",
    "def f(x): return 'a' # b",
    '"""',
    "a | b",
    "| a | b |",
    "--|--",
    "|---|:-:|",
    "| - |",
    "| one \\| two | three |",
    "- a | b",
    "  --|--",
    "| only |",
    "[x]: https://example.org",
    "[text][x] and [x]",
    "*open emphasis",
    "closing* it",
    "**strong** and `code` and ~~gone~~",
    "`open code",
    "[link](https://example.org/a_b 'title') ![alt *x*](pic.png)",
    "<b>html</b> &amp; &#9; &#13; &#x202e;",
    "<div>",
    "漢字かな交じりの文、長い。",
    "👩‍👩‍👧 ❤️ e\u0301 \u200b zero",
    "hard break  ",
    "back\\",
    "\x1b[31mred\x07",
    "cr\rmid",
    "x" * 70,
]

line = st.sampled_from(LINES)
documents = st.lists(line, max_size=14).map("\n".join)
nested = st.lists(
    st.tuples(st.sampled_from(["", "", "  ", "   ", "> ", "- ", "  > ", "1. "]), line).map("".join),
    max_size=12,
).map("\n".join)
noise = st.text(
    st.sampled_from("`*_~[]()<>#-+=|:>\\!& \t\n\r1.a漢\u0301\u200d\ufe0f👩"), max_size=60
)
anything = st.one_of(documents, nested, noise, st.tuples(documents, noise).map("\n".join))


@st.composite
def chunked(draw: st.DrawFn) -> list[str]:
    """A document in the chunks it arrives in."""
    text = draw(anything)
    cuts = sorted(set(draw(st.lists(st.integers(0, len(text)), max_size=12))))
    return [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]
