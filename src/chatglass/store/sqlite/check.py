"""Whether a store is sound: the file, its references, the search index, and what the rows say."""

from __future__ import annotations

import contextlib
import hashlib
import json
import sqlite3
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from chatglass.store.holders import is_alive
from chatglass.store.protocol import StoreError
from chatglass.store.records import Holder
from chatglass.store.sqlite import functions, requests, result_files, rows, sizes
from chatglass.store.sqlite.copying import copy_to
from chatglass.store.sqlite.errors import BUSY_SECONDS, explain
from chatglass.store.sqlite.files import refuse_foreign, uri
from chatglass.store.sqlite.schema import APPLICATION_ID, MIGRATIONS

_MOST = 100
"""Faults of one kind that are told."""


@dataclass(slots=True)
class CheckReport:
    """What was found, as sentences."""

    faults: list[str] = field(default_factory=list[str])
    """What is wrong and should not be."""
    notes: list[str] = field(default_factory=list[str])
    """What is unusual but harmless."""
    counts: dict[str, int] = field(default_factory=dict[str, int])
    """Rows of each kind, the bytes of the file, and the files of large results and their bytes."""


def check(path: Path) -> CheckReport:
    """Look through the store; nothing in it is changed.

    Reads all of it. Raises StoreError where it is no store of this version, or can't be read.
    """
    if not path.exists():
        raise StoreError(f"{path}: there is no store yet.")
    refuse_foreign(path, MIGRATIONS[-1].version)
    report = CheckReport()
    try:
        with contextlib.closing(_connect(path, "ro")) as db:
            db.execute("BEGIN")
            _check_file(db, report)
            if not report.faults:
                if not _is_current(db, report):
                    return report
                _check_rows(db, report)
                _check_results(db, path, report)
                report.counts["index_bytes"] = sizes.of_store(db).search
                in_use = _is_in_use(db)
                db.execute("ROLLBACK")
                _check_index(path, report, in_use=in_use)
    except sqlite3.Error as error:
        raise explain(error, path) from error
    report.counts["bytes"] = path.stat().st_size
    return report


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    db = sqlite3.connect(uri(path, mode), uri=True, isolation_level=None, timeout=BUSY_SECONDS)
    functions.define(db)
    return db


def _check_file(db: sqlite3.Connection, report: CheckReport) -> None:
    for (said,) in db.execute(f"PRAGMA integrity_check({_MOST})"):
        if said != "ok":
            report.faults.append(f"the file: {said}")
    for table, rowid, parent, _ in db.execute("PRAGMA foreign_key_check"):
        report.faults.append(f"row {rowid} of {table} refers to a row of {parent} that is missing")


def _is_current(db: sqlite3.Connection, report: CheckReport) -> bool:
    (version,) = db.execute("PRAGMA user_version").fetchone()
    (application,) = db.execute("PRAGMA application_id").fetchone()
    newest = MIGRATIONS[-1].version
    if application == APPLICATION_ID and version == newest:
        return True
    report.notes.append(
        f"the store is of version {version}, and {newest} is the newest: only the file itself was "
        "checked. chatglass upgrades it, after a backup, when it next opens it."
    )
    return False


def _check_rows(db: sqlite3.Connection, report: CheckReport) -> None:
    for name in ("sessions", "messages", "requests", "tool_calls", "blobs"):
        (report.counts[name],) = db.execute(f"SELECT count(*) FROM {name}").fetchone()
    for what, sql in _QUERIES:
        for number, values in enumerate(db.execute(sql)):
            if number == _MOST:
                report.faults.append("… and more of these")
                break
            report.faults.append(what.format(*values))
    _check_blobs(db, report)
    _check_json(db, report)


_QUERIES = (
    (
        "session {}: the end of its shown path, {}, is none of its messages",
        "SELECT s.id, s.leaf_id FROM sessions s LEFT JOIN messages m "
        "ON m.id = s.leaf_id AND m.session_id = s.id WHERE s.leaf_id IS NOT NULL AND m.id IS NULL",
    ),
    (
        "message {}: what it follows, {}, was written after it or is in another session",
        "SELECT m.id, p.id FROM messages m JOIN messages p ON p.id = m.parent_id "
        "WHERE p.number >= m.number OR p.session_id <> m.session_id",
    ),
    (
        "session {}: it counts {} {}, and has {}",
        "SELECT id, messages, 'messages', (SELECT count(*) FROM messages m "
        "WHERE m.session_id = s.id) AS there FROM sessions s WHERE messages <> there "
        "UNION ALL SELECT id, requests, 'requests', (SELECT count(*) FROM requests r "
        "WHERE r.session_id = s.id) AS there FROM sessions s WHERE requests <> there "
        "UNION ALL SELECT id, tool_calls, 'tool calls', (SELECT count(*) FROM tool_calls t "
        "WHERE t.session_id = s.id) AS there FROM sessions s WHERE tool_calls <> there",
    ),
    (
        "session {}: it says {} tokens and a cost of {} (1e-12 USD), and its requests {} and {}",
        "SELECT s.id, s.total_tokens, s.cost, ifnull(r.tokens, 0), ifnull(r.cost, 0) FROM sessions s "
        "LEFT JOIN (SELECT session_id, sum(ifnull(prompt_tokens, 0) + ifnull(completion_tokens, 0)) "
        "AS tokens, sum(ifnull(cost, 0)) AS cost FROM requests GROUP BY session_id) r "
        "ON r.session_id = s.id "
        "WHERE s.total_tokens <> ifnull(r.tokens, 0) OR s.cost <> ifnull(r.cost, 0)",
    ),
    (
        "tool call {}: its message {} is not in the store",
        "SELECT t.id, t.message_id FROM tool_calls t LEFT JOIN messages m ON m.id = t.message_id "
        "WHERE m.id IS NULL",
    ),
    (
        "the search index: {} {} is not in it",
        "SELECT 'message', m.id FROM messages m LEFT JOIN search_rows x "
        "ON x.ref = m.id AND x.kind = 'message' WHERE m.status <> 'partial' AND m.role <> 'tool' AND x.id IS NULL "
        "UNION ALL SELECT 'the title of session', s.id FROM sessions s LEFT JOIN search_rows x "
        "ON x.ref = s.id AND x.kind = 'title' WHERE s.title <> '' AND x.id IS NULL "
        "UNION ALL SELECT 'tool call', t.id FROM tool_calls t LEFT JOIN search_rows x "
        "ON x.ref = t.id AND x.kind = 'arguments' WHERE x.id IS NULL",
    ),
)


def _check_blobs(db: sqlite3.Connection, report: CheckReport) -> None:
    there: set[str] = set()
    for digest, text in db.execute("SELECT digest, text FROM blobs"):
        there.add(digest.hex())
        if hashlib.sha256(text.encode()).digest() != digest:
            report.faults.append(f"blob {digest.hex()}: its text is not what its hash says")
    for (request_id,) in db.execute("SELECT id FROM requests").fetchall():
        try:
            row = requests.get(db, request_id)
            named = requests.digests(row)
            named += [ref for kind, ref in requests.parts(db, request_id) if kind == "blob"]
        except (StoreError, ValueError) as error:
            report.faults.append(f"request {request_id}: what it sent can't be read ({error})")
            continue
        for digest in named:
            if digest not in there:
                report.faults.append(f"request {request_id}: its blob {digest} is missing")


def _check_results(db: sqlite3.Connection, path: Path, report: CheckReport) -> None:
    folder = result_files.folder_of(path)
    found = db.execute(
        "SELECT tool_call_id, file, file_bytes FROM tool_results WHERE file IS NOT NULL"
    )
    report.counts["result_files"] = report.counts["result_bytes"] = 0
    for id_, name, size in found:
        report.counts["result_files"] += 1
        report.counts["result_bytes"] += size
        if fault := result_files.fault(folder, id_, name, size):
            report.faults.append(f"tool call {id_}: its result {fault}")
    if unneeded := result_files.orphans(db, folder):
        report.notes.append(
            f"{len(unneeded)} files in {folder} belong to no session. "
            "chatglass removes them when it next opens the store."
        )


def _check_json(db: sqlite3.Connection, report: CheckReport) -> None:
    """The JSON within rows, which opening a session reads."""
    for values in db.execute(f"SELECT {', '.join(rows.SESSION)} FROM sessions"):
        try:
            rows.session(values)
        except (ValueError, TypeError) as error:
            report.faults.append(f"session {values[0]}: can't be read ({error})")
    found = db.execute(
        "SELECT id, content, content_is_json, tool_calls FROM messages "
        "WHERE content_is_json OR tool_calls IS NOT NULL"
    )
    for id_, content, content_is_json, tool_calls in found:
        for is_there, text in ((content_is_json, content), (tool_calls is not None, tool_calls)):
            if is_there and not _is_array(text):
                report.faults.append(f"message {id_}: the JSON within it can't be read")


def _is_array(text: str) -> bool:
    try:
        found: Any = json.loads(text)
    except (ValueError, RecursionError):
        return False
    return isinstance(found, list) and all(
        isinstance(each, dict) for each in cast(list[Any], found)
    )


def _is_in_use(db: sqlite3.Connection) -> bool:
    """Whether a process runs a session now."""
    found = db.execute("SELECT pid, started, boot, claimed_at FROM holders")
    holders = [
        Holder(pid=pid, started=started, boot=boot, claimed_at=at)
        for pid, started, boot, at in found
    ]
    return any(is_alive(holder) for holder in holders)


def _check_index(path: Path, report: CheckReport, *, in_use: bool) -> None:
    """FTS5's own check. It takes the write lock though it writes nothing, so that a store that is
    in use is checked in a copy."""
    with contextlib.ExitStack() as stack:
        if in_use:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=path.parent)))
            try:
                copy_to(path, folder / path.name)
            except sqlite3.Error as error:
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_FULL:
                    raise
                report.notes.append(
                    "the search index was not checked: the store is in use, and there is no room "
                    "beside it for the copy that would be checked instead."
                )
                return
            path = folder / path.name
        db = stack.enter_context(contextlib.closing(_connect(path, "rw")))
        db.execute("BEGIN IMMEDIATE")
        try:
            db.execute("INSERT INTO search (search, rank) VALUES ('integrity-check', 1)")
            db.execute("INSERT INTO search_pairs (search_pairs) VALUES ('integrity-check')")
        except sqlite3.DatabaseError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_CORRUPT:
                raise
            report.faults.append("the search index does not fit the texts that it is over")
        finally:
            db.execute("ROLLBACK")


def lists(path: Path) -> Iterator[tuple[str, list[list[dict[str, Any]]]]]:
    """For each session its message lists, one for each end of a branch, as far as their validity
    goes: role, ids of tool calls, and whether there is content. Raises StoreError."""
    try:
        with contextlib.closing(_connect(path, "ro")) as db:
            for (session_id,) in db.execute("SELECT id FROM sessions ORDER BY id").fetchall():
                yield session_id, _lists_of(db, session_id)
    except sqlite3.Error as error:
        raise explain(error, path) from error


def _lists_of(db: sqlite3.Connection, session_id: str) -> list[list[dict[str, Any]]]:
    found: dict[str, tuple[str | None, dict[str, Any]]] = {}
    ends: dict[str, None] = {}
    for id_, parent, role, calls, call_id, has_content in db.execute(
        "SELECT id, parent_id, role, tool_calls, tool_call_id, content <> '' FROM messages "
        "WHERE session_id = ? ORDER BY number",
        (session_id,),
    ):
        message: dict[str, Any] = {"role": role, "content": "…" if has_content else ""}
        if calls is not None:
            message["tool_calls"] = json.loads(calls)
        if role == "tool":
            message["tool_call_id"] = call_id
        found[id_] = (parent, message)
        ends.pop(parent or "", None)
        ends[id_] = None
    return [_list_to(end, found) for end in ends]


def _list_to(
    end: str | None, found: dict[str, tuple[str | None, dict[str, Any]]]
) -> list[dict[str, Any]]:
    messages: list[dict[str, Any]] = []
    while end is not None and end in found:
        end, message = found[end]
        messages.append(message)
    messages.reverse()
    return messages
