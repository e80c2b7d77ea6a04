"""Blocks of a Markdown text: what the line-by-line parser makes and the renderer shows.

A text is an ordered list of leaves. Each knows the containers around it (its frames) and whether
the source had a blank line before it. Only the last leaf of a growing text can still change.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Align = Literal["left", "center", "right"]


@dataclass(frozen=True, slots=True)
class Quote:
    first_leaf: int
    """Index of the first leaf inside."""


@dataclass(frozen=True, slots=True)
class Item:
    """One item of a list; the list itself is only `first_of_list`, which its items share."""

    first_leaf: int
    first_of_list: int
    marker: str
    """`-`, `+` or `*`; of an ordered list `.` or `)`."""
    number: int | None
    depth: int
    """How many items are around it."""
    indent: int
    """Columns its content stands to the right of the parent's."""
    ended: bool = False
    """It began empty and a blank line followed: nothing more goes in, but a sibling may follow."""


Frame = Quote | Item


@dataclass(slots=True, eq=False)
class Leaf:
    """`lines` only grows by appending, so that a mark (its length) can be gone back to."""

    frames: tuple[Frame, ...]
    gap: bool
    """The source has a blank line before it."""
    lines: list[str] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Empty(Leaf):
    """A container without content yet."""


@dataclass(slots=True, eq=False)
class Paragraph(Leaf):
    lazy: int = 0
    """How many of the lines, counted in `lines` from 1, is the last lazy continuation; 0 for none."""


@dataclass(slots=True, eq=False)
class Heading(Leaf):
    level: int = 1


@dataclass(slots=True, eq=False)
class Rule(Leaf):
    pass


@dataclass(slots=True, eq=False)
class Code(Leaf):
    """Fenced, or indented where `fence` is empty."""

    info: str = ""
    fence: str = ""
    indent: int = 0

    @property
    def language(self) -> str:
        """First word of the info string, without the braces and attributes some writers add."""
        words = self.info.replace("{", " ").replace("}", " ").replace(",", " ").split()
        return words[0].lstrip(".").lower() if words else ""

    @property
    def shown(self) -> list[str]:
        """Its lines; blank ones at the end of indented code are not part of it."""
        if self.fence or not self.lines or self.lines[-1].strip():
            return self.lines
        end = len(self.lines)
        while end and not self.lines[end - 1].strip():
            end -= 1
        return self.lines[:end]


@dataclass(slots=True, eq=False)
class Table(Leaf):
    """`lines` are the header and the body rows; the delimiter row is in `aligns`."""

    aligns: tuple[Align, ...] = ()
