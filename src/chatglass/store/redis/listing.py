"""Lists of sessions, which read no transcript."""

from __future__ import annotations

import asyncio
import json
import zlib
from collections.abc import Iterable, Sequence
from typing import Any

from chatglass.store.records import SessionQuery, SessionRow
from chatglass.store.redis import rows
from chatglass.store.redis.link import Link
from chatglass.store.redis.reading import session_ids
from chatglass.values.text import storable

_SLICE = 500
"""Sessions in one call of the script, so that none keeps other clients waiting."""
_FIELDS = rows.dumps(["queued", *rows.SESSION])
_KEY = f"{zlib.crc32(_FIELDS.encode()):08x}"


async def list_sessions(link: Link, query: SessionQuery) -> list[SessionRow]:
    """Newest first, without those that hold nothing yet."""
    only: dict[str, Any] = {}
    if query.root is not None:
        only["root"] = storable(query.root)
    if query.title_contains:
        only["words"] = [rows.folded(query.title_contains)]
    listing = _Listing(link, only, archived=query.include_archived, empty=False)
    found = await listing.newest(query.offset + query.limit)
    return found[query.offset :]


async def titled(link: Link, words: Iterable[str], most: int) -> list[SessionRow]:
    """Sessions whose title holds every one of these words."""
    only = {"words": [rows.folded(word) for word in words]}
    return await _Listing(link, only, archived=True, empty=True).newest(most)


class _Listing:
    """`only`: the root and the folded words of the title that are asked for, if any."""

    def __init__(self, link: Link, only: dict[str, Any], *, archived: bool, empty: bool) -> None:
        self._link = link
        self._only = rows.dumps({"words": [], **only}) if only else None
        self._archived = archived
        self._empty = empty

    async def newest(self, most: int) -> list[SessionRow]:
        if most < _SLICE // 2:
            # Mostly the newest are enough.
            ids = await session_ids(self._link, _SLICE)
            found = self._rows(await self._cards(ids))
            if len(found) >= most or len(ids) < _SLICE:
                return found[:most]
        # All ids first: one that goes to the top meanwhile is neither missed nor listed twice.
        return (await self._of(await session_ids(self._link), most))[:most]

    async def _of(self, ids: Sequence[str], most: int) -> list[SessionRow]:
        slices = [ids[first : first + _SLICE] for first in range(0, len(ids), _SLICE)]
        found: list[SessionRow] = []
        asked = asyncio.create_task(self._cards(slices[0])) if slices else None
        for after in [*slices[1:], None]:
            if asked is None or len(found) >= most:
                break
            cards = await asked
            # The server looks for the next ones while these are read.
            asked = None if after is None else asyncio.create_task(self._cards(after))
            await asyncio.sleep(0)
            found += self._rows(cards)
        if asked is not None and not asked.done():
            asked.cancel()
        return found

    async def _cards(self, ids: Sequence[str]) -> bytes:
        if self._only is None:
            return await self._link.read("cards", _KEY, _FIELDS, *ids)
        return await self._link.read("fitting", self._only, _KEY, _FIELDS, *ids)

    def _rows(self, cards: bytes) -> list[SessionRow]:
        made: list[SessionRow] = []
        for queued, *fields in json.loads(cards):
            row = rows.decode_session(fields)
            has_something = row.messages or row.draft or queued != "0"
            if (has_something or self._empty) and (self._archived or not row.archived):
                made.append(row)
        return made
