"""What all items on screen have in common: sections of lines, what changed, what can be selected."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

from textual.strip import Strip

from chatglass.tui.markdown.look import MarkdownLook
from chatglass.tui.transcript.look import Look
from chatglass.tui.transcript.strips import EMPTY

if TYPE_CHECKING:
    from chatglass.tui.markdown.document import CodeBlock
    from chatglass.tui.transcript.previews import Previews

PartKind = Literal["item", "reasoning", "code", "card"]

GUTTER = 2
"""Columns left of the text: the bar or marker, and a space."""


class Document(Protocol):
    """Markdown that grows; `chatglass.tui.markdown` has it."""

    def push(self, delta: str) -> None: ...
    def finish(self) -> None: ...
    def lines(self, width: int, look: MarkdownLook) -> tuple[list[Strip], int]: ...
    def colour(self) -> tuple[int, int] | None: ...
    def code_blocks(self) -> list[CodeBlock]: ...


class Documents(Protocol):
    """Makes Markdown documents, and guesses the height of one that is not made."""

    def __call__(self, text: str = "", *, complete: bool = True) -> Document: ...
    def estimate_height(self, text: str, width: int) -> int: ...


@dataclass(frozen=True, slots=True)
class Setting:
    """What items are laid out for. `width`: of the text, without gutter and margin, in cells."""

    width: int
    look: Look
    documents: Documents
    now: Callable[[], int]
    """Milliseconds since the epoch."""
    previews: Previews | None = None
    """None where images are not shown."""


@dataclass(frozen=True, slots=True)
class Part:
    """Something that the cursor stops at; the lines count from the item's first."""

    kind: PartKind
    key: str
    """The tool call id of a card, the number of a code block; else empty."""
    first: int
    last: int
    text: str = ""
    """The code of a code block."""


@dataclass(frozen=True, slots=True)
class Change:
    """Lines that are not as they were: (first, last) ranges, and the heights."""

    ranges: tuple[tuple[int, int], ...]
    before: int
    after: int


Section = tuple[Sequence[Strip], int]
"""(lines, index of the first that may have changed, or COMPARE). The lines may be changed in place;
those to compare are a list."""

Field = tuple[str, int, int]
"""(name of a searched text of the item, its first and last line)."""

COMPARE = -1
"""Nothing is known about what changed: the lines are compared with those before."""


class View(ABC):
    """One item laid out. `update` reads the item again; lines that stay equal keep their object,
    so that what was painted of them can be kept too."""

    def __init__(self, setting: Setting) -> None:
        self.setting = setting
        self.height = 0
        self.version = 0
        """Counts the updates that changed a line."""
        self._lists: list[Sequence[Strip]] = []
        self._lengths: list[int] = []

    @abstractmethod
    def sections(self) -> list[Section]:
        """The lines of the item in pieces; always as many pieces."""

    def parts(self) -> list[Part]:
        """In the order of their lines; the first is the item itself."""
        return [Part("item", "", min(1, self.height - 1), self.height - 1)]

    def fields(self) -> list[Field]:
        """Where the texts that `find` searches stand; without those that are folded."""
        return [("text", 1, self.height - 1)]

    @property
    def live(self) -> bool:
        """Whether it shows a time that runs."""
        return False

    def colour(self) -> Change | None:
        """Colour lines that were laid out without; None where all have their colours."""
        return None

    def _colour(self, document: Document | None, section: int) -> Change | None:
        """`colour` for a view that has a document in that section."""
        lines = document.colour() if document is not None else None
        if lines is None:
            return None
        start = self.section_start(section)
        return Change(((start + lines[0], start + lines[1]),), self.height, self.height)

    def barred(self, line: int) -> bool:
        """Whether the line has the bar and tint of a prompt."""
        return False

    def line(self, index: int) -> Strip:
        for lines, length in zip(self._lists, self._lengths, strict=True):
            if index < length:
                return lines[index]
            index -= length
        return EMPTY

    def section_start(self, section: int) -> int:
        return sum(self._lengths[:section])

    def place(self, line: int) -> tuple[int, int]:
        """(section, line within it) of a line, which stays where other sections change."""
        for section, length in enumerate(self._lengths):
            if line < length:
                return section, line
            line -= length
        return max(0, len(self._lengths) - 1), line

    def line_at(self, section: int, line: int) -> int:
        """The line of a place; the last of the section where that became shorter."""
        return self.section_start(section) + max(0, min(line, self._lengths[section] - 1))

    def mark_of(self, line: int) -> tuple[int, int]:
        """A line as (characters before it, blank lines it begins with): about the same text at
        any width."""
        before = sum(_written(self.line(above)) for above in range(line))
        blank = 0
        while line + blank < self.height and not _written(self.line(line + blank)):
            blank += 1
        return before, blank

    def line_of(self, mark: tuple[int, int]) -> int:
        """The line of a mark that was made at another width."""
        before, blank = mark
        line = 0
        while line < self.height and (written := _written(self.line(line))) <= before:
            before -= written
            line += 1
        while blank and line and not _written(self.line(line - 1)):
            blank -= 1
            line -= 1
        return max(0, min(line, self.height - 1))

    def update(self) -> Change:
        before = self.height
        ranges: list[tuple[int, int]] = []
        shifted_at: int | None = None
        offset = 0
        sections = self.sections()
        old_lists = self._lists or [[] for _ in sections]
        old_lengths = self._lengths or [0 for _ in sections]
        for (lines, first), old, old_count in zip(sections, old_lists, old_lengths, strict=True):
            count = len(lines)
            last = count - 1
            if first == COMPARE:
                assert isinstance(lines, list)
                first, last = _keep_equal(old, lines)
            if shifted_at is None and count != old_count:
                shifted_at = offset + min(first, count, old_count)
            elif shifted_at is None and first <= last:
                ranges.append((offset + first, offset + last))
            offset += count
        if shifted_at is not None:
            ranges.append((shifted_at, max(before, offset) - 1))
        self._lists = [lines for lines, _ in sections]
        self._lengths = [len(lines) for lines in self._lists]
        self.height = offset
        if ranges:
            self.version += 1
        return Change(tuple(ranges), before, offset)


def _written(strip: Strip) -> int:
    return sum(len(segment.text) - segment.text.count(" ") for segment in strip)


def _keep_equal(old: Sequence[Strip], new: list[Strip]) -> tuple[int, int]:
    """Put the old strip where the new one equals it; the first and last that differ.

    Where none does: (number of lines, one less).
    """
    first, last = len(new), len(new) - 1
    differ: list[int] = []
    for index, strip in enumerate(new):
        if index < len(old) and old[index] == strip:
            new[index] = old[index]
        else:
            differ.append(index)
    return (differ[0], differ[-1]) if differ else (first, last)
