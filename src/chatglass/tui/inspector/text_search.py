"""Finding a text in a large text, in slices that leave the event loop free."""

from __future__ import annotations

import asyncio
import re
from array import array
from collections.abc import Iterator

_SLICE = 262_144


def finder(query: str) -> re.Pattern[str]:
    """`query` word for word; its case counts only where it has a capital."""
    return re.compile(re.escape(query), 0 if query != query.lower() else re.IGNORECASE)


def _slices(length: int) -> Iterator[tuple[int, int]]:
    for start in range(0, max(1, length), _SLICE):
        yield start, min(start + _SLICE, length)


async def find_all(text: str, query: str) -> array[int]:
    """Where `query` begins in `text`, without overlaps, in order."""
    found: array[int] = array("Q")
    if not query:
        return found
    pattern = finder(query)
    after = 0
    for start, end in _slices(len(text)):
        # A match may reach over the end of the slice in which it begins.
        reach = min(len(text), end + len(query) - 1)
        for match in pattern.finditer(text, max(start, after), reach):
            found.append(match.start())
            after = match.end()
        await asyncio.sleep(0)
    return found
