"""Between the rows of the tables and the values of `store.records`.

A column is named as its field, and each `..._values` gives the values of its columns in order.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, fields
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

from chatglass.store.protocol import StoreError
from chatglass.store.records import (
    CompactionRow,
    MessageRow,
    Parameters,
    QueuedPrompt,
    RequestRow,
    SessionRow,
    ToolCallRow,
)
from chatglass.values.text import storable
from chatglass.values.usage import Usage

Values = tuple[Any, ...]

_DEFAULTS = Parameters()
_FREE = Decimal(0)
_PICO = Decimal("1e12")
_MOST_DOLLARS = 9_000_000
"""What 1e-12 USD in 64 bits can hold."""


def _columns(record: type[Any], *without: str) -> tuple[str, ...]:
    return tuple(field.name for field in fields(record) if field.name not in without)


def _values(row: object, columns: Sequence[str]) -> Values:
    values = (getattr(row, column) for column in columns)
    return tuple(storable(value) if isinstance(value, str) else value for value in values)


def insert(table: str, columns: Sequence[str]) -> str:
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"


def update(table: str, columns: Sequence[str]) -> str:
    """All but the first column, the id, which is the last parameter."""
    changes = ", ".join(f"{column} = ?" for column in columns[1:])
    return f"UPDATE {table} SET {changes} WHERE {columns[0]} = ?"


def picodollars(cost: Decimal | None) -> int | None:
    """`cost` in 1e-12 USD. StoreError where it is no sum that can be kept."""
    if cost is None:
        return None
    if not cost.is_finite() or abs(cost) >= _MOST_DOLLARS:
        raise StoreError(f"A cost of {cost} USD can't be kept. Check the price of the model.")
    return int((cost * _PICO).to_integral_value(ROUND_HALF_EVEN))


def dollars(cost: int) -> Decimal:
    """The exact sum, without idle zeros, and without an exponent where it is whole."""
    return Decimal(cost).scaleb(-12).normalize() + _FREE if cost else _FREE


_SESSION = _columns(SessionRow, "parameters", "tags", "forked_from", "cost")
SESSION = (*_SESSION, "parameters", "tags", "cost", "forked_session", "forked_message")


def tags_json(tags: Sequence[str]) -> str:
    return json.dumps([storable(tag) for tag in tags])


def session_values(row: SessionRow) -> Values:
    return (
        *_values(row, _SESSION),
        parameters_json(row.parameters),
        tags_json(row.tags),
        picodollars(row.cost),
        *(row.forked_from or (None, None)),
    )


def session_in_part(values: Values) -> SessionRow:
    """`session`, or where what is within the row can't be read, the row without that: a damaged
    session must not hide the others."""
    try:
        return session(values)
    except (ValueError, TypeError, ArithmeticError):
        unread = {"parameters": "{}", "tags": "[]", "cost": 0}
        given = dict(zip(SESSION, values, strict=True))
        return session(tuple((given | unread).values()))


def session(values: Values) -> SessionRow:
    # Thousands are listed at once: by name this takes half of what a dict in between does.
    (
        id_, title, root, endpoint, model, created_at, updated_at, title_by_user, leaf_id, draft,
        pinned, archived, messages, requests, unpriced_requests, estimated_requests, tool_calls,
        total_tokens, last_status, excerpt, parameters, tags, cost, forked_session, forked_message,
    ) = values  # fmt: skip
    return SessionRow(
        id=id_,
        title=title,
        root=root,
        endpoint=endpoint,
        model=model,
        created_at=created_at,
        updated_at=updated_at,
        title_by_user=bool(title_by_user),
        leaf_id=leaf_id,
        parameters=_DEFAULTS if parameters == "{}" else Parameters(**json.loads(parameters)),
        draft=draft,
        pinned=bool(pinned),
        archived=bool(archived),
        tags=() if tags == "[]" else tuple(json.loads(tags)),
        forked_from=(forked_session, forked_message) if forked_session else None,
        messages=messages,
        requests=requests,
        unpriced_requests=unpriced_requests,
        estimated_requests=estimated_requests,
        tool_calls=tool_calls,
        total_tokens=total_tokens,
        cost=dollars(cost),
        last_status=last_status,
        excerpt=excerpt,
    )


def parameters_json(parameters: Parameters) -> str:
    """What differs from the defaults."""
    given = {name: value for name, value in asdict(parameters).items() if value is not None}
    return storable(json.dumps(given, ensure_ascii=False))


MESSAGE = _columns(MessageRow)


def message_values(row: MessageRow) -> Values:
    return _values(row, MESSAGE)


_REPEATED = tuple(
    MESSAGE.index(column)
    for column in (
        "id",
        "session_id",
        "parent_id",
        "turn_id",
        "role",
        "status",
        "endpoint",
        "model",
    )
)


def path(found: Iterable[Values]) -> list[MessageRow]:
    """The messages of a path. Ids, roles and models that come again in it are one string each: for
    each row a string of its own is a third of the memory of a long session."""
    known: dict[str, str] = {}
    once = known.setdefault
    messages: list[MessageRow] = []
    for values in found:
        shared = list(values)
        for place in _REPEATED:
            value = shared[place]
            if value is not None:
                shared[place] = once(value, value)
        messages.append(message(tuple(shared)))
    return messages


def message(values: Values) -> MessageRow:
    row = dict(zip(MESSAGE, values, strict=True))
    row["content_is_json"] = bool(row["content_is_json"])
    return MessageRow(**row)


_REQUEST = _columns(RequestRow, "parts", "usage", "cost", "prompt_cost", "tool_tokens")
_USAGE = _columns(Usage, "source", "raw")
REQUEST = (*_REQUEST, "cost", "prompt_cost", "usage_source", "usage_raw", *_USAGE)


def request_values(row: RequestRow) -> Values:
    """Without the parts and the tools."""
    usage = row.usage
    if usage is None:
        used = (None,) * (2 + len(_USAGE))
    else:
        used = _values(usage, ("source", "raw", *_USAGE))
    costs = (picodollars(row.cost), picodollars(row.prompt_cost))
    return (*_values(row, _REQUEST), *costs, *used)


def request(values: Values, tool_tokens: tuple[tuple[str, int], ...]) -> RequestRow:
    cost, prompt_cost, source, raw, *counts = values[len(_REQUEST) :]
    row = dict(zip(_REQUEST, values, strict=False))
    used = dict(zip(_USAGE, counts, strict=True))
    return RequestRow(
        **row,
        usage=Usage(**used, source=source, raw=raw) if source else None,
        cost=None if cost is None else dollars(cost),
        prompt_cost=None if prompt_cost is None else dollars(prompt_cost),
        tool_tokens=tool_tokens,
    )


TOOL_CALL = _columns(ToolCallRow)


def tool_call_values(row: ToolCallRow) -> Values:
    return _values(row, TOOL_CALL)


def tool_call(values: Values) -> ToolCallRow:
    return ToolCallRow(**dict(zip(TOOL_CALL, values, strict=True)))


COMPACTION = _columns(CompactionRow)


def compaction_values(row: CompactionRow) -> Values:
    return _values(row, COMPACTION)


def compaction(values: Values) -> CompactionRow:
    fields: dict[str, Any] = dict(zip(COMPACTION, values, strict=True))
    fields["undone"] = bool(fields["undone"])
    return CompactionRow(**fields)


QUEUED = _columns(QueuedPrompt)


def queued_values(row: QueuedPrompt) -> Values:
    return _values(row, QUEUED)


def queued(values: Values) -> QueuedPrompt:
    return QueuedPrompt(**dict(zip(QUEUED, values, strict=True)))
