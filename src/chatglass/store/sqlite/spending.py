"""What was spent, summed over requests, and what is set aside for those about to be sent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from sqlite3 import Connection

from chatglass.store import holders
from chatglass.store.records import COPIED, Holder, RequestRow
from chatglass.store.sqlite import rows
from chatglass.store.sqlite.missing import session_gone
from chatglass.store.usage_records import Reserved, UsageQuery, UsageRow
from chatglass.values.text import storable

ToolTokens = tuple[tuple[str, int], ...]

_DAY = "date({} / 1000, 'unixepoch', 'localtime')"
_GROUPS = {
    "day": (_DAY.format("r.started_at"), "''", "''"),
    "model": ("r.model", "r.endpoint", "''"),
    "tool": ("t.name", "''", "''"),
    "session": ("r.session_id", "''", "s.title"),
}
"""Name, endpoint and title of a row, by what is summed."""
_SUMS = (
    "count(*), sum(r.cost IS NULL AND r.usage_source IS NOT NULL), "
    "sum(r.usage_source IS NOT NULL AND r.price_source IN ('local', 'demo')), "
    "sum(r.usage_source = 'estimated')"
)
_OF_REQUESTS = (
    "sum(r.prompt_tokens), sum(r.completion_tokens), sum(r.cached_tokens), "
    "sum(r.cache_write_tokens), sum(r.reasoning_tokens), sum(r.cost)"
)
_OF_TOOLS = "sum(t.tokens), 0, 0, 0, 0, sum(t.cost)"
_TOOL_SUMS = (
    "count(*), sum(t.cost IS NULL), sum(r.price_source IN ('local', 'demo')), "
    "sum(r.usage_source = 'estimated')"
)


def usage(db: Connection, query: UsageQuery) -> list[UsageRow]:
    of_tools = query.by == "tool" or query.tool is not None
    name, endpoint, title = _GROUPS[query.by]
    conditions, values = _conditions(query, "r.started_at")
    conditions.append("r.status <> 'running'")
    joins = ""
    if of_tools:
        conditions.append("r.usage_source IS NOT NULL")
        joins += " JOIN request_tools t ON t.request_id = r.id"
        if query.tool is not None:
            conditions.append("t.name = ?")
            values.append(storable(query.tool))
    if query.by == "session":
        joins += " JOIN sessions s ON s.id = r.session_id"
    sums = f"{_TOOL_SUMS}, {_OF_TOOLS}" if of_tools else f"{_SUMS}, {_OF_REQUESTS}"
    found = db.execute(
        f"SELECT {name}, {endpoint}, {title}, {sums} FROM requests r{joins} "
        f"WHERE {' AND '.join(conditions)} GROUP BY 1, 2",
        values,
    )
    summed = [_row(each) for each in found]
    if query.by == "tool":
        summed = _with_calls(db, query, summed)
    return sorted(summed, key=_by_name if query.by == "day" else _dearest_first)


def _conditions(query: UsageQuery, time: str) -> tuple[list[str], list[object]]:
    """Conditions on the requests `r`, the time by the column that is given."""
    wanted: list[tuple[str, object]] = []
    if query.since is not None:
        wanted.append((f"{time} >= ?", query.since))
    if query.until is not None:
        wanted.append((f"{time} < ?", query.until))
    if query.session_id is not None:
        wanted.append(("r.session_id = ?", query.session_id))
    if query.model is not None:
        wanted += [
            ("r.endpoint = ?", storable(query.model[0])),
            ("r.model = ?", storable(query.model[1])),
        ]
    return [condition for condition, _ in wanted], [value for _, value in wanted]


def _row(values: Sequence[object]) -> UsageRow:
    name, endpoint, title, *numbers = values
    counts = [int(number or 0) for number in numbers]  # type: ignore[call-overload]
    return UsageRow(
        name=str(name),
        endpoint=str(endpoint),
        title=str(title),
        requests=counts[0],
        unpriced_requests=counts[1],
        free_requests=counts[2],
        estimated_requests=counts[3],
        prompt_tokens=counts[4],
        completion_tokens=counts[5],
        cached_tokens=counts[6],
        cache_write_tokens=counts[7],
        reasoning_tokens=counts[8],
        cost=rows.dollars(counts[9]),
    )


def _with_calls(db: Connection, query: UsageQuery, summed: list[UsageRow]) -> list[UsageRow]:
    """The same with how often each tool was called, and those whose results were never sent."""
    conditions, values = _conditions(query, "c.proposed_at")
    if query.tool is not None:
        conditions.append("c.name = ?")
        values.append(storable(query.tool))
    # Without these, the index by time alone answers.
    needs_request = query.model is not None
    joins = " JOIN requests r ON r.id = c.request_id" if needs_request else ""
    where = " AND ".join(conditions).replace("r.session_id", "c.session_id")
    found = db.execute(
        f"SELECT c.name, count(*) FROM tool_calls c{joins} "
        f"{f'WHERE {where}' if where else ''} GROUP BY 1",
        values,
    )
    by_name = {row.name: row for row in summed}
    copied = {} if needs_request else _copied_calls(db, where, values)
    for name, count in found:
        if calls := count - copied.get(name, 0):
            by_name[name] = replace(by_name.get(name, UsageRow(name=name)), calls=calls)
    return list(by_name.values())


def _copied_calls(db: Connection, where: str, values: Sequence[object]) -> dict[str, int]:
    """How many of the calls that are meant stand in forks of the sessions that made them."""
    found = db.execute(
        "SELECT c.name, count(*) FROM sessions s JOIN tool_calls c ON c.session_id = s.id "
        f"WHERE s.forked_session IS NOT NULL AND c.request_id = '{COPIED}' "
        f"{f'AND {where}' if where else ''} GROUP BY 1",
        values,
    )
    return dict(found.fetchall())


def _by_name(row: UsageRow) -> str:
    return row.name


def _dearest_first(row: UsageRow) -> tuple[Decimal, int, str, str]:
    return -row.cost, -row.total_tokens, row.name, row.endpoint


# -- the tools of requests


def keep_tools(db: Connection, row: RequestRow) -> None:
    """Keep what the results of each tool were of the request."""
    db.execute("DELETE FROM request_tools WHERE request_id = ?", (row.id,))
    costs = {share.name: share.cost for share in row.tool_shares()}
    db.executemany(
        "INSERT INTO request_tools (request_id, name, tokens, cost) VALUES (?, ?, ?, ?)",
        [
            (row.id, storable(name), tokens, rows.picodollars(costs.get(name)))
            for name, tokens in row.tool_tokens
        ],
    )


def tools_of(db: Connection, request_id: str) -> ToolTokens:
    return tuple(
        db.execute(
            "SELECT name, tokens FROM request_tools WHERE request_id = ? ORDER BY name",
            (request_id,),
        )
    )


def tools_of_session(db: Connection, session_id: str) -> dict[str, ToolTokens]:
    """By the id of the request."""
    found: dict[str, list[tuple[str, int]]] = {}
    for request_id, name, tokens in db.execute(
        "SELECT r.id, t.name, t.tokens FROM requests r JOIN request_tools t ON t.request_id = r.id "
        "WHERE r.session_id = ? ORDER BY t.name",
        (session_id,),
    ):
        found.setdefault(request_id, []).append((name, tokens))
    return {request_id: tuple(tools) for request_id, tools in found.items()}


# -- reservations


def reserve(
    db: Connection,
    session_id: str,
    amount: Decimal,
    *,
    now: int,
    since: int,
    until: int,
    most: Decimal | None,
) -> Reserved:
    if not db.execute("SELECT 1 FROM sessions WHERE id = ?", (session_id,)).fetchone():
        raise session_gone(session_id)
    _end_those_of_the_dead(db)
    (cost,) = db.execute(
        "SELECT sum(cost) FROM requests WHERE started_at >= ? AND started_at < ?", (since, until)
    ).fetchone()
    (others,) = db.execute(
        "SELECT sum(amount) FROM reservations WHERE session_id <> ? AND made_at >= ?",
        (session_id, since),
    ).fetchone()
    spent, reserved = rows.dollars(cost or 0), rows.dollars(others or 0)
    made = most is None or spent + reserved + amount <= most
    if made:
        ours = holders.this_process(now)
        db.execute(
            "INSERT OR REPLACE INTO reservations "
            "(session_id, amount, made_at, pid, started, boot) VALUES (?, ?, ?, ?, ?, ?)",
            (session_id, rows.picodollars(amount), now, ours.pid, ours.started, ours.boot),
        )
    return Reserved(made=made, spent=spent, reserved=reserved)


def end_reservation(db: Connection, session_id: str) -> None:
    db.execute("DELETE FROM reservations WHERE session_id = ?", (session_id,))


def _end_those_of_the_dead(db: Connection) -> None:
    for session_id, pid, started, boot in db.execute(
        "SELECT session_id, pid, started, boot FROM reservations"
    ).fetchall():
        holder = Holder(pid=pid, started=started, boot=boot, claimed_at=0)
        if not holders.is_alive(holder) and not _left_running(db, session_id):
            end_reservation(db, session_id)


def _left_running(db: Connection, session_id: str) -> bool:
    """Whether a request of the session is not over: of a killed process it may have been billed, so that
    what was set aside for it counts until the session is opened and the request estimated."""
    running = "SELECT 1 FROM requests WHERE session_id = ? AND status = 'running'"
    return db.execute(running, (session_id,)).fetchone() is not None
