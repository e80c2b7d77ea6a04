"""What matching a call against a pattern can say, and what is wrong with a pattern."""

from __future__ import annotations

from typing import Literal

Match = Literal["yes", "perhaps", "no"]
"""`perhaps`: it can't be told. A rule that allows then does not count, one that asks does, and one
that denies asks."""


class InvalidRule(ValueError):
    """`str()` says what is wrong with the text of a rule."""
