"""Keeping known key values out of what tools give back."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

REDACTED = "[key removed]"

KnownKeys = Callable[[], Iterable[str]]
"""Gives the values of all keys known now; asked at every call, since keys may come later."""


def worth_hiding(value: str) -> bool:
    """Whether a configured key is one: `ollama` and `none`, which people give to local servers,
    are words that results may well contain."""
    if len(value) < 8:
        return False
    mixed = any(c.isdigit() for c in value) and any(c.isalpha() for c in value)
    return mixed or len(value) >= 16


class Redactor:
    """Replaces the keys that are known when it is made."""

    def __init__(self, keys: Iterable[str]) -> None:
        # Longest first: one key may begin with another.
        self._keys = sorted({key for key in keys if worth_hiding(key)}, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, self._keys))) if self._keys else None

    def redact(self, text: str) -> str:
        return self._pattern.sub(REDACTED, text) if self._pattern else text

    def stream(self) -> RedactingStream:
        return RedactingStream(self._keys, self._pattern)


class RedactingStream:
    """Redacts text that comes in pieces: a key cut by the end of a piece is held back."""

    def __init__(self, keys: list[str], pattern: re.Pattern[str] | None) -> None:
        self._keys = keys
        self._pattern = pattern
        self._held = ""

    def feed(self, piece: str) -> str:
        """As much of all that was fed as can be said to be free of keys."""
        if self._pattern is None:
            return piece
        text = self._pattern.sub(REDACTED, self._held + piece)
        keep = self._open_end(text)
        self._held = text[len(text) - keep :]
        return text[: len(text) - keep]

    def finish(self) -> str:
        """What was held back."""
        held, self._held = self._held, ""
        return held

    def _open_end(self, text: str) -> int:
        """How many characters at the end may be the start of a key."""
        longest = min(len(self._keys[0]) - 1, len(text)) if self._keys else 0
        for length in range(longest, 0, -1):
            end = text[len(text) - length :]
            if any(key.startswith(end) for key in self._keys):
                return length
        return 0
