"""What the session list says about a session, and which of its columns fit."""

from __future__ import annotations

import os
from dataclasses import dataclass

from chatglass.store.records import SessionRow
from chatglass.values import figures
from chatglass.values.text import one_line

TITLE_LIMIT = 160


def title(row: SessionRow) -> str:
    """The title as one visible line; of an untitled session its first prompt or draft."""
    if text := one_line(row.title, TITLE_LIMIT).strip():
        return text
    if text := one_line(row.excerpt, TITLE_LIMIT).strip():
        return text
    if text := one_line(row.draft, TITLE_LIMIT).strip():
        return f"draft: {text}"
    return "untitled"


def cost(row: SessionRow) -> str:
    """As the meter writes it: `—` where nothing could be priced, `+` where a part is unpriced."""
    if not row.total_tokens:
        return ""
    is_free = not row.cost and not row.unpriced_requests
    return figures.cost(row.cost, free=is_free, unpriced=row.unpriced_requests)


def place(row: SessionRow, root: str) -> str:
    """`here`, or the name of the folder it belongs to."""
    if row.root == root:
        return "here"
    return one_line(os.path.basename(row.root.rstrip("/")) or row.root, 40)


@dataclass(frozen=True, slots=True)
class Columns:
    """Cells of each column beside the title; 0 where it is left out."""

    date: int = 0
    model: int = 0
    messages: int = 0
    place: int = 0
    age: int = 7
    cost: int = 9

    @property
    def taken(self) -> int:
        """Cells of all of them with a blank before each."""
        widths = (self.date, self.model, self.messages, self.place, self.age, self.cost)
        return sum(width + 1 for width in widths if width)


_BY_WIDTH = (
    (124, Columns(date=16, model=20, messages=9, place=14)),
    (104, Columns(date=16, model=16, messages=9)),
    (84, Columns(date=16, model=14)),
    (60, Columns(model=14)),
    (44, Columns()),
    (0, Columns(cost=0)),
)
"""From how many cells on which columns are shown. The title keeps 26 or more down to 44 cells."""


def columns(width: int) -> Columns:
    return next(chosen for least, chosen in _BY_WIDTH if width >= least)
