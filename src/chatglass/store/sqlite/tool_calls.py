"""Tool calls with their decisions, and their results in a table of their own or in files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from sqlite3 import Connection

from chatglass.store.records import ToolCallRow, ToolResult
from chatglass.store.sqlite import result_files, rows, search, sessions
from chatglass.store.sqlite.missing import tool_call_gone
from chatglass.store.sqlite.result_files import INLINE_CHARS, KeptResult
from chatglass.values.text import storable

_COLUMNS = ", ".join(rows.TOOL_CALL)


def add(db: Connection, calls: Sequence[ToolCallRow]) -> None:
    for row in calls:
        sessions.change(db, row.session_id, "tool_calls = tool_calls + 1")
        db.execute(rows.insert("tool_calls", rows.TOOL_CALL), rows.tool_call_values(row))
        _index(db, row)


def change(db: Connection, row: ToolCallRow, result: KeptResult | None, preview_chars: int) -> None:
    there = db.execute(
        "SELECT name, arguments, session_id FROM tool_calls WHERE id = ?", (row.id,)
    ).fetchone()
    if there is None or there[2] != row.session_id:
        raise tool_call_gone(row.id, row.session_id)
    other_words = there[:2] != (storable(row.name), storable(row.arguments))
    if other_words:
        search.drop(db, "arguments", row.id)
    db.execute(rows.update("tool_calls", rows.TOOL_CALL), (*rows.tool_call_values(row)[1:], row.id))
    if other_words:
        _index(db, row)
    if result is not None:
        _keep_result(db, row, result, preview_chars)


def _index(db: Connection, row: ToolCallRow) -> None:
    search.add(db, "arguments", row.id, row.session_id, f"{row.name} {row.arguments}")


def of_session(db: Connection, session_id: str, turn_id: str | None = None) -> list[ToolCallRow]:
    """`turn_id`: of that turn alone; None: all."""
    found = db.execute(
        f"SELECT {_COLUMNS} FROM tool_calls WHERE session_id = :session"
        " AND (:turn IS NULL OR turn_id = :turn) ORDER BY number",
        {"session": session_id, "turn": turn_id},
    )
    return [rows.tool_call(values) for values in found]


def result(db: Connection, folder: Path | None, tool_call_id: str) -> ToolResult | None:
    """`folder`: where the files of large ones are."""
    found = db.execute(
        "SELECT produced, seen, file, file_bytes FROM tool_results WHERE tool_call_id = ?",
        (tool_call_id,),
    ).fetchone()
    if found is None:
        return None
    kept = KeptResult(*found)
    produced = result_files.read(folder, kept)
    return ToolResult(produced, produced if kept.seen is None else kept.seen)


def _keep_result(db: Connection, row: ToolCallRow, kept: KeptResult, preview_chars: int) -> None:
    search.drop(db, "result", row.id)
    db.execute(
        "INSERT OR REPLACE INTO tool_results (tool_call_id, produced, seen, file, file_bytes) "
        "VALUES (?, ?, ?, ?, ?)",
        (row.id, kept.produced, kept.seen, kept.file, kept.file_bytes),
    )
    if kept.produced:
        most = preview_chars if kept.file is None else min(preview_chars, INLINE_CHARS)
        search.add(db, "result", row.id, row.session_id, kept.produced, most=most)
