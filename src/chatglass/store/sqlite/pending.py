"""Compactions, and prompts that wait for their turn."""

from __future__ import annotations

from sqlite3 import Connection

from chatglass.store.records import CompactionRow, QueuedPrompt
from chatglass.store.sqlite import rows, sessions


def add_compaction(db: Connection, row: CompactionRow) -> None:
    sessions.get(db, row.session_id)
    db.execute(rows.insert("compactions", rows.COMPACTION), rows.compaction_values(row))


def compactions(db: Connection, session_id: str) -> list[CompactionRow]:
    found = db.execute(
        f"SELECT {', '.join(rows.COMPACTION)} FROM compactions WHERE session_id = ? "
        "ORDER BY number",
        (session_id,),
    )
    return [rows.compaction(values) for values in found]


def enqueue(db: Connection, prompt: QueuedPrompt) -> None:
    sessions.get(db, prompt.session_id)
    db.execute(rows.insert("queued_prompts", rows.QUEUED), rows.queued_values(prompt))


def queued_prompts(db: Connection, session_id: str) -> list[QueuedPrompt]:
    found = db.execute(
        f"SELECT {', '.join(rows.QUEUED)} FROM queued_prompts WHERE session_id = ? ORDER BY id",
        (session_id,),
    )
    return [rows.queued(values) for values in found]


def remove_queued(db: Connection, prompt_id: str) -> None:
    db.execute("DELETE FROM queued_prompts WHERE id = ?", (prompt_id,))
