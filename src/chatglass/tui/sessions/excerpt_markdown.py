"""Answers in the preview: their Markdown as lines, with what was searched for marked in them."""

from __future__ import annotations

import re
from collections.abc import Iterable

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from chatglass.tui.markdown.document import MarkdownDocument
from chatglass.tui.markdown.look import MarkdownLook


class ExcerptMarkdown:
    """The documents of the excerpts that are previewed: each is parsed once, at any width."""

    def __init__(self) -> None:
        self._documents: dict[str, MarkdownDocument] = {}

    def __len__(self) -> int:
        return len(self._documents)

    def clear(self) -> None:
        self._documents.clear()

    def lines(self, text: str, width: int, look: MarkdownLook) -> list[Strip]:
        """`text`, which may be a part of an answer, as lines of at most `width` cells."""
        document = self._documents.get(text)
        if document is None:
            document = self._documents[text] = MarkdownDocument(text)
        return list(document.lines(width, look)[0])


def marked(lines: Iterable[Strip], pattern: re.Pattern[str], found: Style) -> list[Strip]:
    """`lines` with `found` over what `pattern` matches in each."""
    return [_marked(line, pattern, found) for line in lines]


def _marked(line: Strip, pattern: re.Pattern[str], found: Style) -> Strip:
    text = line.text
    edges = [edge for match in pattern.finditer(text) for edge in match.span()]
    if not edges:
        return line
    cuts = [*(cell_len(text[:edge]) for edge in edges), line.cell_length]
    segments: list[Segment] = []
    for number, piece in enumerate(line.divide(cuts)):
        # What was found stands between an odd cut and the even one after it.
        over = found if number % 2 else None
        segments += Segment.apply_style(piece, post_style=over)
    return Strip(segments, line.cell_length)
