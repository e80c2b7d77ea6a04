"""Parts of a conversation for a preview: a few messages, and of each a bounded part."""

from __future__ import annotations

import json
import re
from sqlite3 import Connection
from typing import Any, NamedTuple

from chatglass.store.search_records import MessageExcerpt
from chatglass.store.search_words import search_words
from chatglass.store.sqlite import sessions
from chatglass.store.sqlite.missing import message_gone

READ = 65_536
"""Characters of a message that are looked at."""
CALLS, _ARGUMENTS = 20_000, 200
"""Characters of the JSON of tool calls that are read, and of the arguments that are given."""

# Content parts may hold megabytes of an image; their text is what the index was given.
_SELECT = f"""
    m.id, m.role, m.created_at, m.status, m.tool_name, substr(m.tool_calls, 1, {CALLS}),
    substr(CASE WHEN m.content_is_json
        THEN coalesce((SELECT own FROM search_rows WHERE ref = m.id AND kind = 'message'), '')
        ELSE m.content END, 1, {READ}),
    length(m.content) > {READ} AND NOT m.content_is_json
"""


class Extent(NamedTuple):
    """How many messages above and below, and how many characters of each."""

    before: int
    after: int
    chars: int


def read(
    db: Connection, session_id: str, around: str, text: str, extent: Extent
) -> list[MessageExcerpt]:
    session = sessions.get(db, session_id)
    start = around or session.leaf_id
    if start is None:
        return []
    upwards = db.execute(
        f"""
        WITH RECURSIVE up (number, parent, depth) AS (
            SELECT number, parent_id, 0 FROM messages WHERE id = ? AND session_id = ?
            UNION ALL
            SELECT m.number, m.parent_id, depth + 1 FROM up JOIN messages m ON m.id = up.parent
            WHERE depth < ?
        )
        SELECT {_SELECT} FROM up JOIN messages m USING (number) ORDER BY number
        """,
        (start, session_id, extent.before if around else extent.before + extent.after),
    ).fetchall()
    if not upwards:
        raise message_gone(start, session_id)
    downwards = db.execute(
        f"""
        WITH RECURSIVE down (number, id, depth) AS (
            SELECT number, id, 0 FROM messages WHERE id = ?1
            UNION ALL
            SELECT m.number, m.id, depth + 1 FROM down JOIN messages m ON m.number = (
                SELECT max(number) FROM messages c WHERE c.parent_id = down.id AND c.session_id = ?2
            ) WHERE depth < ?3
        )
        SELECT {_SELECT} FROM down JOIN messages m USING (number) WHERE depth > 0 ORDER BY number
        """,
        (start, session_id, extent.after if around else 0),
    ).fetchall()
    words = search_words(text)
    pattern = None if words.reach == "nothing" else words.pattern
    return [excerpt(row, pattern, extent.chars) for row in (*upwards, *downwards)]


def excerpt(row: Any, pattern: re.Pattern[str] | None, chars: int) -> MessageExcerpt:
    id_, role, created_at, status, tool_name, tool_calls, text, is_cut = row
    match = pattern.search(text) if pattern is not None and len(text) > chars else None
    # A third of the room for what stands before the match.
    start = 0 if match is None else max(0, min(match.start() - chars // 3, len(text) - chars))
    return MessageExcerpt(
        id=id_,
        role=role,
        text=text[start : start + chars],
        created_at=created_at,
        status=status,
        begins=not start,
        ends=start + chars >= len(text) and not is_cut,
        tool_name=tool_name,
        calls=_calls(tool_calls),
    )


def _calls(tool_calls: str | None) -> tuple[tuple[str, str], ...]:
    if not tool_calls:
        return ()
    try:
        functions = [call["function"] for call in json.loads(tool_calls)]
        return tuple((str(f["name"]), str(f["arguments"])[:_ARGUMENTS]) for f in functions)
    except (ValueError, TypeError, KeyError):
        # Cut where its reading ends, or written by another program: it is shown as it stands.
        return (("", tool_calls[:_ARGUMENTS]),)
