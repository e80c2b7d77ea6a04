"""Messages: a tree by `parent_id`, in which nothing that is final is ever changed."""

from __future__ import annotations

import json
from sqlite3 import Connection
from typing import Any

from chatglass.store.protocol import StoreError
from chatglass.store.records import MessageRow
from chatglass.store.sqlite import rows, search, sessions
from chatglass.store.sqlite.missing import message_gone
from chatglass.values.text import one_line, storable

_COLUMNS = ", ".join(rows.MESSAGE)
_EXCERPT = 200


def append(db: Connection, row: MessageRow, queued_id: str | None) -> None:
    if row.parent_id is not None:
        _expect(db, row.parent_id, row.session_id)
    plain = plain_text(row)
    totals = "messages = messages + 1, leaf_id = ?, updated_at = max(updated_at, ?)"
    values: list[object] = [row.id, row.created_at]
    if row.role == "user":
        totals += (
            ", excerpt = CASE WHEN excerpt = '' THEN ? ELSE excerpt END"
            ", draft = CASE WHEN draft IN (?, ?) THEN '' ELSE draft END"
        )
        values += [one_line(plain, _EXCERPT), storable(row.content), plain]
    elif row.role == "assistant":
        totals += ", last_status = ?, last_answer_id = ?"
        values += [row.status, row.id]
    sessions.change(db, row.session_id, totals, *values)
    db.execute(rows.insert("messages", rows.MESSAGE), rows.message_values(row))
    if queued_id is not None:
        db.execute("DELETE FROM queued_prompts WHERE id = ?", (queued_id,))
    if row.status != "partial":
        _index(db, row, plain)


def checkpoint(db: Connection, message_id: str, content: str, reasoning: str) -> None:
    done = db.execute(
        "UPDATE messages SET content = ?, reasoning = ? WHERE id = ? AND status = 'partial'",
        (storable(content), storable(reasoning), message_id),
    )
    if not done.rowcount:
        get(db, message_id)


def finish(db: Connection, row: MessageRow) -> None:
    there = get(db, row.id)
    if there.status != "partial":
        if rows.message_values(there) == rows.message_values(row):
            return
        raise StoreError(
            f"Message {row.id} is final ({there.status}) and is not changed. "
            "Another window may have settled it; open the session again."
        )
    if (there.session_id, there.parent_id) != (row.session_id, row.parent_id):
        raise StoreError(
            f"Message {row.id} can't move to another place in the tree. "
            "Add a new message there instead; this is a fault in chatglass, please report it."
        )
    settle(db, row)


def settle(db: Connection, row: MessageRow) -> None:
    """Write a `partial` message in its next form, and index it if that is final."""
    db.execute(rows.update("messages", rows.MESSAGE), (*rows.message_values(row)[1:], row.id))
    db.execute(
        "UPDATE sessions SET last_status = ? WHERE id = ? AND last_answer_id = ?",
        (row.status, row.session_id, row.id),
    )
    if row.status != "partial":
        _index(db, row, plain_text(row))


def get(db: Connection, message_id: str) -> MessageRow:
    values = db.execute(f"SELECT {_COLUMNS} FROM messages WHERE id = ?", (message_id,)).fetchone()
    if values is None:
        raise message_gone(message_id)
    return rows.message(values)


def partial(db: Connection, session_id: str) -> list[MessageRow]:
    found = db.execute(
        f"SELECT {_COLUMNS} FROM messages WHERE session_id = ? AND status = 'partial' "
        "ORDER BY number",
        (session_id,),
    )
    return [rows.message(values) for values in found]


def path(db: Connection, session_id: str, leaf_id: str | None) -> list[MessageRow]:
    if leaf_id is None:
        sessions.get(db, session_id)
        return []
    _expect(db, leaf_id, session_id)
    found = db.execute(
        f"""
        WITH RECURSIVE up (number, parent) AS (
            SELECT number, parent_id FROM messages WHERE id = ?
            UNION ALL
            SELECT m.number, m.parent_id FROM up JOIN messages m ON m.id = up.parent
        )
        SELECT {_COLUMNS} FROM up JOIN messages USING (number) ORDER BY number
        """,
        (leaf_id,),
    )
    return rows.path(found)


def siblings(db: Connection, message_id: str) -> list[str]:
    row = get(db, message_id)
    found = db.execute(
        "SELECT id FROM messages WHERE parent_id IS ? AND session_id = ? ORDER BY number",
        (row.parent_id, row.session_id),
    )
    return [id_ for (id_,) in found]


def forks(db: Connection, session_id: str) -> dict[str | None, list[str]]:
    found = db.execute(
        """
        WITH forked (parent) AS (
            SELECT parent_id FROM messages WHERE session_id = ?1
            GROUP BY parent_id HAVING count(*) > 1
        )
        SELECT m.parent_id, m.id FROM messages m JOIN forked ON m.parent_id IS forked.parent
        WHERE m.session_id = ?1 ORDER BY m.number
        """,
        (session_id,),
    )
    children: dict[str | None, list[str]] = {}
    for parent_id, id_ in found:
        children.setdefault(parent_id, []).append(id_)
    return children


def leaf_below(db: Connection, message_id: str) -> str:
    get(db, message_id)
    # What was written last below it has nothing below itself.
    (id_,) = db.execute(
        """
        WITH RECURSIVE down (number, id) AS (
            SELECT number, id FROM messages WHERE id = ?
            UNION ALL
            SELECT m.number, m.id FROM down JOIN messages m ON m.parent_id = down.id
        )
        SELECT id FROM down ORDER BY number DESC LIMIT 1
        """,
        (message_id,),
    ).fetchone()
    return id_


def plain_text(row: MessageRow) -> str:
    """The text of a message: of content parts that of type `text`, joined by line breaks."""
    if not row.content_is_json:
        return storable(row.content)
    try:
        parts: list[dict[str, Any]] = json.loads(row.content)
        texts = [part["text"] for part in parts if part["type"] == "text"]
        return storable("\n".join(texts))
    except (ValueError, TypeError, KeyError):
        # Not content parts after all: then it is found as it stands.
        return storable(row.content)


def _index(db: Connection, row: MessageRow, plain: str) -> None:
    # A tool message repeats the result of its call, which is indexed by itself.
    if row.role == "tool":
        return
    search.add(db, "message", row.id, row.session_id, plain, differs=row.content_is_json)


def _expect(db: Connection, message_id: str, session_id: str) -> None:
    found = db.execute(
        "SELECT 1 FROM messages WHERE id = ? AND session_id = ?", (message_id, session_id)
    ).fetchone()
    if found is None:
        raise message_gone(message_id, session_id)
