"""A command line as words, where it is so plain that every POSIX shell reads it in the same way.

What is modelled: words of `A-Z a-z 0-9 _ @ % + = : , . / -`, and whole words in quotes that hold
printable ASCII and nothing that expands, with spaces between. Everything else is refused: lists,
pipes, redirections, expansions, globs, tildes, escapes, comments, line ends, assignments before
the command, reserved words, and whatever is not ASCII.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

PLAIN = re.compile(r"[A-Za-z0-9_@%+=:,./-]+")
_QUOTED = re.compile(r"'([ -&(-~]*)'|\"([ #%-\[\]-_a-~]*)\"")
"""Single quotes hold all printable ASCII but themselves; double ones all but `" ! $ \\` and a back quote."""
_RESERVED = frozenset((
    "if", "then", "else", "elif", "fi", "case", "esac", "for", "select", "while",
    "until", "do", "done", "in", "function", "time", "coproc",
))  # fmt: skip
_LONGEST = 4_096


class NotModelled(Exception):
    """`str()` says what in a command no rule can cover."""


def plain_words(command: str) -> tuple[str, ...]:
    """The words that the shell makes of `command`, quotes taken off. Raises NotModelled."""
    if len(command) > _LONGEST:
        raise NotModelled(f"it is longer than {_LONGEST:,} characters")
    words: list[str] = []
    place = 0
    while place < len(command):
        if command[place] == " ":
            place += 1
        else:
            word, place = next_word(command, place)
            words.append(word)
    if not words:
        raise NotModelled("it is empty")
    if "=" in words[0]:
        raise NotModelled(f"it sets a variable first: {words[0]}")
    if words[0] in _RESERVED or not words[0] or words[0].startswith("-"):
        raise NotModelled(f"{words[0]!r} is not the name of a program")
    return tuple(words)


def next_word(text: str, place: int) -> tuple[str, int]:
    """The word that begins at `place`, and where it ends: at a space or the end. Raises NotModelled."""
    quoted = _QUOTED.match(text, place)
    if quoted is not None:
        word, end = quoted[1] if quoted[1] is not None else quoted[2], quoted.end()
    elif plain := PLAIN.match(text, place):
        word, end = plain[0], plain.end()
    else:
        raise NotModelled(_objection(text, place))
    if end < len(text) and text[end] != " ":
        raise NotModelled(_objection(text, end))
    return word, end


def _objection(text: str, place: int) -> str:
    character = text[place]
    if character in "\n\r":
        return "it has more than one line"
    if character in "'\"" or (place and text[place - 1] in "'\""):
        return "its quotes do more than hold one plain word"
    if not " " <= character <= "~":
        return f"the character U+{ord(character):04X} in it is not plain ASCII"
    return f"it has shell syntax: {character}"


def written(word: str) -> str:
    """`word` as it stands in a command. Raises ValueError for what no plain word can be."""
    if PLAIN.fullmatch(word):
        return word
    for text in (f"'{word}'", f'"{word}"'):
        if _QUOTED.fullmatch(text):
            return text
    raise ValueError(f"{word!r} can't be written as one plain word")


def command_line(words: Sequence[str]) -> str:
    """The command of these words; `plain_words` gives them back."""
    return " ".join(written(word) for word in words)
