"""Which process runs a session."""

from __future__ import annotations

from collections.abc import Iterable
from sqlite3 import Connection

from chatglass.store import holders
from chatglass.store.records import Holder
from chatglass.store.sqlite.missing import session_gone
from chatglass.values.clock import now_ms


def claim(db: Connection, session_id: str) -> Holder | None:
    if not db.execute("SELECT 1 FROM sessions WHERE id = ?", (session_id,)).fetchone():
        raise session_gone(session_id)
    if other := other_holder(db, session_id):
        return other
    ours = holders.this_process(now_ms())
    db.execute(
        "INSERT OR REPLACE INTO holders (session_id, pid, started, boot, claimed_at) "
        "VALUES (?, ?, ?, ?, ?)",
        (session_id, ours.pid, ours.started, ours.boot, ours.claimed_at),
    )
    return None


def release(db: Connection, session_ids: Iterable[str]) -> None:
    ours = holders.this_process(now_ms())
    db.executemany(
        "DELETE FROM holders WHERE session_id = ? AND pid = ? AND started = ? AND boot = ?",
        [(session_id, ours.pid, ours.started, ours.boot) for session_id in session_ids],
    )


def other_holder(db: Connection, session_id: str) -> Holder | None:
    """The live process that holds the session, unless it is this one."""
    found = db.execute(
        "SELECT pid, started, boot, claimed_at FROM holders WHERE session_id = ?", (session_id,)
    ).fetchone()
    if found is None:
        return None
    pid, started, boot, claimed_at = found
    holder = Holder(pid=pid, started=started, boot=boot, claimed_at=claimed_at)
    if holders.is_same_process(holder, holders.this_process(now_ms())):
        return None
    return holder if holders.is_alive(holder) else None
