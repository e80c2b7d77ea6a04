"""The full-text index over titles, messages, arguments and results.

FTS5 with trigrams over the view `search_texts`, and with pairs of Chinese, Japanese and Korean
characters beside it (`search_pairs`). Neither keeps a copy of a text, and so they have to be told
the old one before it changes or goes (`drop`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from sqlite3 import Connection
from typing import Literal

from chatglass.store.search_records import Matches, SearchHit, SessionMatches
from chatglass.store.search_words import SearchWords, search_words
from chatglass.values.text import one_line, storable

Kind = Literal["title", "message", "arguments", "result"]

MOST_CHARS = 1_000_000
"""Of one text; a pasted file beyond that is found by its start."""
_LINE, _BEFORE = 160, 40

_FEW = 1_000
"""Texts that are read in about 30 ms."""
_NEWEST = 3
"""Of the matches of a session, these can be shown."""

_PAIRS = "SELECT id, pairs FROM (SELECT id, cjk_pairs(text) AS pairs FROM search_texts {where})"
_ADD = (
    "INSERT INTO search (rowid, text) SELECT id, text FROM search_texts {where}",
    f"INSERT INTO search_pairs (rowid, text) {_PAIRS} WHERE pairs <> ''",
)
_DROP = (
    "INSERT INTO search (search, rowid, text) SELECT 'delete', id, text FROM search_texts {where}",
    "INSERT INTO search_pairs (search_pairs, rowid, text) "
    f"SELECT 'delete', id, pairs FROM ({_PAIRS}) WHERE pairs <> ''",
)


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
    _each(db, _ADD, "WHERE id = ?", done.lastrowid)


def drop(db: Connection, kind: Kind, ref: str) -> None:
    """Forget the text of `ref`, which must still be as it was when it was added."""
    found = db.execute(
        "SELECT id FROM search_rows WHERE ref = ? AND kind = ?", (ref, kind)
    ).fetchone()
    if found is not None:
        _each(db, _DROP, "WHERE id = ?", found[0])
        db.execute("DELETE FROM search_rows WHERE id = ?", found)


def drop_session(db: Connection, session_id: str) -> None:
    where = "WHERE id IN (SELECT id FROM search_rows WHERE session_id = ?)"
    _each(db, _DROP, where, session_id)
    db.execute("DELETE FROM search_rows WHERE session_id = ?", (session_id,))


def _each(db: Connection, statements: Sequence[str], where: str, value: object) -> None:
    """Do it to both indexes, for the texts that `where` names."""
    for statement in statements:
        db.execute(statement.format(where=where), (value,))


def find(db: Connection, text: str, limit: int) -> list[SearchHit]:
    """What holds all the words, newest first."""
    words = search_words(text)
    match words.reach:
        case "nothing":
            return []
        case "titles":
            return _titles(db, words, limit)
        case "everything":
            sql, values = _matching(db, words)
            found = db.execute(f"{sql} ORDER BY rowid DESC LIMIT ?", (*values, limit)).fetchall()
            pattern = words.pattern
            return [hit for (rowid,) in found if (hit := _hit(db, rowid, pattern))]


def matches(db: Connection, text: str, limit: int, after: str) -> Matches:
    """A page of what holds all the words, titles aside, by session."""
    words = search_words(text)
    if words.reach != "everything":
        return Matches()
    sql, values = _matching(db, words)
    if after:
        sql += " AND rowid < ?"
        values += (int(after),)
    found = db.execute(
        f"""
        WITH found (id) AS ({sql} ORDER BY rowid DESC LIMIT ?),
        shown AS (
            SELECT r.id, r.session_id, r.kind, count(*) OVER () AS total, min(r.id) OVER () AS last
            FROM found JOIN search_rows r USING (id)
        ),
        placed AS (
            SELECT *, count(*) OVER (PARTITION BY session_id, kind = 'title') AS many,
                row_number() OVER (PARTITION BY session_id, kind = 'title' ORDER BY id DESC) AS place
            FROM shown
        )
        SELECT session_id, kind, many, id, total, last FROM placed WHERE place <= ?
        ORDER BY id DESC
        """,
        (*values, limit, _NEWEST),
    ).fetchall()
    refs: dict[str, list[str]] = {}
    counts: dict[str, int] = {}
    for session_id, kind, many, rowid, _, _ in found:
        if kind != "title":
            refs.setdefault(session_id, []).append(str(rowid))
            counts[session_id] = many
    sessions = tuple(SessionMatches(id_, counts[id_], tuple(refs[id_])) for id_ in refs)
    total, last = found[0][4:] if found else (0, 0)
    return Matches(sessions, str(last) if total == limit else None)


def lines(db: Connection, text: str, refs: Sequence[str]) -> dict[str, SearchHit]:
    """What stands around those matches."""
    words = search_words(text)
    if words.reach == "nothing":
        return {}
    pattern = words.pattern
    found = ((ref, _hit(db, int(ref), pattern)) for ref in refs)
    return {ref: hit for ref, hit in found if hit is not None}


def calls(db: Connection, session_id: str, text: str) -> frozenset[str]:
    """The tool calls of a session whose arguments or result hold all the words."""
    words = search_words(text)
    if words.reach != "everything":
        return frozenset()
    sql, values = _matching(db, words)
    # With a plus: the words narrow it down more than the session does.
    found = db.execute(
        f"SELECT ref FROM search_rows WHERE id IN ({sql}) AND +session_id = ? "
        "AND kind IN ('arguments', 'result')",
        (*values, session_id),
    )
    return frozenset(ref for (ref,) in found)


def uses(db: Connection, kind: str, text: str) -> frozenset[str]:
    # From name to name in the index, since there are few of them among many rows.
    names = db.execute(
        """
        WITH RECURSIVE names (name) AS (
            SELECT min(name) FROM session_uses WHERE kind = ?1
            UNION ALL
            SELECT (SELECT min(name) FROM session_uses WHERE kind = ?1 AND name > names.name)
            FROM names WHERE name IS NOT NULL
        )
        SELECT name FROM names WHERE instr(folded(name), ?2) > 0
        """,
        (kind, storable(text).casefold()),
    ).fetchall()
    sql = "SELECT session_id FROM session_uses WHERE kind = ? AND name = ?"
    return frozenset(id_ for (name,) in names for (id_,) in db.execute(sql, (kind, name)))


def _matching(db: Connection, words: SearchWords) -> tuple[str, tuple[object, ...]]:
    """The statement for the rowids of what holds all the words, open for more conditions."""
    in_pairs = "SELECT rowid FROM search_pairs WHERE search_pairs MATCH ?"
    read = [*words.short]
    if not words.long or (words.pairs and _are_few(db, in_pairs, words.pairs)):
        # The pairs find little enough to look for all else in the texts.
        table, conditions = "search_pairs", ["search_pairs MATCH ?"]
        values: list[object] = [_phrases(words.pairs)]
        read += words.long
    else:
        table, conditions = "search", ["search MATCH ?"]
        values = [_phrases(words.long)]
        if words.pairs:
            # With a plus, or SQLite would search anew for each of many rowids.
            conditions.append(f"+rowid IN ({in_pairs})")
            values.append(_phrases(words.pairs))
    for word in read:
        text = f"(SELECT text FROM search_texts WHERE id = {table}.rowid)"
        conditions.append(f"instr(folded({text}), ?) > 0")
        values.append(word.casefold())
    return f"SELECT rowid FROM {table} WHERE {' AND '.join(conditions)}", tuple(values)


def _are_few(db: Connection, in_pairs: str, pairs: Sequence[str]) -> bool:
    sql = f"SELECT count(*) FROM ({in_pairs} LIMIT {_FEW})"
    return db.execute(sql, (_phrases(pairs),)).fetchone()[0] < _FEW


def _phrases(words: Sequence[str]) -> str:
    return " ".join('"' + word.replace('"', '""') + '"' for word in words)


def _titles(db: Connection, words: SearchWords, limit: int) -> list[SearchHit]:
    conditions = " AND ".join("instr(folded(title), ?) > 0" for _ in words.all)
    found = db.execute(
        f"SELECT id, title FROM sessions WHERE {conditions} "
        "ORDER BY updated_at DESC, id DESC LIMIT ?",
        (*(word.casefold() for word in words.all), limit),
    )
    return [_found(id_, "", "title", one_line(title, _LINE)) for id_, title in found]


def _hit(db: Connection, rowid: int, pattern: re.Pattern[str]) -> SearchHit | None:
    """None where it has gone meanwhile."""
    row = db.execute(
        "SELECT kind, ref, session_id, text FROM search_rows JOIN search_texts USING (id) "
        "WHERE id = ?",
        (rowid,),
    ).fetchone()
    if row is None:
        return None
    kind, ref, session_id, text = row
    line = around(text, pattern)
    if kind == "title":
        return _found(session_id, "", "title", line)
    if kind == "message":
        return _found(session_id, ref, "message", line)
    message_id = db.execute("SELECT message_id FROM tool_calls WHERE id = ?", (ref,)).fetchone()[0]
    return _found(session_id, message_id, "tool", line)


def around(text: str, pattern: re.Pattern[str]) -> str:
    """One visible line with the first match near its start."""
    match = pattern.search(text)
    start = max(0, match.start() - _BEFORE) if match else 0
    line = one_line(text[start : start + 2 * _LINE], _LINE)
    return f"…{line}" if start else line


def _found(
    session_id: str, message_id: str, kind: Literal["title", "message", "tool"], line: str
) -> SearchHit:
    return SearchHit(session_id=session_id, message_id=message_id, kind=kind, line=line)
