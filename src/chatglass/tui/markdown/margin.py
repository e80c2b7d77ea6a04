"""What stands to the left of a block: quote bars, bullets and numbers, the indent below them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style

from chatglass.tui.markdown.blocks import Frame, Item, Leaf, Paragraph, Quote
from chatglass.tui.markdown.look import MarkdownLook

_BULLETS = "•◦▪"
_BAR = "▌ "
_LEAST_ROOM = 16  # cells for text; outer indents give way before it gets narrower
_TASK = re.compile(r"\[([ xX])\](?:[ \t]+|$)")

Part = tuple[str, Style]


@dataclass(frozen=True, slots=True)
class Margin:
    """Segments before the first and before each further row of a leaf, and before its gap row."""

    gap: tuple[Part, ...] | None
    """None where there is no blank row above."""
    first: tuple[Part, ...]
    rest: tuple[Part, ...]
    cells: int
    task: str = ""
    """The `[x] ` at the start of the text that the marker shows as a box."""


def margin_of(
    leaf: Leaf, index: int, before: Leaf | None, width: int, look: MarkdownLook
) -> Margin:
    """The margin of the leaf at `index`; the same for both row kinds in cells."""
    task = _task(leaf, index)
    pairs = [_pair(frame, index, task, look) for frame in leaf.frames]
    while len(pairs) > 1 and _cells(pairs) > width - min(width, _LEAST_ROOM):
        del pairs[0]
    if pairs and _cells(pairs) > width - 2:
        pairs, task = [], ""
    shared = _shared(leaf, before)
    gap = None
    if before is not None and (leaf.gap or not shared or isinstance(shared[-1], Quote)):
        bars = [_pair(frame, -1, "", look)[1] for frame in shared]
        gap = tuple(bars[len(leaf.frames) - len(pairs) :])
    first, rest = tuple(pair[0] for pair in pairs), tuple(pair[1] for pair in pairs)
    return Margin(gap, first, rest, _cells(pairs), task)


def segments(parts: tuple[Part, ...]) -> list[Segment]:
    return [Segment(text, style) for text, style in parts]


def _shared(leaf: Leaf, before: Leaf | None) -> tuple[Frame, ...]:
    """The frames both are in; of two items of one list, the later."""
    count = 0
    for mine, other in zip(leaf.frames, before.frames if before else (), strict=False):
        if mine.first_leaf == other.first_leaf and type(mine) is type(other):
            count += 1
            continue
        if isinstance(mine, Item) and isinstance(other, Item):
            count += mine.first_of_list == other.first_of_list
        break
    return leaf.frames[:count]


def _pair(frame: Frame, index: int, task: str, look: MarkdownLook) -> tuple[Part, Part]:
    if isinstance(frame, Quote):
        return (_BAR, look.quote_bar), (_BAR, look.quote_bar)
    if frame.number is not None:
        marker = f"{frame.number}{frame.marker} "
    else:
        marker = f"{_BULLETS[frame.depth % len(_BULLETS)]} "
    box = f"{'☐' if task[1] == ' ' else '☑'} " if task and frame.first_leaf == index else ""
    marker = box if box and frame.number is None else marker + box
    blank = (" " * cell_len(marker), look.text)
    return ((marker, look.bullet) if frame.first_leaf == index else blank), blank


def _task(leaf: Leaf, index: int) -> str:
    inner = leaf.frames[-1] if leaf.frames else None
    if not isinstance(inner, Item) or inner.first_leaf != index or not isinstance(leaf, Paragraph):
        return ""
    found = _TASK.match(leaf.lines[0])
    return found.group() if found else ""


def _cells(pairs: list[tuple[Part, Part]]) -> int:
    return sum(cell_len(pair[1][0]) for pair in pairs)
