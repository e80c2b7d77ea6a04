"""A tool call as one line: mark, name, arguments, progress, state in words, duration, size."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.style import Style
from textual.strip import Strip

from chatglass.tui.state_marks import STATE_MARKS
from chatglass.tui.transcript.items import ToolCard
from chatglass.tui.transcript.look import Look
from chatglass.tui.transcript.strips import Piece, cut, strip_of
from chatglass.values.figures import duration
from chatglass.values.text import one_line

if TYPE_CHECKING:
    from chatglass.store.records import ToolCallState

WORDS: dict[ToolCallState, str] = {
    "proposed": "proposed",
    "asking": "asks you",
    "approved": "approved",
    "running": "",
    "ok": "",
    "error": "failed",
    "denied": "denied",
    "cancelled": "cancelled",
    "unknown": "unknown: it may have run",
}
"""State in words, so that colour is never all there is; running and ok show figures instead."""

NAME_WIDTH = 14
"""Names are padded to this, so that the arguments of short names stand in a column."""
SIZE_WIDTH = 9
"""Cells of the size column, `12 lines`; left out below NARROW."""
DURATION_WIDTH = 8
NARROW = 56
BAR_WIDTH = 8
SWEEP_MS = 250
_SWEPT = 3

_OF = re.compile(r"(\d[\d,]*(?:\.\d+)?)\s*(?:/|of)\s*(\d[\d,]*(?:\.\d+)?)")
_PERCENT = re.compile(r"(\d+(?:\.\d+)?)\s*%")


def fraction(progress: str) -> float | None:
    """The share that a progress text names, as `3 of 10 files`, `3/10` or `30 %`; else None."""
    if match := _PERCENT.search(progress):
        return min(1.0, float(match[1]) / 100)
    if match := _OF.search(progress):
        done, whole = (float(group.replace(",", "")) for group in match.groups())
        return min(1.0, done / whole) if whole else None
    return None


def bar(share: float, width: int = BAR_WIDTH) -> str:
    full = int(share * width)
    return "▰" * full + "▱" * (width - full)


def sweep(now: int, width: int = BAR_WIDTH) -> str:
    """A bar of unknown end: a piece of it goes to and fro, a cell in SWEEP_MS."""
    way = width - _SWEPT
    step = now // SWEEP_MS % (2 * way)
    start = min(step, 2 * way - step)
    return "▱" * start + "▰" * _SWEPT + "▱" * (way - start)


def card_line(card: ToolCard, width: int, look: Look, now: int) -> Strip:
    """The line of a card in exactly `width` cells or fewer."""
    style = _state_style(card.state, look)
    name = one_line(card.name, 60)
    right = _figures(card, width, look, style, now)
    right_width = sum(cell_len(text) for text, _ in right)
    room = max(4, width - 2 - right_width - 1)
    name = cut(name, max(4, min(room, width // 2)))
    name = name.ljust(min(NAME_WIDTH, room)) if width >= NARROW else name
    room -= cell_len(name) + 2
    progress = _progress(card, room, look, now)
    room -= sum(cell_len(text) for text, _ in progress)
    arguments = cut(one_line(card.arguments, 400), room)
    pad = max(0, room - cell_len(arguments)) + 1
    pieces = [
        (STATE_MARKS[card.state] + " ", style),
        (name, look.name),
        ("  ", look.muted),
        (arguments, look.muted),
        (" " * pad, look.text),
        *progress,
        *right,
    ]
    return strip_of(pieces).crop(0, width)


def _state_style(state: ToolCallState, look: Look) -> Style:
    if state == "ok":
        return look.ok
    if state == "error":
        return look.failed
    if state == "running":
        return look.running
    if state in ("asking", "denied", "cancelled", "unknown"):
        return look.warned
    return look.muted


def _figures(card: ToolCard, width: int, look: Look, style: Style, now: int) -> list[Piece]:
    """What stands at the right: state in words, time, size."""
    pieces: list[Piece] = []
    if word := WORDS[card.state]:
        if width < NARROW:
            word = word.split(":")[0]
        pieces.append((word + " ", style))
    # Progress needs the room while it runs; who decided stands there again at the end.
    if card.decider and width >= NARROW and not _progresses(card):
        # "failed by you" would blame who only allowed it.
        allowed = "· allowed " if card.state == "error" and card.decider.startswith("by ") else ""
        pieces.append((f"{allowed}{card.decider} ", look.muted))
    spent = card.duration_ms
    if card.state == "running" and card.started_at is not None:
        spent = max(0, now - card.started_at) // 100 * 100
    if spent is not None:
        pieces.append((duration(spent).rjust(DURATION_WIDTH), look.muted))
    if width >= NARROW:
        pieces.append((cut(one_line(card.size, 40), SIZE_WIDTH).rjust(SIZE_WIDTH + 1), look.muted))
    return pieces


def _progresses(card: ToolCard) -> bool:
    return card.state == "running" and bool(card.progress or card.share is not None)


def _progress(card: ToolCard, room: int, look: Look, now: int) -> list[Piece]:
    if not _progresses(card) or room < 6:
        return []
    text = one_line(card.progress, 80)
    share = fraction(text) if card.share is None else card.share
    shown = "" if share is None and look.still else sweep(now) if share is None else bar(share)
    pieces: list[Piece] = []
    if shown and room >= BAR_WIDTH + 12:
        pieces.append((shown + " ", look.running))
        room -= BAR_WIDTH + 1
    pieces.append((cut(text, room * 2 // 3), look.muted))
    return pieces
