"""Writing sessions in the format that was asked for."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Literal

from chatglass.store.protocol import SessionStore
from chatglass.store.records import SessionRow

ExportFormat = Literal["jsonl", "openai", "markdown", "html"]
ENDINGS: dict[ExportFormat, str] = {
    "jsonl": ".jsonl",
    "openai": ".jsonl",
    "markdown": ".md",
    "html": ".html",
}


async def export(
    store: SessionStore, sessions: Sequence[SessionRow], form: ExportFormat
) -> AsyncIterator[str]:
    """The sessions as text, in pieces; one session is in memory at a time. Raises StoreError."""
    if form == "html":
        from chatglass.transfer import html
        from chatglass.transfer.words import title_of

        yield html.head(title_of(sessions[0]) if len(sessions) == 1 else "chatglass sessions")
        if len(sessions) > 1:
            yield html.contents([(row.id, title_of(row)) for row in sessions])
    for number, row in enumerate(sessions):
        if form == "markdown" and number:
            yield "\n\n"
        for piece in await _pieces(store, row.id, form):
            yield piece
    if form == "html":
        from chatglass.transfer import html

        yield html.tail()


async def _pieces(store: SessionStore, session_id: str, form: ExportFormat) -> Iterator[str]:
    whole = await store.whole_session(session_id)
    match form:
        case "jsonl":
            from chatglass.transfer.native import lines

            return lines(whole)
        case "openai":
            from chatglass.transfer.openai_chat import lines

            return lines(whole)
        case "markdown":
            from chatglass.transfer.markdown import text

            return text(whole)
        case "html":
            from chatglass.transfer.html import session

            return session(whole)
