"""What an opened session shows, from its loaded engine and the store."""

from __future__ import annotations

from chatglass.chat.engine import Engine
from chatglass.chat.workspace import Workspace
from chatglass.store.open_store import in_file
from chatglass.store.protocol import SessionGone, SessionStore, StoreError
from chatglass.store.records import SessionRow
from chatglass.tui.open_session import OpenSession
from chatglass.tui.transcript.from_rows import Origin, SessionRows


async def session_rows(store: SessionStore, engine: Engine) -> SessionRows:
    """All rows of the shown path and the figures around it."""
    context = engine.context
    return SessionRows(
        path=await context.messages.whole_path(),
        calls=await store.tool_calls(engine.session_id),
        requests=await context.requests.all_rows(),
        compactions=context.compactions,
        queued=engine.queue,
        forks=await store.forks(engine.session_id),
        origin=await _origin(store, context.session),
    )


async def _origin(store: SessionStore, session: SessionRow) -> Origin | None:
    if session.forked_from is None:
        return None
    session_id, message_id = session.forked_from
    try:
        title = (await store.get_session(session_id)).title
    except SessionGone:
        title = None
    return Origin(session_id, message_id, title, session.created_at)


async def load_or_salvage(workspace: Workspace, session: OpenSession) -> Engine:
    """The loaded engine of a session; where it can't be loaded, one in memory with what can be
    read of it, in which nothing can be sent. Raises StoreError where that is nothing."""
    from chatglass.store.sqlite import SqliteStore

    engine = session.engine
    try:
        await engine.load()
    except SessionGone:
        raise
    except (StoreError, ValueError, TypeError, KeyError) as error:
        if not isinstance(workspace.store, SqliteStore):
            raise
        salvaged = await workspace.store.salvage(engine.session_id)
        store = in_file(None)
        await store.open()
        await store.add_whole_session(salvaged.whole)
        engine = await workspace.engine(
            salvaged.whole.session,
            decide_tool=session.approval.decide,
            judge=session.approval.policy.judge,
            store=store,
        )
        await engine.load()
        lost = f" Lost are: {salvaged}." if str(salvaged) else ""
        engine.state = "failed"
        engine.failure = StoreError(
            f"{error} What can be read of this session is shown, and it stays read-only.{lost}"
        )
    return engine
