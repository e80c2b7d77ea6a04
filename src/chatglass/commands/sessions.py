"""`chatglass sessions`: the saved sessions for scripts."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from chatglass.commands.opening import named, opened
from chatglass.commands.printing import emit, emit_json, note
from chatglass.spending.report import cost_of_session
from chatglass.store.protocol import SessionStore
from chatglass.store.records import SessionQuery, SessionRow, WholeSession
from chatglass.transfer import words
from chatglass.values.text import one_line

_EVERY = 2**31


async def run_sessions(found: argparse.Namespace) -> int:
    async with opened(found.data_dir) as store:
        match found.action:
            case "list":
                return await _list(store, found)
            case "search":
                return await _search(store, found)
            case "show":
                return await _show(store, found)
            case "rename":
                return await _rename(store, found)
            case _:
                return await _remove(store, found)


async def _list(store: SessionStore, found: argparse.Namespace) -> int:
    rows = await store.list_sessions(
        SessionQuery(
            root=str(Path.cwd()) if found.here else None,
            include_archived=found.archived,
            limit=found.limit or _EVERY,
        )
    )
    if found.json:
        emit_json([as_json(row) for row in rows])
        return 0
    for row in rows:
        emit(_line(row) + "\n")
    return 0


def _line(row: SessionRow) -> str:
    """Id, time, size, cost, model and title, so wide that they stand below each other."""
    facts = f"{row.messages:>6,} msg {row.tool_calls:>5,} tools {cost_of_session(row):>10}"
    model = one_line(row.model or "—", 24)
    mark = "*" if row.pinned else " "
    title = one_line(words.title_of(row), 80)
    return f"{row.id}  {words.time_of(row.updated_at):16} {facts}  {model:24} {mark}{title}"


async def _search(store: SessionStore, found: argparse.Namespace) -> int:
    hits = await store.search(" ".join(found.text), found.limit)
    titles: dict[str, str] = {}
    for hit in hits:
        if hit.session_id not in titles:
            titles[hit.session_id] = words.title_of(await store.get_session(hit.session_id))
    if found.json:
        emit_json(
            [
                {
                    "session_id": hit.session_id,
                    "title": titles[hit.session_id],
                    "message_id": hit.message_id or None,
                    "kind": hit.kind,
                    "line": hit.line,
                }
                for hit in hits
            ]
        )
        return 0
    for hit in hits:
        emit(
            f"{hit.session_id}  {one_line(titles[hit.session_id], 30):30} {hit.kind:7} {hit.line}\n"
        )
    return 0


async def _show(store: SessionStore, found: argparse.Namespace) -> int:
    (row,) = await named(store, [found.id])
    whole = await store.whole_session(row.id)
    if found.json:
        emit_json(_whole_as_json(whole))
        return 0
    from chatglass.transfer.markdown import text

    for piece in text(whole):
        emit(piece)
    return 0


async def _rename(store: SessionStore, found: argparse.Namespace) -> int:
    (row,) = await named(store, [found.id])
    await store.rename_session(row.id, found.title, by_user=True)
    if found.json:
        emit_json(as_json(await store.get_session(row.id)))
    else:
        note(f"Session {row.id} is now {found.title!r}.")
    return 0


async def _remove(store: SessionStore, found: argparse.Namespace) -> int:
    rows = await named(store, found.ids)
    asks = sys.stdin.isatty() and sys.stderr.isatty() and not found.yes and not found.json
    if asks and not _agreed(rows):
        note("Nothing was deleted.")
        return 1
    for row in rows:
        await store.delete_session(row.id)
        if not found.json:
            note(f"Deleted {row.id} ({one_line(words.title_of(row), 60)}).")
    if found.json:
        emit_json({"deleted": [row.id for row in rows]})
    return 0


def _agreed(rows: list[SessionRow]) -> bool:
    for row in rows:
        note(_line(row))
    what = "this session" if len(rows) == 1 else f"these {len(rows)} sessions"
    sys.stderr.write(f"Delete {what} for good? [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def as_json(row: SessionRow) -> dict[str, Any]:
    """A session for scripts. Times are milliseconds since the epoch; `cost_usd` is text, since a
    float can't hold it, and what `unpriced_requests` cost is not in it."""
    return {
        "id": row.id,
        "title": row.title,
        "root": row.root,
        "endpoint": row.endpoint,
        "model": row.model,
        "created_at": row.created_at,
        "updated_at": row.updated_at,
        "pinned": row.pinned,
        "archived": row.archived,
        "tags": list(row.tags),
        "forked_from": list(row.forked_from) if row.forked_from else None,
        "messages": row.messages,
        "requests": row.requests,
        "unpriced_requests": row.unpriced_requests,
        "tool_calls": row.tool_calls,
        "total_tokens": row.total_tokens,
        "cost_usd": format(row.cost, "f"),
        "last_status": row.last_status,
        "excerpt": row.excerpt,
    }


def _whole_as_json(whole: WholeSession) -> dict[str, Any]:
    from chatglass.transfer.content import content_of
    from chatglass.transfer.shown import shown_path

    results = whole.results
    return {
        **as_json(whole.session),
        "path": [
            {
                "id": row.id,
                "role": row.role,
                "text": content_of(row).text,
                "attachments": [each.label for each in content_of(row).attached],
                "reasoning": row.reasoning,
                "status": row.status,
                "model": row.model,
                "created_at": row.created_at,
                "tool_call_id": row.tool_call_id,
                "error": row.error,
                "tool_calls": [
                    {
                        "id": call.call_id,
                        "name": call.name,
                        "arguments": call.edited_arguments or call.arguments,
                        "status": call.state,
                        "duration_ms": call.duration_ms,
                        "result": results[call.id].seen if call.id in results else None,
                    }
                    for call in whole.tool_calls
                    if call.message_id == row.id
                ],
            }
            for row in shown_path(whole)
        ],
    }
