"""A session with all that is its own: read at once, and added in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from sqlite3 import Connection
from typing import Any

from chatglass.store.protocol import StoreError
from chatglass.store.records import (
    Added,
    CompactionRow,
    MessageRow,
    QueuedPrompt,
    RequestRow,
    SessionRow,
    ToolCallRow,
    WholeSession,
)
from chatglass.store.sqlite import (
    blobs,
    claims,
    messages,
    pending,
    requests,
    result_files,
    rows,
    sessions,
    tool_calls,
)
from chatglass.store.sqlite.result_files import KeptResult
from chatglass.values.text import storable

_AddOne = Callable[[Connection, Any, bool], bool]
"""Gets a row and whether its id is there; says whether it changed something."""

_PREVIEW_CHARS = 65_536
_OPEN_CALLS = frozenset({"proposed", "asking", "approved", "running"})


def read(db: Connection, folder: Path | None, session_id: str) -> WholeSession:
    """`folder`: where the files of large results are."""
    session = sessions.get(db, session_id)
    calls = tool_calls.of_session(db, session_id)
    sent = [
        replace(row, parts=requests.parts(db, row.id))
        for row in requests.of_session(db, session_id)
    ]
    found = db.execute(
        f"SELECT {', '.join(rows.MESSAGE)} FROM messages WHERE session_id = ? ORDER BY number",
        (session_id,),
    )
    return WholeSession(
        session=session,
        messages=tuple(rows.message(values) for values in found),
        requests=tuple(sent),
        tool_calls=tuple(calls),
        results={
            row.id: result
            for row in calls
            if (result := tool_calls.result(db, folder, row.id)) is not None
        },
        compactions=tuple(pending.compactions(db, session_id)),
        queued=tuple(pending.queued_prompts(db, session_id)),
        blobs=_texts(db, sent),
    )


def _texts(db: Connection, sent: Iterable[RequestRow]) -> dict[str, str]:
    """The blobs that requests refer to, in the order in which they do."""
    texts: dict[str, str] = {}
    for digest in dict.fromkeys(digest for row in sent for digest in requests.digests(row)):
        found = db.execute(
            "SELECT text FROM blobs WHERE digest = ?", (bytes.fromhex(digest),)
        ).fetchone()
        if found is not None:
            texts[digest] = found[0]
    return texts


def keep_results(folder: Path | None, whole: WholeSession) -> dict[str, KeptResult]:
    """Write the large results into files; the rows are `add`'s to write. Raises StoreError."""
    return {id_: result_files.keep(folder, id_, each) for id_, each in whole.results.items()}


def add(db: Connection, whole: WholeSession, results: Mapping[str, KeptResult]) -> Added:
    """`results` are those of `whole` as `keep_results` kept them."""
    session_id = whole.session.id
    is_new = db.execute("SELECT 1 FROM sessions WHERE id = ?", (session_id,)).fetchone() is None
    if is_new:
        sessions.create(db, _without_totals(whole.session))
    before = sessions.get(db, session_id)
    # What waits belongs to the moment of the export: a prompt that was sent since stays sent.
    queued = whole.queued if is_new else ()
    added = Added(
        is_new=is_new,
        messages=_each(db, "messages", whole.messages, _add_message),
        requests=_each(db, "requests", whole.requests, _request_adder(whole)),
        tool_calls=_each(db, "tool_calls", whole.tool_calls, _tool_call_adder(results)),
        others=_each(db, "compactions", whole.compactions, _add_compaction)
        + _each(db, "queued_prompts", queued, _add_queued),
    )
    if is_new:
        given = whole.session
        sessions.set_leaf(db, session_id, given.leaf_id)
        sessions.change(
            db,
            session_id,
            "draft = ?, updated_at = ?",
            storable(given.draft), given.updated_at,
        )  # fmt: skip
    elif added:
        _refuse_held(db, session_id)
        _go_on(db, before, whole)
    return added


def _without_totals(row: SessionRow) -> SessionRow:
    return replace(
        row,
        leaf_id=None,
        messages=0,
        requests=0,
        unpriced_requests=0,
        estimated_requests=0,
        tool_calls=0,
        total_tokens=0,
        cost=Decimal(0),
        last_status="complete",
        excerpt="",
    )


def _each(db: Connection, table: str, given: Iterable[Any], add_one: _AddOne) -> int:
    """How many of `given` were new."""
    count = 0
    for row in given:
        owner = db.execute(f"SELECT session_id FROM {table} WHERE id = ?", (row.id,)).fetchone()
        if owner is not None and owner[0] != row.session_id:
            raise StoreError(
                f"Session {row.session_id}: {row.id} of its {table} is in session {owner[0]} "
                "already. Nothing of it was added; the file holds the same id twice, or was edited."
            )
        count += add_one(db, row, owner is not None)
    return count


def _add_message(db: Connection, row: MessageRow, is_there: bool) -> bool:
    if not is_there:
        messages.append(db, row, None)
        return True
    if row.status == "partial" or messages.get(db, row.id).status != "partial":
        return False
    messages.finish(db, row)
    return True


def _request_adder(whole: WholeSession) -> _AddOne:
    def add_request(db: Connection, row: RequestRow, is_there: bool) -> bool:
        if is_there and (row.status == "running" or requests.get(db, row.id).status != "running"):
            return False
        for digest in requests.digests(row):
            _keep_blob(db, whole, digest)
        (requests.finish if is_there else requests.add)(db, row)
        return True

    return add_request


def _keep_blob(db: Connection, whole: WholeSession, digest: str) -> None:
    text = whole.blobs.get(digest)
    if text is None:
        return
    actual = blobs.keep(db, text).hex()
    if actual != digest:
        raise StoreError(
            f"Session {whole.session.id}: the blob {digest} has other bytes than its hash says "
            f"({actual}). The file was changed after it was exported; export it again."
        )


def _tool_call_adder(results: Mapping[str, KeptResult]) -> _AddOne:
    def add_call(db: Connection, row: ToolCallRow, is_there: bool) -> bool:
        result = results.get(row.id)
        if is_there and not _settles(db, row, result):
            return False
        if not is_there:
            tool_calls.add(db, [row])
        if is_there or result is not None:
            tool_calls.change(db, row, result, _PREVIEW_CHARS)
        return True

    return add_call


def _settles(db: Connection, row: ToolCallRow, result: KeptResult | None) -> bool:
    """Whether `row` ends a call that is stored as open."""
    (state,) = db.execute("SELECT state FROM tool_calls WHERE id = ?", (row.id,)).fetchone()
    # `unknown` is also what an import says of a call whose result was not yet in the file.
    is_open = state in _OPEN_CALLS or (state == "unknown" and result is not None)
    return is_open and row.state not in _OPEN_CALLS and row.state != state


def _add_compaction(db: Connection, row: CompactionRow, is_there: bool) -> bool:
    if not is_there:
        pending.add_compaction(db, row)
    return not is_there


def _add_queued(db: Connection, row: QueuedPrompt, is_there: bool) -> bool:
    if not is_there:
        pending.enqueue(db, row)
    return not is_there


def _refuse_held(db: Connection, session_id: str) -> None:
    if holder := claims.other_holder(db, session_id):
        raise StoreError(
            f"Session {session_id} is open in another chatglass (process {holder.pid}), and what is "
            "new in the file was not added. Close it there first."
        )


def _go_on(db: Connection, before: SessionRow, whole: WholeSession) -> None:
    """The leaf, time and title of a session that was there and has grown."""
    leaf = whole.session.leaf_id
    path = messages.path(db, before.id, leaf)
    goes_on = before.leaf_id is None or any(row.id == before.leaf_id for row in path)
    (count,) = db.execute(
        "SELECT count(*) FROM messages WHERE session_id = ?", (before.id,)
    ).fetchone()
    is_all_of_it = count == len(whole.messages)
    follows = leaf is not None and (goes_on or is_all_of_it)
    sessions.set_leaf(db, before.id, leaf if follows else before.leaf_id)
    sessions.change(db, before.id, "updated_at = max(updated_at, ?)", whole.session.updated_at)
    title = whole.session.title
    if title and not before.title_by_user and storable(title) != before.title:
        sessions.rename(db, before.id, title, whole.session.title_by_user)
