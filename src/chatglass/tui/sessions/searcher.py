"""Searcher: brings the answers of a search into the list, and the lines of matches that come into
view."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import aclosing

from chatglass.store.protocol import SessionStore
from chatglass.store.session_search import SessionSearch, Uses
from chatglass.tui.sessions.finding import Finding
from chatglass.tui.sessions.listing import Found
from chatglass.tui.sessions.session_list import SessionList

_CALM = 0.15
"""Seconds between two later answers of a search that are shown."""
_FRAME = 0.01
"""Seconds in which a frame asks for the lines that it lacks."""


class Searcher:
    """`shown` is called when the listing was given other matches; it is told whether the cursor
    belongs on top."""

    def __init__(
        self, store: SessionStore, session_list: SessionList, shown: Callable[[bool], None]
    ) -> None:
        self._store = store
        self._list = session_list
        self._listing = session_list.listing
        self._finding = Finding(store)
        self._shown = shown

    def forget(self) -> None:
        """The sessions have changed."""
        self._finding.forget()

    def show(self, search: SessionSearch, found: Found, uses: Uses, *, to_top: bool) -> None:
        self._listing.look_for(search, found, uses)
        self._shown(to_top)

    async def find(self, search: SessionSearch) -> None:
        """For an exclusive worker: cancelling it breaks the search off. Raises StoreError."""
        shown_at = 0.0
        async with aclosing(self._finding.answers(search)) as answers:
            async for answer in answers:
                first = not shown_at
                if first or answer.found.complete or time.monotonic() - shown_at > _CALM:
                    self.show(search, answer.found, answer.uses, to_top=first)
                    shown_at = time.monotonic()
                if answer.lines:
                    self._list.add_lines(answer.lines)

    async def read_lines(self) -> None:
        """Read the lines that the list lacks on screen. Raises StoreError."""
        await asyncio.sleep(_FRAME)
        words = self._listing.search.words
        lines = await self._store.match_lines(words, self._list.take_wanted())
        if words == self._listing.search.words:
            self._list.add_lines(lines)
