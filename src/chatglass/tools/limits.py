"""What of a long text the model sees, and the sentence that says what it does not."""

from __future__ import annotations

from chatglass.values.figures import counted

PRODUCED_LIMIT = 64 * 1024 * 1024
"""The most bytes (of a file or an output) and characters (of a text) that are kept of one call."""


def head_and_tail(text: str, limit: int, advice: str = "") -> str:
    """`text` in at most `limit` characters: two thirds of its start, a sentence, its end.

    `advice` says how to get at what was left out.
    """
    if len(text) <= limit:
        return text
    # The sentence itself: 120 characters and the advice are reserved for it.
    room = max(0, limit - 120 - len(advice))
    head = _to_line_end(text[: room * 2 // 3])
    tail = _from_line_start(text[len(text) - (room - room * 2 // 3) :]) if room else ""
    left_out = len(text) - len(head) - len(tail)
    lines = text.count("\n", len(head), len(text) - len(tail)) + 1
    note = (
        f"[… {counted(left_out, 'character')} in {counted(lines, 'line')} left out here. {advice}".rstrip()
        + "]"
    )
    parts = (head.removesuffix("\n"), note, tail)
    return "\n".join(part for part in parts if part)[:limit]


def head(text: str, limit: int) -> str:
    """The start of `text` in at most `limit` characters, whole lines where that keeps most of it."""
    return text if len(text) <= limit else _to_line_end(text[:limit])


def _to_line_end(text: str) -> str:
    """Cut back to the last line end, unless that would cost more than half."""
    end = text.rfind("\n") + 1
    return text[:end] if end * 2 > len(text) else text


def _from_line_start(text: str) -> str:
    start = text.find("\n") + 1
    return text[start:] if start and start * 2 < len(text) else text
