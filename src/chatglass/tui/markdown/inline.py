"""What is inside a block: markdown-it-py's inline tokens as styled runs, and where a long text may be cut."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from rich.style import Style

from chatglass.tui.markdown.look import MarkdownLook
from chatglass.tui.markdown.wrap import Run
from chatglass.values.text import visible

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

# Text is handed to markdown-it in pieces of 600 to 1,200 characters, so that a paragraph without
# end is not parsed over and over. A piece ends at a space outside of all markup where there is one.
_PIECE_FROM, _PIECE_TO = 600, 1200

_MARKUP = re.compile(r"[\\`*_~\[<&\n]")
_CUT_TOKEN = re.compile(r"\\.|`+|\*+|~~+|_+|\[|\]\(|\]|\)|<|>|\s+", re.DOTALL)
_CLICKABLE = re.compile(r"(?:https?://|mailto:)", re.IGNORECASE)

LINK_META = "href"
"""The key in a segment's `style.meta` that holds the address of a link (http, https or mailto)."""


@cache
def _parser() -> MarkdownIt:
    from markdown_it import MarkdownIt

    return MarkdownIt("commonmark", {"html": False}).enable("strikethrough")


def inline_runs(text: str, base: Style, look: MarkdownLook) -> list[Run]:
    """`text` as runs; `\\n` in a run is a hard break."""
    if not _MARKUP.search(text):
        return [(flat(text), base)] if text else []
    tokens: list[Token] = []
    _parser().inline.parse(text, _parser(), {}, tokens)
    return _Runs(base, look).take(tokens)


def flat(text: str) -> str:
    """Text of one token for the screen: entities may have brought in tabs, line ends and controls."""
    return visible(text.replace("\t", " ").replace("\n", " "))


class _Runs:
    def __init__(self, base: Style, look: MarkdownLook) -> None:
        self._look = look
        self._styles = [base]
        self._links: list[tuple[str, int]] = []
        self._runs: list[Run] = []

    def take(self, tokens: list[Token]) -> list[Run]:
        for token in tokens:
            kind = token.type
            if kind in ("text", "text_special"):
                self._put(token.content)
            elif kind == "softbreak":
                self._put(" ")
            elif kind == "hardbreak":
                self._runs.append(("\n", self._styles[-1]))
            elif kind == "code_inline":
                self._put(token.content, self._look.code)
            elif kind == "image":
                self._put(f"[image: {token.content}]")
                self._put(f" {token.attrs.get('src', '')}", self._look.dim)
            elif kind == "link_open":
                self._open_link(str(token.attrs.get("href", "")))
            elif kind == "link_close":
                self._close_link()
            elif kind in _STYLED:
                self._push(getattr(self._look, _STYLED[kind]))
            elif token.nesting < 0:
                self._styles.pop()
            else:
                self._put(token.content)
        return self._runs

    def _put(self, text: str, style: Style | None = None) -> None:
        if text:
            top = self._styles[-1]
            self._runs.append((flat(text), self._look.mix(top, style) if style else top))

    def _push(self, style: Style) -> None:
        self._styles.append(self._look.mix(self._styles[-1], style))

    def _open_link(self, href: str) -> None:
        style = self._look.link
        if _CLICKABLE.match(href):
            style = style + Style.from_meta({LINK_META: href})
        self._styles.append(self._styles[-1] + style)
        self._links.append((href, len(self._runs)))

    def _close_link(self) -> None:
        self._styles.pop()
        href, first = self._links.pop()
        shown = "".join([run[0] for run in self._runs[first:]])
        if href and shown != href and f"mailto:{shown}" != href:
            self._put(f" ({href})" if shown else href, self._look.dim)


_STYLED = {"strong_open": "strong", "em_open": "emphasis", "s_open": "strike"}


def piece_end(text: str, start: int) -> int | None:
    """Where the piece of `text` that begins at `start` ends; None while it may still grow.

    It depends only on the 1,200 characters from `start`, so pieces never change as text grows.
    """
    if len(text) - start < _PIECE_TO:
        return None
    window = text[start : start + _PIECE_TO]
    spaces = _neutral_spaces(window)
    if spaces:
        return start + spaces
    space = max(window.rfind(" ", _PIECE_FROM), window.rfind("\n", _PIECE_FROM))
    return start + (space + 1 if space > 0 else _PIECE_TO)


def _neutral_spaces(window: str) -> int:
    """The first place from `_PIECE_FROM` on, after white space, with no markup open as far as can be told."""
    ticks = ""
    odd: set[str] = set()
    brackets = 0
    target = False
    for found in _CUT_TOKEN.finditer(window):
        token = found.group()
        if ticks:
            if token == ticks:
                ticks = ""
            continue
        if token[0].isspace():
            if found.end() >= _PIECE_FROM and not odd and not brackets and not target:
                return found.end()
        elif token[0] == "`":
            ticks = token
        elif token[0] in "*~" or (token[0] == "_" and not _inside_word(window, found)):
            if not _is_afloat(window, found):
                odd ^= {token}
        elif token == "[":
            brackets += 1
        elif token == "](":
            brackets, target = max(0, brackets - 1), True
        elif token == "]":
            brackets = max(0, brackets - 1)
        elif token == ")":
            target = False
    return 0


def _around(window: str, found: re.Match[str]) -> tuple[str, str]:
    start, end = found.span()
    return window[max(0, start - 1) : start], window[end : end + 1]


def _inside_word(window: str, found: re.Match[str]) -> bool:
    before, after = _around(window, found)
    return before.isalnum() and after.isalnum()


def _is_afloat(window: str, found: re.Match[str]) -> bool:
    """White space on both sides: it opens and closes nothing."""
    before, after = _around(window, found)
    return (not before or before.isspace()) and (not after or after.isspace())
