"""What is read from Redis, as rows."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from chatglass.store.protocol import SessionGone
from chatglass.store.records import (
    CompactionRow,
    MessageRow,
    QueuedPrompt,
    RequestRow,
    SessionRow,
    ToolCallRow,
    ToolResult,
    WholeSession,
)
from chatglass.store.redis import rows
from chatglass.store.redis.errors import missing_blob, refused
from chatglass.store.redis.link import PREFIX, Link
from chatglass.store.search_records import MessageExcerpt
from chatglass.store.search_words import search_words
from chatglass.store.sqlite.excerpts import CALLS, READ, Extent, excerpt
from chatglass.store.sqlite.messages import plain_text
from chatglass.store.sqlite.missing import request_gone, session_gone
from chatglass.store.sqlite.requests import digests


async def ask(link: Link, what: str, *args: bytes | str | int) -> list[Any]:
    """The answer of the reading script. Raises the StoreError that it is."""
    answer: list[Any] = await link.read(what, *args)
    if answer[0] == b"missing":
        error = refused(answer[1:])
        assert error is not None
        raise error
    return answer


# -- sessions


async def session(link: Link, session_id: str) -> SessionRow:
    values = await link.command("HMGET", f"{PREFIX}session:{session_id}", "hidden", *rows.SESSION)
    hidden, *fields = values
    if hidden != b"0":
        raise session_gone(session_id)
    return rows.decode_session([each.decode() if each else "" for each in fields])


async def session_ids(link: Link, most: int = 0) -> list[str]:
    """All, or the first so many, newest first."""
    found = await link.command("ZREVRANGE", f"{PREFIX}sessions", 0, most - 1)
    return [each.decode() for each in found]


async def find(link: Link, prefix: str) -> SessionRow:
    wanted = prefix.strip().upper()
    ids: list[str] = []
    if wanted:
        ids = [
            id_
            for id_ in await session_ids(link)
            if id_.upper().startswith(wanted) or id_.upper().endswith(wanted)
        ]
    if len(ids) > 1:
        exact = [id_ for id_ in ids if id_.upper() == wanted]
        if not exact:
            raise SessionGone(
                f"{len(ids)} sessions begin or end with {prefix!r}: {', '.join(ids[:3])}"
                f"{', …' if len(ids) > 3 else ''}. Give more of the id."
            )
        ids = exact
    if not ids:
        raise SessionGone(
            f"No session begins or ends with {prefix!r}. `chatglass sessions` lists them all."
        )
    return await session(link, ids[0])


# -- messages


async def path(link: Link, session_id: str, leaf_id: str | None) -> list[MessageRow]:
    found, checkpoints = await ask(link, "path", session_id, leaf_id or "")
    return rows.messages(found, checkpoints)


async def siblings(link: Link, message_id: str) -> list[str]:
    (found,) = await ask(link, "siblings", message_id)
    return [each.decode() for each in found]


async def forks(link: Link, session_id: str) -> dict[str | None, list[str]]:
    (flat,) = await ask(link, "forks", session_id)
    return {
        parent.decode() or None: [child.decode() for child in children]
        for parent, children in zip(flat[::2], flat[1::2], strict=True)
    }


async def leaf_below(link: Link, message_id: str) -> str:
    (found,) = await ask(link, "leaf_below", message_id)
    return found.decode()


async def excerpts(
    link: Link, session_id: str, around: str, text: str, extent: Extent
) -> list[MessageExcerpt]:
    found, checkpoints = await ask(link, "around", session_id, around, extent.before, extent.after)
    words = search_words(text)
    pattern = None if words.reach == "nothing" else words.pattern
    return [
        excerpt(_previewed(row), pattern, extent.chars) for row in rows.messages(found, checkpoints)
    ]


def _previewed(row: MessageRow) -> tuple[object, ...]:
    """What `excerpt` takes of a row."""
    plain = plain_text(row)
    return (
        row.id, row.role, row.created_at, row.status, row.tool_name,
        row.tool_calls[:CALLS] if row.tool_calls else None,
        plain[:READ], len(plain) > READ,
    )  # fmt: skip


# -- requests and tool calls


async def blob(link: Link, digest: str) -> str:
    found: bytes | None = await link.command("GET", f"{PREFIX}blob:{digest}")
    if found is None:
        raise missing_blob(digest)
    return found.decode()


async def requests(link: Link, session_id: str) -> list[RequestRow]:
    found = await link.command("HVALS", f"{PREFIX}requests:{session_id}")
    return [rows.decode_request(each) for each in rows.numbered(found)]


async def request_parts(link: Link, request_id: str) -> tuple[tuple[str, str], ...]:
    owner: bytes | None = await link.command("HGET", f"{PREFIX}owners", f"r{request_id}")
    kept: bytes | None = None
    if owner is not None:
        kept = await link.command("HGET", f"{PREFIX}parts:{owner.decode()}", request_id)
    if kept is None:
        raise request_gone(request_id)
    chunks, tail = json.loads(kept)
    texts = [await blob(link, digest) for digest in chunks]
    return _parts(texts, tail)


def _parts(texts: Iterable[str], tail: list[list[str]]) -> tuple[tuple[str, str], ...]:
    chunks: list[list[list[str]]] = [*(json.loads(text) for text in texts), tail]
    return tuple((kind, ref) for chunk in chunks for kind, ref in chunk)


async def tool_calls(link: Link, session_id: str, turn_id: str | None) -> list[ToolCallRow]:
    """`turn_id`: of that turn alone; None: all."""
    found = await link.command("HVALS", f"{PREFIX}calls:{session_id}")
    calls = [rows.decode(ToolCallRow, each) for each in rows.numbered(found)]
    return [call for call in calls if turn_id in (None, call.turn_id)]


async def tool_result(link: Link, tool_call_id: str) -> ToolResult | None:
    return _result(
        *await link.command("HMGET", f"{PREFIX}result:{tool_call_id}", "produced", "seen")
    )


def _result(produced: bytes | None, seen: bytes | None) -> ToolResult | None:
    if produced is None:
        return None
    text = produced.decode()
    return ToolResult(text, text if seen is None else seen.decode())


# -- compactions, queue


async def compactions(link: Link, session_id: str) -> list[CompactionRow]:
    found = await link.command("LRANGE", f"{PREFIX}compactions:{session_id}", 0, -1)
    return [rows.decode(CompactionRow, each) for each in found]


async def queued_prompts(link: Link, session_id: str) -> list[QueuedPrompt]:
    return _queued(await link.command("HVALS", f"{PREFIX}queue:{session_id}"))


def _queued(found: Iterable[bytes]) -> list[QueuedPrompt]:
    return sorted((rows.decode(QueuedPrompt, each) for each in found), key=lambda row: row.id)


# -- more at once


async def whole(
    link: Link, session_id: str, writer: str, *, with_results: bool
) -> tuple[WholeSession, int]:
    """The session on one state of the store, and the number of `writer`'s last write in it."""
    answer = await ask(
        link, "whole", session_id, writer, "1" if with_results else "0", *rows.SESSION
    )
    (
        fields, messages, parents, checkpoints, sent, parts, calls, results, compacted, queued,
        hashes, texts, number,
    ) = answer  # fmt: skip
    blobs = {
        digest.decode(): text.decode()
        for digest, text in zip(hashes, texts, strict=True)
        if text is not None
    }
    numbers = {id_: int(each.split(b":", 1)[0]) for id_, each in rows.pairs(parents).items()}
    by_id = rows.pairs(messages)
    in_order = [by_id[id_] for id_ in sorted(by_id, key=numbers.__getitem__)]
    made = tuple(_with_parts(rows.numbered(sent), rows.pairs(parts), blobs))
    named = dict.fromkeys(digest for row in made for digest in digests(row))
    pairs = zip(results[::2], results[1::2], strict=True)
    kept = {id_.decode(): result for id_, each in pairs if (result := _result(*each)) is not None}
    session_row = rows.decode_session([each.decode() if each else "" for each in fields])
    read = WholeSession(
        session=session_row,
        messages=tuple(rows.messages(b"[" + b",".join(in_order) + b"]", checkpoints)),
        requests=made,
        tool_calls=tuple(rows.decode(ToolCallRow, each) for each in rows.numbered(calls)),
        results=kept,
        compactions=tuple(rows.decode(CompactionRow, each) for each in compacted),
        queued=tuple(_queued(queued)),
        blobs={digest: blobs[digest] for digest in named if digest in blobs},
    )
    return read, int(number)


def _with_parts(
    sent: Iterable[bytes], parts: dict[bytes, bytes], blobs: dict[str, str]
) -> Iterable[RequestRow]:
    for each in sent:
        row = rows.decode_request(each)
        chunks, tail = json.loads(parts[row.id.encode()])
        yield replace(row, parts=_parts((blobs[digest] for digest in chunks), tail))


async def open_rows(
    link: Link, session_id: str
) -> tuple[list[MessageRow], list[RequestRow], list[ToolCallRow]]:
    """What is not settled: messages with their text so far, requests, tool calls."""
    messages, checkpoints, sent, calls = await ask(link, "open", session_id)
    return (
        rows.messages(messages, checkpoints),
        [rows.decode_request(each) for each in rows.numbered(sent)],
        [rows.decode(ToolCallRow, each) for each in rows.numbered(calls)],
    )


async def owners(link: Link, named: Sequence[str]) -> dict[str, str]:
    """By kind and id (`m…`, `r…`, `c…`, `x…`, `q…`): the session of those that are there."""
    found: dict[str, str] = {}
    for first in range(0, len(named), 1000):
        part = named[first : first + 1000]
        (ids,) = await ask(link, "owners", *part)
        found |= {
            name: id_.decode() for name, id_ in zip(part, ids, strict=True) if id_ is not None
        }
    return found


async def sessions_using(link: Link, kind: str, name: str) -> frozenset[str]:
    wanted = rows.folded(name)
    names: list[bytes] = await link.command("SMEMBERS", f"{PREFIX}names:{kind}")
    keys = [
        f"{PREFIX}using:{kind}:{each.decode()}"
        for each in names
        if wanted in each.decode().casefold()
    ]
    found: list[bytes] = await link.command("SUNION", *keys) if keys else []
    return frozenset(id_.decode() for id_ in found)
