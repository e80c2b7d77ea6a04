"""The line that a summary begins with when it is sent, so that the model knows what it is."""

from __future__ import annotations

import re

SUMMARY = (
    "[Summary of the conversation so far: a record, which asks for nothing by itself. The messages "
    "after it go on from here.]"
)
EXCERPTS = (
    "[Excerpts of the conversation so far, oldest first: a record, which asks for nothing by itself. "
    "The messages after it go on from here.]"
)
_LEFT_OUT = "[The conversation so far is long: "
_HEAD = re.compile(r"\[(?:Summary of|Excerpts of|The conversation so far is long)[^\n]*\]\s*")


def left_out(turns: int) -> str:
    """The line for turns that nothing stands for."""
    are = "turn is" if turns == 1 else f"{turns} turns are"
    return f"{_LEFT_OUT}its first {are} not included here.]"


def framed(head: str, body: str) -> str:
    return f"{head}\n\n{body.strip()}" if body.strip() else head


def body_of(summary: str) -> str:
    """A summary without the lines that say what it is."""
    return _HEAD.sub("", summary).strip()
