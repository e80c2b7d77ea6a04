"""PreviewPanel: reads and shows what the cursor of the session list is on."""

from __future__ import annotations

import asyncio

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content

from chatglass.store.protocol import SessionStore
from chatglass.tui.sessions import session_words
from chatglass.tui.sessions.preview import Preview, PreviewText
from chatglass.tui.sessions.session_list import SessionList

_DELAY = 0.03
"""Seconds that the cursor rests before anything is read: a held key passes quicker."""


class PreviewPanel(Vertical):
    """Reads a dozen excerpts around the match under the cursor, else the last of the session."""

    DEFAULT_CSS = """
    PreviewPanel { display: none; }
    """

    def __init__(self, store: SessionStore, session_list: SessionList, *, root: str) -> None:
        super().__init__(classes="sessions--preview")
        self._store = store
        self._list = session_list
        self._root = root
        self.view = Preview(id="sessions-preview")
        self.border_title = Content("Preview")

    def compose(self) -> ComposeResult:
        yield self.view

    def follow(self) -> None:
        """Show what the cursor is on now; what was being read before is broken off."""
        if self.display and self.is_mounted:
            self.run_worker(self._read, group="preview", exclusive=True, exit_on_error=False)

    async def _read(self) -> None:
        await asyncio.sleep(_DELAY)
        session = self._list.chosen
        if session is None:
            self.view.show(PreviewText())
            self.border_title = Content("Preview")
            return
        words = self._list.listing.search.words
        message_id = await self.message_at_cursor()
        excerpts = await self._store.excerpts(session.id, message_id, text=words)
        facts = session_words.facts(session, self._root)
        self.view.show(PreviewText(facts, excerpts, words, message_id))
        self.border_title = Content(session_words.title(session))

    async def message_at_cursor(self) -> str:
        """The id of the message that matches there; empty where none does, or it has gone."""
        ref = self._list.match
        if not ref:
            return ""
        hit = self._list.line(ref)
        if hit is None:
            words = self._list.listing.search.words
            hit = (await self._store.match_lines(words, [ref])).get(ref)
        return hit.message_id if hit is not None else ""
