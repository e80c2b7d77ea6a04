"""Texts kept once under their hash: system prompts, tool schemas, bodies, chunks of parts."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from sqlite3 import Connection

from chatglass.store.protocol import StoreError
from chatglass.values.clock import now_ms
from chatglass.values.text import storable

_HOLD_MS = 3_600_000


def put(db: Connection, text: str) -> str:
    """Keep `text` for an hour, and from then on as long as a session refers to it."""
    digest = keep(db, text)
    db.execute("UPDATE blobs SET held_until = ? WHERE digest = ?", (now_ms() + _HOLD_MS, digest))
    return digest.hex()


def keep(db: Connection, text: str) -> bytes:
    """Keep `text`, to which the caller refers in the same transaction."""
    text = storable(text)
    digest = hashlib.sha256(text.encode()).digest()
    db.execute(
        "INSERT OR IGNORE INTO blobs (digest, text, held_until) VALUES (?, ?, 0)", (digest, text)
    )
    return digest


def get(db: Connection, digest: str) -> str:
    found = db.execute("SELECT text FROM blobs WHERE digest = ?", (_bytes(digest),)).fetchone()
    if found is None:
        raise _missing(digest)
    return found[0]


def refer(db: Connection, session_id: str, digests: Iterable[str]) -> None:
    """Note that the session needs these. StoreError if one is not there."""
    for digest in dict.fromkeys(digests):
        raw = _bytes(digest)
        done = db.execute("UPDATE blobs SET held_until = 0 WHERE digest = ?", (raw,))
        if not done.rowcount:
            raise _missing(digest)
        db.execute(
            "INSERT OR IGNORE INTO session_blobs (digest, session_id) VALUES (?, ?)",
            (raw, session_id),
        )


def of_session(db: Connection, session_id: str) -> list[bytes]:
    found = db.execute("SELECT digest FROM session_blobs WHERE session_id = ?", (session_id,))
    return [digest for (digest,) in found]


def sweep(db: Connection, digests: Iterable[bytes]) -> None:
    """Remove those of `digests` that nobody needs any more, and all put long ago for nothing."""
    now = now_ms()
    unneeded = (
        "NOT EXISTS (SELECT 1 FROM session_blobs s WHERE s.digest = blobs.digest) "
        "AND held_until < ?"
    )
    db.executemany(
        f"DELETE FROM blobs WHERE digest = ? AND {unneeded}", [(each, now) for each in digests]
    )
    db.execute(f"DELETE FROM blobs WHERE held_until > 0 AND {unneeded}", (now,))


def _bytes(digest: str) -> bytes:
    try:
        return bytes.fromhex(digest)
    except ValueError:
        raise _missing(digest) from None


def _missing(digest: str) -> StoreError:
    return StoreError(
        f"There is no blob {digest} in the store. The request that refers to it can't be shown "
        "as it was sent; put the blob before the request."
    )
