"""Settling what a crash left half done."""

from __future__ import annotations

from dataclasses import replace
from sqlite3 import Connection

from chatglass.store.sqlite import claims, messages, sessions


def recover(db: Connection, session_id: str) -> None:
    sessions.get(db, session_id)
    if claims.other_holder(db, session_id):
        return
    for row in messages.partial(db, session_id):
        messages.settle(db, replace(row, status="interrupted"))
    db.execute(
        "UPDATE requests SET status = 'interrupted' WHERE session_id = ? AND status = 'running'",
        (session_id,),
    )
    # One that ran may have taken effect; one that did not run never will.
    db.execute(
        "UPDATE tool_calls SET state = CASE state WHEN 'running' THEN 'unknown' "
        "ELSE 'cancelled' END "
        "WHERE session_id = ? AND state IN ('proposed', 'asking', 'approved', 'running')",
        (session_id,),
    )
