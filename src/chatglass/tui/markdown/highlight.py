"""Code as coloured lines, by pygments. Its lexers are imported when a language is first seen."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from pygments.token import Token, _TokenType

from chatglass.tui.markdown.look import MarkdownLook
from chatglass.tui.markdown.wrap import Run

if TYPE_CHECKING:
    from pygments.lexer import Lexer

LONGEST_LINE = 2_000  # characters; a lexer's regular expressions are slow on longer ones
_PLAIN = frozenset({"", "text", "txt", "plain", "plaintext", "none", "output"})


@cache
def find_lexer(language: str) -> Lexer | None:
    """The lexer for an info string's first word, or None where pygments has none."""
    if language in _PLAIN:
        return None
    from pygments.lexers import get_lexer_by_name
    from pygments.util import ClassNotFound

    try:
        return get_lexer_by_name(language, stripnl=False, ensurenl=True)
    except ClassNotFound:
        return None


def warm(
    languages: tuple[str, ...] = ("python", "bash", "json", "javascript", "typescript", "html"),
) -> None:
    """Import lexers and the inline parser before they are needed; may run in any thread."""
    from chatglass.tui.markdown.inline import inline_runs

    look = MarkdownLook()
    inline_runs("*warm*", look.text, look)
    for language in languages:
        lexer = find_lexer(language)
        if lexer is not None:
            list(lexer.get_tokens("x = 1\n"))


def lex(lines: list[str], lexer: Lexer | None, look: MarkdownLook) -> tuple[list[list[Run]], bool]:
    """Each line as runs, and whether a string or comment is still open at the end."""
    plain = look.token(Token)
    if lexer is None or any(len(line) > LONGEST_LINE for line in lines):
        return [[(line, plain)] for line in lines], False
    found: list[list[Run]] = [[]]
    kind: _TokenType = Token
    for kind, value in lexer.get_tokens("\n".join(lines)):
        style = look.token(kind)
        first, *others = value.split("\n")
        if first:
            found[-1].append((first, style))
        for part in others:
            found.append([(part, style)] if part else [])
    if found and not found[-1]:
        found.pop()
    if len(found) > len(lines) or not _same(found, lines):
        return [[(line, plain)] for line in lines], False
    found += [[] for _ in range(len(lines) - len(found))]
    return found, kind in Token.Literal.String or kind in Token.Comment.Multiline


def _same(found: list[list[Run]], lines: list[str]) -> bool:
    """A lexer may drop or change characters; what the model wrote goes before colour."""
    return all(
        "".join([run[0] for run in runs]) == line for runs, line in zip(found, lines, strict=False)
    )
