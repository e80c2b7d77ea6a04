"""Two texts line by line: what is the same, what is on one side only, what changed.

JSON is laid out first, one member a line, so that a change is a line. This file is also the child
process that compares larger texts, since comparing takes seconds at worst and a thread would hold
the interpreter: a JSON array of two texts on stdin, `Compared.to_json` on stdout. It runs by its
path with `-I -S` and must import nothing but the standard library.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any, Literal

MOST_CHARS = 2_000_000
"""Of each text that is compared."""
MOST_LINES = 40_000
MOST_APART = 6_000
"""Lines, of both texts together, between the first difference and the last, that are aligned; with
more, lines are held against each other by their number."""

Kind = Literal["same", "changed", "left", "right"]


@dataclass(frozen=True, slots=True)
class Row:
    """A line of each text side by side; None where that text has none there."""

    kind: Kind
    left: str | None
    right: str | None


@dataclass(frozen=True, slots=True)
class Compared:
    """`notes` say what was left out, in words for the screen."""

    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()

    @property
    def differences(self) -> int:
        """Runs of lines that are not the same."""
        return sum(
            row.kind != "same" and (place == 0 or self.rows[place - 1].kind == "same")
            for place, row in enumerate(self.rows)
        )

    def to_json(self) -> str:
        return json.dumps([[[r.kind, r.left, r.right] for r in self.rows], list(self.notes)])

    @classmethod
    def from_json(cls, text: str | bytes) -> Compared:
        rows: Any
        rows, notes = json.loads(text)
        return cls(tuple(Row(*row) for row in rows), tuple(notes))


def compare(left: str, right: str) -> Compared:
    """The lines of both, aligned."""
    notes: list[str] = []
    cut = max(len(left), len(right))
    if cut > MOST_CHARS:
        notes.append(f"only the first {MOST_CHARS:,} of {cut:,} characters are compared")
        left, right = left[:MOST_CHARS], right[:MOST_CHARS]
    lines = _lines(left), _lines(right)
    many = max(map(len, lines))
    if many > MOST_LINES:
        notes.append(f"only the first {MOST_LINES:,} of {many:,} lines are compared")
    one, other = (each[:MOST_LINES] for each in lines)
    head = _common(one, other)
    tail = _common(one[head:][::-1], other[head:][::-1])
    middle = one[head : len(one) - tail], other[head : len(other) - tail]
    rows = [Row("same", line, line) for line in one[:head]]
    if sum(map(len, middle)) > MOST_APART:
        notes.append("too different to be aligned: lines of the same number stand side by side")
        rows += _by_number(*middle)
    else:
        rows += _aligned(*middle)
    rows += [Row("same", line, line) for line in one[len(one) - tail :]]
    return Compared(tuple(rows), tuple(notes))


def changed_part(left: str, right: str) -> tuple[tuple[int, int], tuple[int, int]]:
    """From and to which character two lines differ, in the one and in the other."""
    head = _common(left, right)
    tail = _common(left[head:][::-1], right[head:][::-1])
    return (head, len(left) - tail), (head, len(right) - tail)


def _lines(text: str) -> list[str]:
    if text.lstrip()[:1] in ("{", "["):
        try:
            value: Any = json.loads(text)
        except (ValueError, RecursionError):
            return text.split("\n")
        text = json.dumps(value, indent=2, ensure_ascii=False)
    return text.split("\n")


def _common(one: Sequence[str], other: Sequence[str]) -> int:
    """How many entries both begin with."""
    most = min(len(one), len(other))
    for place in range(most):
        if one[place] != other[place]:
            return place
    return most


def _aligned(one: list[str], other: list[str]) -> list[Row]:
    rows: list[Row] = []
    # `autojunk` keeps texts of few different lines from taking cubic time.
    for tag, a, b, c, d in SequenceMatcher(None, one, other, autojunk=True).get_opcodes():
        if tag == "equal":
            rows += [Row("same", line, line) for line in one[a:b]]
        else:
            rows += _by_number(one[a:b], other[c:d])
    return rows


def _by_number(one: list[str], other: list[str]) -> list[Row]:
    both = min(len(one), len(other))
    rows = [
        Row("same" if left == right else "changed", left, right)
        for left, right in zip(one[:both], other[:both], strict=True)
    ]
    rows += [Row("left", line, None) for line in one[both:]]
    rows += [Row("right", None, line) for line in other[both:]]
    return rows


def main() -> None:
    left, right = json.loads(sys.stdin.buffer.read())
    sys.stdout.buffer.write(compare(left, right).to_json().encode())
    sys.stdout.flush()
    # Not `sys.exit`, which would free all the strings one by one first.
    os._exit(0)


if __name__ == "__main__":
    main()
