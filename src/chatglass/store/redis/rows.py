"""Between the values of `store.records` and what Redis keeps.

A row is a JSON object of the fields that differ from their defaults, so that one of an older
chatglass still reads as it was meant. A session is a hash instead, since its fields change one by
one; its costs, as everywhere, are integers of 1e-12 USD.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import MISSING, asdict, fields, replace
from functools import cache
from typing import Any, TypeVar, cast

from chatglass.store.records import (
    CompactionRow,
    MessageRow,
    MessageStatus,
    Parameters,
    QueuedPrompt,
    RequestRow,
    SessionRow,
    ToolCallRow,
)
from chatglass.store.sqlite.rows import dollars, picodollars
from chatglass.values.text import storable
from chatglass.values.usage import Usage

_Row = TypeVar("_Row", MessageRow, ToolCallRow, CompactionRow, QueuedPrompt, Usage)


@cache
def _defaults(record: type[Any]) -> tuple[tuple[str, Any], ...]:
    return tuple((field.name, field.default) for field in fields(record))


@cache
def _names(record: type[Any]) -> frozenset[str]:
    return frozenset(field.name for field in fields(record))


def dumps(value: object) -> str:
    return storable(json.dumps(value, ensure_ascii=False, separators=(",", ":")))


def _given(row: object, without: Sequence[str] = ()) -> dict[str, Any]:
    given: dict[str, Any] = {}
    for name, default in _defaults(type(row)):
        value = getattr(row, name)
        if name not in without and (default is MISSING or value != default):
            given[name] = value
    return given


def encode(row: MessageRow | ToolCallRow | CompactionRow | QueuedPrompt) -> str:
    return dumps(_given(row))


def decode(record: type[_Row], text: bytes | str) -> _Row:
    return _made(record, json.loads(text))


def _made(record: type[_Row], given: Mapping[str, Any]) -> _Row:
    known = _names(record)
    if known.issuperset(given):
        return record(**given)
    return record(**{name: value for name, value in given.items() if name in known})


def encode_request(row: RequestRow) -> str:
    """Without its parts. Raises StoreError where its cost is no sum that can be kept."""
    given = _given(row, without=("parts", "usage", "cost", "prompt_cost", "tool_tokens"))
    if row.cost is not None:
        given["cost"] = picodollars(row.cost)
    if row.prompt_cost is not None:
        given["prompt_cost"] = picodollars(row.prompt_cost)
    if row.tool_tokens:
        given["tool_tokens"] = sorted(row.tool_tokens)
    if row.usage is not None:
        given["usage"] = _given(row.usage)
    return dumps(given)


def decode_request(text: bytes | str) -> RequestRow:
    given: dict[str, Any] = json.loads(text)
    cost, usage = given.pop("cost", None), given.pop("usage", None)
    prompt_cost, tool_tokens = given.pop("prompt_cost", None), given.pop("tool_tokens", ())
    known = _names(RequestRow)
    row = RequestRow(**{name: value for name, value in given.items() if name in known})
    return replace(
        row,
        cost=None if cost is None else dollars(cost),
        usage=None if usage is None else _made(Usage, usage),
        prompt_cost=None if prompt_cost is None else dollars(prompt_cost),
        tool_tokens=tuple((name, tokens) for name, tokens in tool_tokens),
    )


def spent(row: RequestRow) -> str:
    """What sums over requests need: a JSON array of tokens, cost and whether it is unpriced as
    texts (see `write.lua`), then the values of `SPENT`, then the shares of tools.

    Raises StoreError where a cost is no sum that can be kept.
    """
    usage, cost = row.usage, picodollars(row.cost)
    tokens = 0 if usage is None else usage.total_tokens
    unpriced = int(usage is not None and cost is None)
    counts = [None if usage is None else getattr(usage, name) for name in _TOKENS]
    costs = {share.name: share.cost for share in row.tool_shares()}
    tools = [[name, count, picodollars(costs.get(name))] for name, count in sorted(row.tool_tokens)]
    return dumps(
        [
            str(tokens), str(cost or 0), str(unpriced),
            row.id, row.session_id, row.started_at, row.model, row.endpoint, cost,
            None if usage is None else usage.source, row.price_source, row.status, *counts, tools,
        ]
    )  # fmt: skip


_TOKENS = (
    "prompt_tokens",
    "completion_tokens",
    "cached_tokens",
    "cache_write_tokens",
    "reasoning_tokens",
)
SPENT = (
    "id", "session_id", "started_at", "model", "endpoint", "cost", "usage_source",
    "price_source", "status", *_TOKENS,
)  # fmt: skip


def messages(array: bytes | str, checkpoints: Sequence[bytes]) -> list[MessageRow]:
    """Rows from a JSON array of them, with the text so far where one is being streamed."""
    texts = pairs(checkpoints)
    found: list[MessageRow] = []
    for each in json.loads(array):
        row = _made(MessageRow, each)
        if texts and (so_far := texts.get(row.id.encode())):
            content, reasoning = json.loads(so_far)
            row = replace(row, content=content, reasoning=reasoning)
        found.append(row)
    return found


def pairs(flat: Sequence[bytes]) -> dict[bytes, bytes]:
    """The answer to HGETALL in a script."""
    return dict(zip(flat[::2], flat[1::2], strict=True))


def numbered(texts: Iterable[bytes]) -> list[bytes]:
    """Rows as `NUMBER:JSON`, in the order of their numbers, without them."""
    split = [text.split(b":", 1) for text in texts]
    return [row for _, row in sorted((int(number), row) for number, row in split)]


SESSION = tuple(name for name, _ in _defaults(SessionRow))
"""The fields of a session's hash, in the order in which `decode_session` takes them."""
_TRUTH = frozenset({"title_by_user", "pinned", "archived"})
_NO_PARAMETERS = Parameters()


def session_fields(row: SessionRow) -> list[str]:
    """Names and values of the hash, in turn."""
    flat: list[str] = []
    for name in SESSION:
        flat += [name, session_value(name, getattr(row, name))]
    return [*flat, "folded_title", folded(row.title)]


def session_value(name: str, value: Any) -> str:
    """The value of one field as the hash holds it."""
    if name in _TRUTH:
        return "1" if value else "0"
    if name == "cost":
        return str(picodollars(value))
    if name == "parameters":
        given = {key: each for key, each in asdict(value).items() if each is not None}
        return dumps(given) if given else ""
    if name in ("tags", "forked_from"):
        return dumps(value) if value else ""
    return "" if value is None else storable(str(value))


def decode_session(values: Sequence[str]) -> SessionRow:
    """From the values of the fields `SESSION`; empty for one that is not there."""
    # Thousands are listed at once: by name this takes half of what a loop over the fields does.
    (
        id_, title, root, endpoint, model, created_at, updated_at, title_by_user, leaf_id,
        parameters, draft, pinned, archived, tags, forked_from, messages, requests,
        unpriced_requests, estimated_requests, tool_calls, total_tokens, cost, last_status, excerpt,
    ) = values  # fmt: skip
    return SessionRow(
        id=id_,
        title=title or "",
        root=root or "",
        endpoint=endpoint or "",
        model=model or "",
        created_at=int(created_at or 0),
        updated_at=int(updated_at or 0),
        title_by_user=title_by_user == "1",
        leaf_id=leaf_id or None,
        parameters=Parameters(**json.loads(parameters)) if parameters else _NO_PARAMETERS,
        draft=draft or "",
        pinned=pinned == "1",
        archived=archived == "1",
        tags=tuple(json.loads(tags)) if tags else (),
        forked_from=_pair(forked_from) if forked_from else None,
        messages=int(messages or 0),
        requests=int(requests or 0),
        unpriced_requests=int(unpriced_requests or 0),
        estimated_requests=int(estimated_requests or 0),
        tool_calls=int(tool_calls or 0),
        total_tokens=int(total_tokens or 0),
        cost=dollars(int(cost or 0)),
        last_status=_status(last_status),
        excerpt=excerpt or "",
    )


def _pair(text: str) -> tuple[str, str]:
    session_id, message_id = json.loads(text)
    return session_id, message_id


def _status(text: str) -> MessageStatus:
    return cast(MessageStatus, text or "complete")


def folded(text: str) -> str:
    return storable(text).casefold()
