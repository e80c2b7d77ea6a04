"""Which part of a laid-out JSON line is what: key, string, number, literal, punctuation.

A laid-out line holds at most one key and one value, so each line tells by itself; no state is
carried from line to line, and lines that are no JSON simply stay plain.
"""

from __future__ import annotations

import re
from typing import Literal

Kind = Literal["key", "string", "number", "literal", "punctuation"]
Part = tuple[int, int, Kind]
"""Start and end as offsets into the whole text."""

KEY = re.compile(r'[ ]*("[^"\\\n]*(?:\\.[^"\\\n]*)*")(: )')
_INDENT = re.compile(r"[ ]*")
_NUMBER = re.compile(r"-?[0-9][0-9.eE+-]*|-?Infinity|NaN")
_LITERAL = re.compile(r"true|false|null")
_PUNCTUATION = re.compile(r"[\[\]{},]+")
_LONGEST_KEY = 4096
"""Longer ones pass as strings: looking for the end of a string of 5 MB takes 0.1 s."""


def line_parts(text: str, start: int, end: int) -> list[Part]:
    """The parts of the line `text[start:end]`, in order and apart from each other."""
    parts: list[Part] = []
    at = start
    if key := KEY.match(text, start, min(end, start + _LONGEST_KEY)):
        parts.append((key.start(1), key.end(1), "key"))
        parts.append((key.start(2), key.end(2), "punctuation"))
        at = key.end()
    elif indent := _INDENT.match(text, start, end):
        at = indent.end()
    tail = end - 1 if end > at and text[end - 1] == "," else end
    if at < tail:
        if text[at] == '"' and text[tail - 1] == '"':
            parts.append((at, tail, "string"))
        elif _NUMBER.fullmatch(text, at, tail):
            parts.append((at, tail, "number"))
        elif _LITERAL.fullmatch(text, at, tail):
            parts.append((at, tail, "literal"))
        elif _PUNCTUATION.fullmatch(text, at, tail):
            parts.append((at, tail, "punctuation"))
    if tail < end:
        parts.append((tail, end, "punctuation"))
    return parts


class LineMarks:
    """Parts of any slice of a line, remembering the line last looked at: a line of 5 MB is many
    rows, and each asks."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._line: tuple[int, int] = (0, -1)
        self._parts: list[Part] = []

    def parts(self, start: int, end: int) -> list[Part]:
        """The parts within `text[start:end]`, a slice of one line, cut to it."""
        if not self._line[0] <= start <= end <= self._line[1]:
            line_start = self._text.rfind("\n", 0, start) + 1
            line_end = self._text.find("\n", end)
            self._line = (line_start, len(self._text) if line_end < 0 else line_end)
            self._parts = line_parts(self._text, *self._line)
        return [
            (max(a, start), min(b, end), kind)
            for a, b, kind in self._parts
            if a < end and b > start
        ]
