"""What an opened session shows, from its loaded engine and the store."""

from __future__ import annotations

from chatglass.chat.engine import Engine
from chatglass.store.protocol import SessionStore
from chatglass.tui.transcript.from_rows import SessionRows


async def session_rows(store: SessionStore, engine: Engine) -> SessionRows:
    """All rows of the shown path and the figures around it."""
    context = engine.context
    return SessionRows(
        path=context.path.rows,
        calls=await store.tool_calls(engine.session_id),
        requests=context.requests.rows,
        compactions=context.compactions,
        queued=engine.queue,
        forks=await store.forks(engine.session_id),
    )
