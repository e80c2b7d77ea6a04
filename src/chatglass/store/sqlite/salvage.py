"""What can still be read of a session in a damaged store: row by row, leaving out what fails."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from sqlite3 import Connection
from typing import Any, TypeVar

from chatglass.store.protocol import StoreError
from chatglass.store.records import (
    MessageRow,
    RequestRow,
    SessionRow,
    ToolCallRow,
    ToolResult,
    WholeSession,
)
from chatglass.store.sqlite import rows, tool_calls

T = TypeVar("T")

_UNREADABLE = (sqlite3.Error, StoreError, ValueError, TypeError, KeyError, ArithmeticError)
"""What a damaged page, or JSON that was cut, makes of reading a row."""


@dataclass(frozen=True, slots=True)
class Salvaged:
    """`lost`: how many rows could not be read, by kind; a page that is gone counts as one."""

    whole: WholeSession
    lost: dict[str, int]

    def __str__(self) -> str:
        return ", ".join(f"{count:,} {kind}" for kind, count in self.lost.items() if count)


def read(db: Connection, folder: Path | None, session_id: str) -> Salvaged:
    """Raises SessionGone or StoreError only where not even the session's own row can be read."""
    lost: dict[str, int] = {}
    session = _session(db, session_id)
    messages = list(_rows(db, "messages", rows.MESSAGE, rows.message, session_id, lost))
    sent = list(_rows(db, "requests", rows.REQUEST, _request, session_id, lost))
    calls = list(_rows(db, "tool_calls", rows.TOOL_CALL, rows.tool_call, session_id, lost))
    compactions = list(_rows(db, "compactions", rows.COMPACTION, rows.compaction, session_id, lost))
    messages = _linked(messages)
    ids = {row.id for row in messages}
    if session.leaf_id not in ids:
        session = replace(session, leaf_id=messages[-1].id if messages else None)
    results = dict(_results(db, folder, calls, lost))
    whole = WholeSession(
        session=session,
        messages=tuple(messages),
        requests=tuple(sent),
        tool_calls=tuple(calls),
        compactions=tuple(compactions),
        results=results,
    )
    return Salvaged(whole, lost)


def _session(db: Connection, session_id: str) -> SessionRow:
    values = db.execute(
        f"SELECT {', '.join(rows.SESSION)} FROM sessions WHERE id = ?", (session_id,)
    ).fetchone()
    if values is None:
        raise StoreError(f"Session {session_id} can't be read: its own row is lost.")
    return rows.session_in_part(values)


def _rows(
    db: Connection,
    table: str,
    columns: tuple[str, ...],
    make: Callable[[Any], T],
    session_id: str,
    lost: dict[str, int],
) -> Iterator[T]:
    select = f"SELECT {', '.join(columns)} FROM {table} WHERE number = ?"
    for number in _numbers(db, table, session_id, lost):
        try:
            values = db.execute(select, (number,)).fetchone()
            if values is not None:
                yield make(values)
                continue
        except _UNREADABLE:
            pass
        lost[table] = lost.get(table, 0) + 1


def _numbers(db: Connection, table: str, session_id: str, lost: dict[str, int]) -> list[int]:
    found: list[int] = []
    try:
        # By the index, which lies on other pages than the rows.
        cursor = db.execute(
            f"SELECT number FROM {table} WHERE session_id = ? ORDER BY number", (session_id,)
        )
        for (number,) in cursor:
            found.append(number)
    except sqlite3.Error:
        lost[table] = lost.get(table, 0) + 1
    return found


def _request(values: Any) -> RequestRow:
    # Without what it sent: that is in other rows, and is not shown of a damaged session.
    return replace(
        rows.request(values, ()), parts=(), tools_hash=None, body_hash=None, wire_hash=None
    )


def _linked(messages: list[MessageRow]) -> list[MessageRow]:
    """What followed a lost message follows the one before it."""
    linked: list[MessageRow] = []
    known: set[str] = set()
    for row in messages:
        if row.parent_id is not None and row.parent_id not in known:
            row = replace(row, parent_id=linked[-1].id if linked else None)
        linked.append(row)
        known.add(row.id)
    return linked


def _results(
    db: Connection, folder: Path | None, calls: list[ToolCallRow], lost: dict[str, int]
) -> Iterator[tuple[str, ToolResult]]:
    for row in calls:
        try:
            result = tool_calls.result(db, folder, row.id)
        except _UNREADABLE:
            lost["results"] = lost.get("results", 0) + 1
            continue
        if result is not None:
            yield row.id, result
