"""The full-text index over titles, messages, arguments and results.

FTS5 with trigrams over the view `search_texts`: it keeps no copy of a text, and so has to be told
the old one before it changes or goes (`drop`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from sqlite3 import Connection
from typing import Literal

from chatglass.store.records import SearchHit
from chatglass.values.text import one_line, storable

Kind = Literal["title", "message", "arguments", "result"]

LEAST = 3
"""Characters of a word that trigrams can find."""
MOST_CHARS = 1_000_000
"""Of one text; a pasted file beyond that is found by its start."""
_LINE, _BEFORE = 160, 40

_DROP = "INSERT INTO search (search, rowid, text) SELECT 'delete', id, text FROM search_texts"


def add(
    db: Connection,
    kind: Kind,
    ref: str,
    session_id: str,
    text: str,
    *,
    most: int = MOST_CHARS,
    differs: bool = False,
) -> None:
    """Index `text`, at most that many characters of it: the text of `ref`, whose row is there by now.

    `differs` says that it is not that text as it stands, and is kept beside it.
    """
    text = storable(text)
    own = None
    if differs or "\0" in text:
        # FTS5 and SQLite's substr end at a NUL.
        own = text[:most].replace("\0", " ")
    chars = most if own is None and len(text) > most else None
    done = db.execute(
        "INSERT INTO search_rows (kind, ref, session_id, chars, own) VALUES (?, ?, ?, ?, ?)",
        (kind, ref, session_id, chars, own),
    )
    db.execute(
        "INSERT INTO search (rowid, text) SELECT id, text FROM search_texts WHERE id = ?",
        (done.lastrowid,),
    )


def drop(db: Connection, kind: Kind, ref: str) -> None:
    """Forget the text of `ref`, which must still be as it was when it was added."""
    found = db.execute(
        "SELECT id FROM search_rows WHERE ref = ? AND kind = ?", (ref, kind)
    ).fetchone()
    if found is not None:
        db.execute(f"{_DROP} WHERE id = ?", found)
        db.execute("DELETE FROM search_rows WHERE id = ?", found)


def drop_session(db: Connection, session_id: str) -> None:
    db.execute(
        f"{_DROP} WHERE id IN (SELECT id FROM search_rows WHERE session_id = ?)", (session_id,)
    )
    db.execute("DELETE FROM search_rows WHERE session_id = ?", (session_id,))


def find(db: Connection, text: str, limit: int) -> list[SearchHit]:
    """What holds all the words, newest first."""
    words = _words(storable(text))
    if not words:
        return []
    long = [word for word in words if len(word) >= LEAST]
    if not long:
        return _titles(db, words, limit)
    phrases = " ".join('"' + word.replace('"', '""') + '"' for word in long)
    sql = "SELECT rowid FROM search WHERE search MATCH ?"
    short = [word for word in words if len(word) < LEAST]
    for _ in short:
        sql += " AND instr(folded((SELECT text FROM search_texts WHERE id = search.rowid)), ?) > 0"
    found = db.execute(
        f"{sql} ORDER BY rowid DESC LIMIT ?",
        (phrases, *(word.casefold() for word in short), limit),
    ).fetchall()
    pattern = _pattern([*long, *short])
    return [_hit(db, rowid, pattern) for (rowid,) in found]


def _words(text: str) -> list[str]:
    """Split at spaces, but not within double quotes; NUL would end FTS5's query."""
    pairs: Iterable[tuple[str, str]] = re.findall(r'"([^"]+)"|([^\s"]+)', text.replace("\0", " "))
    return [word for pair in pairs if (word := "".join(pair)).strip()]


def _titles(db: Connection, words: list[str], limit: int) -> list[SearchHit]:
    conditions = " AND ".join("instr(folded(title), ?) > 0" for _ in words)
    found = db.execute(
        f"SELECT id, title FROM sessions WHERE {conditions} "
        "ORDER BY updated_at DESC, id DESC LIMIT ?",
        (*(word.casefold() for word in words), limit),
    )
    return [_found(id_, "", "title", one_line(title, _LINE)) for id_, title in found]


def _hit(db: Connection, rowid: int, pattern: re.Pattern[str]) -> SearchHit:
    kind, ref, session_id, text = db.execute(
        "SELECT kind, ref, session_id, text FROM search_rows JOIN search_texts USING (id) "
        "WHERE id = ?",
        (rowid,),
    ).fetchone()
    line = _around(text, pattern)
    if kind == "title":
        return _found(session_id, "", "title", line)
    if kind == "message":
        return _found(session_id, ref, "message", line)
    message_id = db.execute("SELECT message_id FROM tool_calls WHERE id = ?", (ref,)).fetchone()[0]
    return _found(session_id, message_id, "tool", line)


def _pattern(words: list[str]) -> re.Pattern[str]:
    return re.compile("|".join(map(re.escape, words)), re.IGNORECASE)


def _around(text: str, pattern: re.Pattern[str]) -> str:
    """One visible line with the first match near its start."""
    match = pattern.search(text)
    start = max(0, match.start() - _BEFORE) if match else 0
    line = one_line(text[start : start + 2 * _LINE], _LINE)
    return f"…{line}" if start else line


def _found(
    session_id: str, message_id: str, kind: Literal["title", "message", "tool"], line: str
) -> SearchHit:
    return SearchHit(session_id=session_id, message_id=message_id, kind=kind, line=line)
