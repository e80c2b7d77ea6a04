"""What the session list says about a session, and which of its columns fit."""

from __future__ import annotations

import os
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, NamedTuple

from chatglass.spending.report import cost_of_session
from chatglass.store.records import SessionRow, StoreSize
from chatglass.values import figures
from chatglass.values.text import one_line

TITLE_LIMIT = 160

Align = Literal["left", "right"]
Order = Literal["time", "cost", "length"]


class Totals(NamedTuple):
    """Sums over the sessions that are listed."""

    sessions: int = 0
    tokens: int = 0
    cost: Decimal = Decimal(0)
    unpriced_requests: int = 0
    estimated_requests: int = 0


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
    """As the meter writes it; empty where nothing was used."""
    return cost_of_session(row) if row.total_tokens else ""


def place(row: SessionRow, root: str) -> str:
    """`here`, or the name of the folder it belongs to."""
    if row.root == root:
        return "here"
    return one_line(os.path.basename(row.root.rstrip("/")) or row.root, 40)


def excerpt(row: SessionRow) -> str:
    """The start of the first prompt; empty where the title says the same."""
    text = one_line(row.excerpt, TITLE_LIMIT).strip()
    shown = title(row).rstrip("…")
    return "" if text.startswith(shown) or shown.startswith(text) else text


def flags(row: SessionRow) -> str:
    """A sign for each of pinned, forked and archived."""
    forked = row.forked_from is not None
    return "★" * row.pinned + "⑂" * forked + "▣" * row.archived


def facts(row: SessionRow, root: str) -> list[str]:
    """What there is to know of a session beside its title, in words, a line each."""
    created, updated = figures.date(row.created_at), figures.date(row.updated_at)
    lines = [
        f"{one_line(row.model, 60) or 'no model'} · {one_line(row.endpoint, 40)} · "
        f"{one_line(row.root, 120)}{' (here)' if row.root == root else ''}",
        f"{updated}, begun {created}",
        f"{figures.counted(row.messages, 'message')} · "
        f"{figures.counted(row.tool_calls, 'tool call')} · "
        f"{figures.counted(row.requests, 'request')} · "
        f"{figures.counted(row.total_tokens, 'token')} · {cost(row) or 'no cost'}",
    ]
    states = [
        "pinned" * row.pinned,
        f"forked from {row.forked_from[0][-6:]}" if row.forked_from else "",
        "archived" * row.archived,
        {"interrupted": "its last answer was interrupted", "error": "its last answer failed",
         "partial": "its last answer is not finished", "complete": ""}[row.last_status],
        "holds a draft" if row.draft else "",
        " ".join(f"#{one_line(tag, 30)}" for tag in row.tags),
    ]  # fmt: skip
    if said := " · ".join(state for state in states if state):
        lines.append(said)
    return lines


def total(totals: Totals, order: Order) -> str:
    """The line of sums over what is listed."""
    sessions = figures.counted(totals.sessions, "session")
    spent = figures.cost(
        totals.cost if totals.tokens else None,
        about=bool(totals.estimated_requests),
        unpriced=totals.unpriced_requests,
    )
    by = {"time": "newest first", "cost": "dearest first", "length": "longest first"}[order]
    return f"{sessions} · {totals.tokens:,} tokens · {spent} · {by}"


def index_size(size: StoreSize) -> str:
    return f"index {figures.size(size.search)} of {figures.size(size.total)}"


@dataclass(frozen=True, slots=True)
class Columns:
    """Cells of each column beside the title; 0 where it is left out."""

    model: int = 0
    messages: int = 0
    calls: int = 0
    place: int = 0
    date: int = 0
    age: int = 6
    cost: int = 9

    @property
    def taken(self) -> int:
        """Cells of all of them with a blank before each."""
        return sum(width + 1 for _, width, _ in self.heads())

    def cells(self, row: SessionRow) -> list[tuple[str, int, Align]]:
        """Text, width and side of the first columns, up to the place."""
        texts = (one_line(row.model, 60), f"{row.messages:,}", f"{row.tool_calls:,}")
        heads = zip(texts, (self.model, self.messages, self.calls), _SIDES, strict=False)
        return [(text, width, side) for text, width, side in heads if width]

    def heads(self) -> list[tuple[str, int, Align]]:
        """Name, width and side of all columns."""
        widths = (
            self.model, self.messages, self.calls, self.place, self.date, self.age, self.cost
        )  # fmt: skip
        heads = zip(_NAMES, widths, _SIDES, strict=True)
        return [(name, width, side) for name, width, side in heads if width]


_NAMES = ("model", "msgs", "calls", "place", "date", "age", "cost")
_SIDES: tuple[Align, ...] = ("left", "right", "right", "left", "left", "right", "right")

_BY_WIDTH = (
    (128, Columns(date=16, model=20, messages=6, calls=6, place=14)),
    (104, Columns(date=16, model=16, messages=6, calls=6)),
    (84, Columns(model=16, messages=6, calls=5)),
    (64, Columns(model=12, messages=5, calls=5)),
    (52, Columns(messages=5, calls=5)),
    (44, Columns()),
    (0, Columns(cost=0)),
)
"""From how many cells on which columns are shown. The title keeps 20 or more."""


def columns(width: int) -> Columns:
    return next(chosen for least, chosen in _BY_WIDTH if width >= least)
