"""What a request sent, kept by reference, and rebuilt from that byte for byte.

The messages are in the store already; only what is not (system prompt, tool schemas, parameters,
a message that an endpoint needed in another form) is kept as a blob, once for all requests.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from chatglass.chat.compaction.stubs import is_long_result, may_be_elided, stub
from chatglass.chat.messages import WireMessage, to_wire
from chatglass.chat.shown_path import Outgoing, SentRow
from chatglass.store.protocol import SessionStore
from chatglass.store.records import MessageRow, RequestRow

Part = tuple[str, str]

_AHEAD = 8


async def record_body(
    store: SessionStore, body: Mapping[str, Any], outgoing: Outgoing
) -> tuple[tuple[Part, ...], str | None, str]:
    """Keep `body`. Returns the parts, the tools' hash and the hash of the rest (see RequestRow)."""
    parts: list[Part] = []
    for kind, value in _refer(body["messages"], outgoing):
        parts.append(("blob", await store.put_blob(value)) if kind == "json" else (kind, value))
    tools_hash = await store.put_blob(_dump(body["tools"])) if "tools" in body else None
    rest = {key: None if key in ("messages", "tools") else value for key, value in body.items()}
    return tuple(parts), tools_hash, await store.put_blob(_dump(rest))


async def rebuild_body(store: SessionStore, request: RequestRow) -> dict[str, Any]:
    """The body that `request` sent, with its keys in the order they had."""
    if request.body_hash is None:
        raise LookupError(f"request {request.id} was never sent")
    parts = await store.request_parts(request.id)
    messages: list[Any] = []
    rows: list[MessageRow] = []
    places: dict[str, int] = {}
    # The last range mostly lies at the end of the path that all are on.
    end = next((value.split()[1] for kind, value in reversed(parts) if kind != "blob"), None)
    for kind, value in parts:
        if kind == "blob":
            messages.append(json.loads(await store.get_blob(value)))
            continue
        first, last = value.split()
        for leaf in (end, last):
            if last not in places:
                rows = await store.path(request.session_id, leaf)
                places = {row.id: place for place, row in enumerate(rows)}
        for place in range(places[first], places[last] + 1):
            messages.append(_sent(rows, place, kind))
    body: dict[str, Any] = json.loads(await store.get_blob(request.body_hash))
    body["messages"] = messages
    if request.tools_hash is not None:
        body["tools"] = json.loads(await store.get_blob(request.tools_hash))
    return body


def _sent(rows: Sequence[MessageRow], place: int, kind: str) -> WireMessage:
    row = rows[place]
    if (kind == "short" and may_be_elided(row)) or (kind == "stubs" and is_long_result(row)):
        return stub(row, (rows[at] for at in range(place - 1, -1, -1)))
    return to_wire(row)


def _refer(sent: Sequence[Any], outgoing: Outgoing) -> list[Part]:
    """`sent` as ranges of the path, and JSON texts of what is not on it."""
    parts: list[Part] = []
    before: SentRow | None = None
    at = 0
    for message in sent:
        # Adaptation may leave messages out or join them: look a little ahead.
        near = range(at, min(at + _AHEAD, len(outgoing.messages)))
        found = next((i for i in near if outgoing.messages[i] == message), None)
        row = None if found is None else outgoing.rows[found]
        at = (at if found is None else found) + 1
        if row is None:
            parts.append(("json", _dump(message)))
            before = None
            continue
        kind = "short" if row.elided else "path"
        if before is not None and (before.place + 1, before.elided) == (row.place, row.elided):
            first = parts[-1][1].split()[0]
            parts[-1] = (kind, f"{first} {row.row_id}")
        else:
            parts.append((kind, f"{row.row_id} {row.row_id}"))
        before = row
    return parts


def _dump(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
