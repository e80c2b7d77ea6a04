"""A text with marked stretches, such as what was left out of another."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, NamedTuple

Part = Literal["heading", "added", "removed", "note", "good", "bad"]
"""`added` and `removed`: against another text. What a mark says also stands in the text, by a sign
or a word."""


class Mark(NamedTuple):
    """Where a stretch begins and ends, in characters, and what it is."""

    start: int
    end: int
    part: Part


@dataclass(slots=True)
class MarkedText:
    """Collects a text, marking as it goes; the marks come in order and apart from each other."""

    marks: list[Mark] = field(default_factory=list[Mark])
    _pieces: list[str] = field(default_factory=list[str])
    _length: int = 0

    def add(self, text: str, part: Part | None = None) -> MarkedText:
        if text:
            if part is not None:
                self.marks.append(Mark(self._length, self._length + len(text), part))
            self._pieces.append(text)
            self._length += len(text)
        return self

    def line(self, text: str = "", part: Part | None = None) -> MarkedText:
        return self.add(text, part).add("\n")

    def fact(self, label: str, value: str, part: Part | None = None) -> MarkedText:
        """A line of a label and a value."""
        return self.add(f"{label:<13}", "note").line(value, part)

    @property
    def text(self) -> str:
        return "".join(self._pieces).removesuffix("\n")
