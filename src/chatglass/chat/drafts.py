"""What the composer's stored drafts look like from outside: text, with tokens for folded pastes and
attached files."""

from __future__ import annotations

TOKEN_MARK = "\U0010ff01"
"""Begins a token in a stored draft: `MARK kind label-length:content-length:label content`."""


def is_folded(draft: str) -> bool:
    """Whether a stored draft holds more than text."""
    return TOKEN_MARK in draft
