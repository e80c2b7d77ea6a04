"""Sums over requests, and what is set aside for those about to be sent.

The figures of the requests that are meant are read from Redis and summed as the SQLite store does,
in a database in memory.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sqlite3
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from chatglass.store.records import COPIED
from chatglass.store.redis import reading
from chatglass.store.redis.errors import refused
from chatglass.store.redis.leases import Leases
from chatglass.store.redis.link import PREFIX, Link
from chatglass.store.redis.rows import SPENT
from chatglass.store.sqlite.rows import dollars, picodollars
from chatglass.store.sqlite.spending import usage as summed
from chatglass.store.usage_records import Reserved, UsageQuery, UsageRow

_SLICE = 1_000
_TABLES = f"""
CREATE TABLE requests ({", ".join(SPENT)});
CREATE TABLE request_tools (request_id, name, tokens, cost);
CREATE TABLE tool_calls (id, session_id, request_id, name, proposed_at);
CREATE TABLE sessions (id, title, forked_session);
"""


async def usage(link: Link, query: UsageQuery) -> list[UsageRow]:
    spent = [json.loads(each) for each in await _noted(link, "spent", query)]
    ran: list[list[Any]] = []
    if query.by == "tool":
        noted = [json.loads(each) for each in await _noted(link, "ran", query)]
        ran = [call for call in noted if call[2] != COPIED]
        if query.model is not None:
            # A call counts with its request, which may have been begun before.
            spent = [json.loads(each) for each in await _requests_of(link, ran, spent)]
    titles: list[tuple[str, str]] = []
    if query.by == "session":
        titles = await _titles(link, dict.fromkeys(str(each[4]) for each in spent))
    return await asyncio.to_thread(_sum, query, spent, ran, titles)


async def _noted(link: Link, what: str, query: UsageQuery) -> list[bytes]:
    """What is noted of the requests (`spent`) or calls (`ran`) of that session or time."""
    if query.session_id is not None:
        return await link.command("HVALS", f"{PREFIX}{what}:{query.session_id}")
    since = "-inf" if query.since is None else query.since
    until = "+inf" if query.until is None else f"({query.until}"
    members = await link.command("ZRANGEBYSCORE", f"{PREFIX}{what}_at", since, until)
    return await _of_members(link, what, members)


async def _of_members(link: Link, what: str, members: list[bytes]) -> list[bytes]:
    found: list[bytes] = []
    for first in range(0, len(members), _SLICE):
        (notes,) = await reading.ask(link, "noted", what, *members[first : first + _SLICE])
        found += (note for note in notes if note is not None)
    return found


async def _requests_of(link: Link, ran: list[list[Any]], spent: list[list[Any]]) -> list[bytes]:
    known = {str(each[3]): json.dumps(each).encode() for each in spent}
    missing = dict.fromkeys(f"{call[1]}\n{call[2]}" for call in ran if call[2] not in known)
    return [*known.values(), *await _of_members(link, "spent", [each.encode() for each in missing])]


async def _titles(link: Link, session_ids: Iterable[str]) -> list[tuple[str, str]]:
    ids = list(session_ids)
    found: list[tuple[str, str]] = []
    for first in range(0, len(ids), _SLICE):
        part = ids[first : first + _SLICE]
        (titles,) = await reading.ask(link, "titles", *part)
        pairs = zip(part, titles, strict=True)
        found += ((id_, title.decode()) for id_, title in pairs if title is not None)
    return found


def _sum(
    query: UsageQuery, spent: list[list[Any]], ran: list[list[Any]], titles: list[tuple[str, str]]
) -> list[UsageRow]:
    marks = ", ".join("?" * len(SPENT))
    with contextlib.closing(sqlite3.connect(":memory:")) as db:
        db.executescript(_TABLES)
        db.executemany(f"INSERT INTO requests VALUES ({marks})", (each[3:-1] for each in spent))
        db.executemany(
            "INSERT INTO request_tools VALUES (?, ?, ?, ?)",
            ((each[3], *tool) for each in spent for tool in each[-1]),
        )
        db.execute("CREATE INDEX tools_by_request ON request_tools (request_id)")
        db.execute("CREATE INDEX requests_by_id ON requests (id)")
        db.executemany("INSERT INTO tool_calls VALUES (?, ?, ?, ?, ?)", ran)
        db.executemany("INSERT INTO sessions VALUES (?, ?, NULL)", titles)
        return summed(db, query)


async def reserve(
    leases: Leases,
    session_id: str,
    amount: Decimal,
    *,
    now: int,
    since: int,
    until: int,
    most: Decimal | None,
) -> Reserved:
    answer = await leases.reserve(
        session_id,
        str(picodollars(amount)),
        now,
        since,
        until,
        "" if most is None else str(picodollars(most)),
    )
    if len(answer) < 3:
        error = refused(answer)
        assert error is not None
        raise error
    made, spent, reserved = (each.decode() for each in answer)
    return Reserved(made=made == "1", spent=dollars(int(spent)), reserved=dollars(int(reserved)))
