"""Finding: a search as a series of answers, each more complete than the one before."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field

from chatglass.store.protocol import SessionStore
from chatglass.store.search_records import SearchHit
from chatglass.store.search_words import search_words
from chatglass.store.session_search import SessionSearch, Use
from chatglass.tui.sessions.listing import Found

FIRST, PAGE = 400, 20_000
"""Matches looked at for the first answer, and for each that follows it. The first takes 1 to 4 ms
among 500,000 messages, a page of the others 40."""
DEBOUNCE = 0.015
"""Seconds to wait for the next key: keys that are held or pasted come quicker than that."""
_CALM = 0.12
"""Seconds after the first answer until older matches are looked for. While someone types on, the
next search would have to wait until this one has noticed that nobody wants it."""
_LINES = 60
"""Lines read with the first answer: more than a screen shows."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What was found so far, and the lines of its newest matches by ref."""

    found: Found
    uses: dict[Use, frozenset[str]]
    lines: dict[str, SearchHit] = field(default_factory=dict[str, SearchHit])


class Finding:
    """Asks the store; what tools and models were used is asked once."""

    def __init__(self, store: SessionStore) -> None:
        self._store = store
        self._uses: dict[Use, frozenset[str]] = {}

    @staticmethod
    def needs_store(search: SessionSearch) -> bool:
        """Whether titles and figures aren't enough to answer it."""
        return bool(search.uses) or search_words(search.words).reach == "everything"

    def forget(self) -> None:
        """The sessions have changed."""
        self._uses.clear()

    async def answers(self, search: SessionSearch) -> AsyncGenerator[Answer]:
        """Cancel it to break the search off. Raises StoreError."""
        await asyncio.sleep(DEBOUNCE)
        for kind, name in search.uses:
            if (kind, name) not in self._uses:
                self._uses[kind, name] = await self._store.sessions_using(kind, name)
        uses = {use: self._uses[use] for use in search.uses}
        found = Found()
        if search_words(search.words).reach != "everything":
            yield Answer(found, uses)
            return
        page = await self._store.matches(search.words, limit=FIRST)
        found.add(page)
        refs = [ref for session_refs in found.refs.values() for ref in session_refs][:_LINES]
        yield Answer(found, uses, await self._store.match_lines(search.words, refs))
        if page.after is not None:
            await asyncio.sleep(_CALM)
        while page.after is not None:
            page = await self._store.matches(search.words, limit=PAGE, after=page.after)
            found.add(page)
            yield Answer(found, uses)
