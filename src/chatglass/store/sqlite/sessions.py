"""Sessions: rows that carry their own totals, so that listing reads nothing else."""

from __future__ import annotations

from sqlite3 import Connection
from typing import Any

from chatglass.store.protocol import SessionGone, StoreError
from chatglass.store.records import Parameters, SessionQuery, SessionRow
from chatglass.store.sqlite import blobs, claims, result_files, rows, search
from chatglass.store.sqlite.missing import message_gone, session_gone
from chatglass.values.text import storable

_SELECT = f"SELECT {', '.join(rows.SESSION)} FROM sessions"
_HAS_SOMETHING = (
    "(messages > 0 OR draft <> '' OR EXISTS "
    "(SELECT 1 FROM queued_prompts q WHERE q.session_id = sessions.id))"
)
_NEWEST_FIRST = "ORDER BY updated_at DESC, id DESC"


def create(db: Connection, row: SessionRow) -> None:
    db.execute(rows.insert("sessions", rows.SESSION), rows.session_values(row))
    if row.title:
        search.add(db, "title", row.id, row.id, row.title)


def get(db: Connection, session_id: str) -> SessionRow:
    values = db.execute(f"{_SELECT} WHERE id = ?", (session_id,)).fetchone()
    if values is None:
        raise session_gone(session_id)
    try:
        return rows.session(values)
    except (ValueError, TypeError, ArithmeticError) as error:
        raise StoreError(
            f"Session {session_id} is damaged: its row can't be read ({error})."
        ) from error


def find(db: Connection, prefix: str) -> SessionRow:
    wanted = prefix.strip().upper()
    ids: list[str] = []
    if wanted:
        ids = [
            id_
            for (id_,) in db.execute(
                "SELECT id FROM sessions WHERE substr(upper(id), 1, ?) = ? "
                f"OR substr(upper(id), ?) = ? {_NEWEST_FIRST}",
                (len(wanted), wanted, -len(wanted), wanted),
            )
        ]
    if len(ids) > 1:
        exact = [id_ for id_ in ids if id_.upper() == wanted]
        if not exact:
            raise SessionGone(
                f"{len(ids)} sessions begin or end with {prefix!r}: {', '.join(ids[:3])}"
                f"{', …' if len(ids) > 3 else ''}. Give more of the id."
            )
        ids = exact
    if not ids:
        raise SessionGone(
            f"No session begins or ends with {prefix!r}. `chatglass sessions list` shows them all."
        )
    return get(db, ids[0])


def list_sessions(db: Connection, query: SessionQuery) -> list[SessionRow]:
    conditions = [_HAS_SOMETHING]
    values: list[Any] = []
    if not query.include_archived:
        conditions.append("NOT archived")
    if query.root is not None:
        conditions.append("root = ?")
        values.append(storable(query.root))
    if query.title_contains:
        conditions.append("instr(folded(title), ?) > 0")
        values.append(storable(query.title_contains).casefold())
    found = db.execute(
        f"{_SELECT} WHERE {' AND '.join(conditions)} {_NEWEST_FIRST} LIMIT ? OFFSET ?",
        (*values, query.limit, query.offset),
    )
    # Row by row, not `fetchall`: between two rows SQLite lets other threads run, so that the event
    # loop waits 5 ms at most where it waited 21.
    return [rows.session_in_part(each) for each in found]


def newest(db: Connection, root: str) -> SessionRow | None:
    return next(iter(list_sessions(db, SessionQuery(root=root, limit=1))), None)


def rename(db: Connection, session_id: str, title: str, by_user: bool) -> None:
    search.drop(db, "title", session_id)
    change(db, session_id, "title = ?, title_by_user = ?", storable(title), by_user)
    if title:
        search.add(db, "title", session_id, session_id, title)


def set_model(db: Connection, session_id: str, endpoint: str, model: str) -> None:
    change(db, session_id, "endpoint = ?, model = ?", endpoint, storable(model))


def set_parameters(db: Connection, session_id: str, parameters: Parameters) -> None:
    change(db, session_id, "parameters = ?", rows.parameters_json(parameters))


def set_root(db: Connection, session_id: str, root: str) -> None:
    change(db, session_id, "root = ?", storable(root))


def set_pinned(db: Connection, session_id: str, pinned: bool) -> None:
    change(db, session_id, "pinned = ?", pinned)


def set_archived(db: Connection, session_id: str, archived: bool) -> None:
    change(db, session_id, "archived = ?", archived)


def set_tags(db: Connection, session_id: str, tags: tuple[str, ...]) -> None:
    change(db, session_id, "tags = ?", rows.tags_json(tags))


def set_draft(db: Connection, session_id: str, draft: str) -> None:
    change(db, session_id, "draft = ?", storable(draft))


def set_leaf(db: Connection, session_id: str, leaf_id: str | None) -> None:
    if leaf_id is not None:
        found = db.execute(
            "SELECT 1 FROM messages WHERE id = ? AND session_id = ?", (leaf_id, session_id)
        ).fetchone()
        if found is None:
            raise message_gone(leaf_id, session_id)
    change(db, session_id, "leaf_id = ?", leaf_id)


def delete(db: Connection, session_id: str) -> list[str]:
    """The names of its large results, whose files nothing refers to once this is committed."""
    get(db, session_id)
    if holder := claims.other_holder(db, session_id):
        raise StoreError(
            f"Session {session_id} is open in another chatglass (process {holder.pid}) and was "
            "not deleted. Close it there first."
        )
    search.drop_session(db, session_id)
    digests = blobs.of_session(db, session_id)
    files = result_files.of_session(db, session_id)
    db.execute("DELETE FROM sessions WHERE id = ?", (session_id,))
    blobs.sweep(db, digests)
    return files


def change(db: Connection, session_id: str, changes: str, *values: object) -> None:
    """Set columns of one session, as `changes` says in SQL. Raises SessionGone."""
    done = db.execute(f"UPDATE sessions SET {changes} WHERE id = ?", (*values, session_id))
    if not done.rowcount:
        raise session_gone(session_id)
