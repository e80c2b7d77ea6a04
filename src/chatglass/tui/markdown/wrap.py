"""Fitting styled text into rows of so many cells.

Widths are rich's, which Textual's strips use. A cluster is a character with what is drawn onto it
(combining marks, variation selectors, joined emoji); it is never torn.
"""

from __future__ import annotations

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style

Run = tuple[str, Style]
Row = tuple[list[Segment], int]
"""Segments and their width in cells."""

_NO_START = frozenset(
    "、。，．・：；？！）］｝〕〉》」』】ー々ぁぃぅぇぉっゃゅょァィゥェォッャュョ%‰°…"
)
_TOO_WIDE = "\N{REPLACEMENT CHARACTER}"
_JOINER, _SELECTOR = "\u200d", "\ufe0f"


def wrap(runs: list[Run], width: int) -> tuple[list[Row], list[Run]]:
    """Rows of at most `width` (≥ 1) cells, broken at words, else anywhere; `\\n` ends a row.

    Also the runs from the start of the last row on: wrapping these with more behind them gives
    the same as wrapping all anew. There is always at least one row.
    """
    text = "".join([run[0] for run in runs])
    if text.isascii():
        spans = _ascii_spans(text, width)
    else:
        if width < 2:
            runs = [("".join(_narrow(run[0])), run[1]) for run in runs]
            text = "".join([run[0] for run in runs])
        spans = _cell_spans(text, runs, width)
    rows = _rows(runs, spans)
    return rows, _tail(runs, spans[-1][0])


def chop(runs: list[Run], width: int) -> list[Row]:
    """Rows of at most `width` cells with every character kept, broken anywhere: for code."""
    text = "".join([run[0] for run in runs])
    if text.isascii():
        spans = [(at, min(at + width, len(text))) for at in range(0, len(text) or 1, width)]
    else:
        if width < 2:
            runs = [("".join(_narrow(run[0])), run[1]) for run in runs]
        spans, start, used, at = [], 0, 0, 0
        for run, _ in runs:
            for cluster, cells in clusters(run):
                if used + cells > width:
                    spans.append((start, at))
                    start, used = at, 0
                used += cells
                at += len(cluster)
        spans.append((start, at))
    return _rows(runs, spans)


def clusters(text: str) -> list[tuple[str, int]]:
    """`text` in parts that are drawn as one, each with its cells."""
    if text.isascii():
        return [(char, 1) for char in text]
    found: list[str] = []
    joined = True
    for char in text:
        alone = char == "\n" or char == " "
        if found and not alone and (joined or char == _SELECTOR or not cell_len(char)):
            found[-1] += char
        else:
            found.append(char)
        joined = char == _JOINER
    return [(cluster, cell_len(cluster)) for cluster in found]


def _narrow(text: str) -> list[str]:
    return [cluster if cells < 2 else _TOO_WIDE for cluster, cells in clusters(text)]


def _ascii_spans(text: str, width: int) -> list[tuple[int, int]]:
    spans: list[tuple[int, int]] = []
    start = 0
    while True:
        end = text.find("\n", start)
        if end < 0:
            end = len(text)
        while end - start > width:
            space = text.rfind(" ", start, start + width + 1)
            if space > start and not text[start:space].isspace():
                stop = after = space
            else:
                stop = after = start + width
            while after < end and text[after] == " ":
                after += 1
            if after == end:
                break
            spans.append((start, stop))
            start = after
        spans.append((start, end))
        if end == len(text):
            break
        start = end + 1
    return [(first, _stripped(text, first, last)) for first, last in spans]


def _stripped(text: str, start: int, end: int) -> int:
    while end > start and text[end - 1] == " ":
        end -= 1
    return end


def _cell_spans(text: str, runs: list[Run], width: int) -> list[tuple[int, int]]:
    """As `_ascii_spans`; wide characters may be parted too."""
    spans: list[tuple[int, int]] = []
    start = used = at = 0
    # The last place to break: the row ends at `stop`, the next begins at `after`; none while
    # `stop` is not beyond `start`.
    stop = after = after_used = 0
    wide = False
    for run, _ in runs:
        for cluster, cells in clusters(run):
            if cluster == "\n":
                spans.append((start, at))
                start = stop = at + 1
                used = 0
                wide = False
            elif cluster == " ":
                if at > start and text[at - 1] != " ":
                    stop = at
                used += 1
                after, after_used = at + 1, used
                wide = False
            else:
                now = _is_ideograph(cluster)
                if (
                    (wide or now)
                    and at > start
                    and cluster not in _NO_START
                    and text[at - 1] != " "
                ):
                    stop = after = at
                    after_used = used
                if used + cells > width and at > start:
                    if stop <= start:
                        stop = after = at
                        after_used = used
                    spans.append((start, stop))
                    used -= after_used
                    start = stop = after
                used += cells
                wide = now
            at += len(cluster)
    spans.append((start, at))
    return [(first, _stripped(text, first, last)) for first, last in spans]


def _is_ideograph(cluster: str) -> bool:
    return "\u2e80" <= cluster[0] < "\U0001f000" and cell_len(cluster[0]) == 2


def _rows(runs: list[Run], spans: list[tuple[int, int]]) -> list[Row]:
    rows: list[Row] = []
    index, offset = 0, 0  # the run that holds the start of the span, and where that run begins
    for start, end in spans:
        while index < len(runs) and offset + len(runs[index][0]) <= start:
            offset += len(runs[index][0])
            index += 1
        segments: list[Segment] = []
        cells, at, place = 0, offset, index
        while at < end:
            text, style = runs[place]
            part = text[max(0, start - at) : end - at]
            if part:
                segments.append(Segment(part, style))
                cells += cell_len(part)
            at += len(text)
            place += 1
        rows.append((segments, cells))
    return rows


def _tail(runs: list[Run], start: int) -> list[Run]:
    tail: list[Run] = []
    at = 0
    for text, style in runs:
        if at + len(text) > start:
            tail.append((text[max(0, start - at) :], style))
        at += len(text)
    return tail
