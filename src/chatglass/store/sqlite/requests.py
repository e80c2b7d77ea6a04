"""Requests: what was sent by reference, what it used and cost."""

from __future__ import annotations

import json
from sqlite3 import Connection

from chatglass.store.protocol import StoreError
from chatglass.store.records import RequestRow
from chatglass.store.sqlite import blobs, rows, sessions, spending
from chatglass.store.sqlite.missing import request_gone

Parts = tuple[tuple[str, str], ...]

_COLUMNS = ", ".join(rows.REQUEST)
_CHUNK = 128
"""Parts in a blob. The next request of a session begins with the same ones, so these are shared."""
_DIGEST = 32


def add(db: Connection, row: RequestRow) -> None:
    sessions.change(
        db,
        row.session_id,
        f"requests = requests + 1, {_ADDED}, updated_at = max(updated_at, ?)",
        *_totals(row), row.started_at,
    )  # fmt: skip
    chunks, tail = _keep_parts(db, row)
    db.execute(
        rows.insert("requests", (*rows.REQUEST, "part_chunks", "part_tail")),
        (*rows.request_values(row), chunks, tail),
    )
    spending.keep_tools(db, row)
    _refer(db, row)


def finish(db: Connection, row: RequestRow) -> None:
    there = get(db, row.id)
    if there.session_id != row.session_id:
        raise StoreError(
            f"Request {row.id} belongs to session {there.session_id} and can't move to "
            f"{row.session_id}. This is a fault in chatglass; please report it."
        )
    before, after = _totals(there), _totals(row)
    sessions.change(
        db,
        row.session_id,
        f"{_ADDED}, updated_at = max(updated_at, ?)",
        *(new - old for new, old in zip(after, before, strict=True)),
        row.finished_at or row.started_at,
    )
    db.execute(rows.update("requests", rows.REQUEST), (*rows.request_values(row)[1:], row.id))
    if row.parts:
        db.execute(
            "UPDATE requests SET part_chunks = ?, part_tail = ? WHERE id = ?",
            (*_keep_parts(db, row), row.id),
        )
    spending.keep_tools(db, row)
    _refer(db, row)
    if row.status != "running":
        spending.end_reservation(db, row.session_id)


def get(db: Connection, request_id: str) -> RequestRow:
    found = db.execute(f"SELECT {_COLUMNS} FROM requests WHERE id = ?", (request_id,)).fetchone()
    if found is None:
        raise request_gone(request_id)
    return rows.request(found, spending.tools_of(db, request_id))


def of_session(db: Connection, session_id: str) -> list[RequestRow]:
    found = db.execute(
        f"SELECT {_COLUMNS} FROM requests WHERE session_id = ? ORDER BY number", (session_id,)
    )
    tools = spending.tools_of_session(db, session_id)
    return [rows.request(values, tools.get(values[0], ())) for values in found]


def parts(db: Connection, request_id: str) -> Parts:
    found = db.execute(
        "SELECT part_chunks, part_tail FROM requests WHERE id = ?", (request_id,)
    ).fetchone()
    if found is None:
        raise request_gone(request_id)
    chunks, tail = found
    digests = [chunks[at : at + _DIGEST].hex() for at in range(0, len(chunks), _DIGEST)]
    texts = [*(blobs.get(db, digest) for digest in digests), tail]
    return tuple((kind, ref) for each in texts for kind, ref in json.loads(each))


_ADDED = (
    "total_tokens = total_tokens + ?, cost = cost + ?, "
    "unpriced_requests = unpriced_requests + ?, estimated_requests = estimated_requests + ?"
)


def _totals(row: RequestRow) -> tuple[int, int, int, int]:
    """Tokens, cost in 1e-12 USD, 1 where tokens were used that no price is known for, and 1 where
    they are estimated."""
    cost = rows.picodollars(row.cost) or 0
    if row.usage is None:
        return 0, cost, 0, 0
    estimated = row.usage.source == "estimated"
    return row.usage.total_tokens, cost, int(row.cost is None), int(estimated)


def _keep_parts(db: Connection, row: RequestRow) -> tuple[bytes, str]:
    whole = len(row.parts) - len(row.parts) % _CHUNK
    digests = [
        blobs.keep(db, json.dumps(row.parts[at : at + _CHUNK])) for at in range(0, whole, _CHUNK)
    ]
    blobs.refer(db, row.session_id, (digest.hex() for digest in digests))
    return b"".join(digests), json.dumps(row.parts[whole:])


def digests(row: RequestRow) -> list[str]:
    """The hashes of the blobs that the row names."""
    named = [
        row.tools_hash,
        row.body_hash,
        row.wire_hash,
        *(ref for kind, ref in row.parts if kind == "blob"),
    ]
    return [digest for digest in named if digest]


def _refer(db: Connection, row: RequestRow) -> None:
    blobs.refer(db, row.session_id, digests(row))
