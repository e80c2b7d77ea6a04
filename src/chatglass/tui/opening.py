"""Opening a session in this window: its engine, what is asked in it, and what is on screen of it."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING

from chatglass.tui.messages import ApprovalsChanged, SessionChanged

if TYPE_CHECKING:
    from chatglass.store.records import SessionRow
    from chatglass.tui.app import ChatglassApp
    from chatglass.tui.open_session import OpenSession
    from chatglass.tui.session_view import SessionView
    from chatglass.tui.transcript.from_rows import SessionRows

_SEEN_FIRST = 10
"""Items, of which a screen shows a few."""
_FENCE = re.compile(r"^ {0,3}(?:```|~~~)([\w+#-]+)", re.MULTILINE)


async def make_session(app: ChatglassApp, row: SessionRow) -> OpenSession:
    """That session with an engine that is not started yet. Raises StoreError."""
    from chatglass.tui.approval.asking import SessionApproval
    from chatglass.tui.budget.asking import SessionBudget
    from chatglass.tui.open_session import OpenSession
    from chatglass.tui.reading import load_or_salvage, session_rows

    workspace = app.workspace
    assert workspace is not None
    if row.endpoint == "demo":
        await workspace.start_demo()

    def changed() -> None:
        app.post_message(ApprovalsChanged(row.id))

    approval = SessionApproval(workspace.session_policy(row.root), changed=changed)
    budget = SessionBudget(changed)
    engine = await workspace.engine(
        row,
        decide_tool=approval.decide,
        judge=approval.policy.judge,
        ask_to_go_on=approval.ask_to_go_on,
        ask_budget=budget.ask,
    )
    session = OpenSession(engine=engine, approval=approval, budget=budget, draft=row.draft)
    engine = session.engine = await load_or_salvage(workspace, session)
    session.view.compactions = engine.context.compactions
    # In a thread: of 10,000 messages that is 50 ms, and so is what the first code is coloured by.
    await asyncio.to_thread(_fill, session.view, await session_rows(engine.context.store, engine))
    session.place.writing.history.replace(session.view.prompts())
    if engine.failure is not None:
        session.view.notice(str(engine.failure), "It is read-only.", "error")
    # What was queued when the program ended is offered, not sent unasked.
    session.held = bool(engine.queue)
    return session


def _fill(view: SessionView, rows: SessionRows) -> None:
    """Make the items of a session, and load what draws the newest."""
    from chatglass.tui.markdown.highlight import warm
    from chatglass.tui.transcript.items import AnswerItem

    view.load(rows)
    newest = [item.text for item in view.items[-_SEEN_FIRST:] if isinstance(item, AnswerItem)]
    if newest:
        warm(tuple(dict.fromkeys(_FENCE.findall("\n".join(newest)))))


async def start_engine(app: ChatglassApp, session: OpenSession) -> None:
    """Start it, or say in the session why it can't send."""
    from chatglass.chat.ledger import LedgerUnavailable
    from chatglass.store.protocol import StoreError

    try:
        await session.engine.start()
    except (LedgerUnavailable, StoreError) as error:
        session.view.notice(str(error), "Nothing can be sent in this session.", "error")
    app.post_message(SessionChanged(session.id))
