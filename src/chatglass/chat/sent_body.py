"""What a request sent, kept by reference, and rebuilt from that byte for byte.

The messages are in the store already; only what is not (system prompt, tool schemas, parameters,
a message that an endpoint needed in another form) is kept as a blob, once for all requests.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from chatglass.chat.messages import to_wire
from chatglass.chat.shown_path import Outgoing
from chatglass.store.protocol import SessionStore
from chatglass.store.records import RequestRow

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
    messages: list[Any] = []
    for kind, value in await store.request_parts(request.id):
        if kind == "blob":
            messages.append(json.loads(await store.get_blob(value)))
            continue
        first, last = value.split()
        rows = await store.path(request.session_id, last)
        start = next(place for place, row in enumerate(rows) if row.id == first)
        messages.extend(to_wire(row) for row in rows[start:])
    body: dict[str, Any] = json.loads(await store.get_blob(request.body_hash))
    body["messages"] = messages
    if request.tools_hash is not None:
        body["tools"] = json.loads(await store.get_blob(request.tools_hash))
    return body


def _refer(sent: Sequence[Any], outgoing: Outgoing) -> list[Part]:
    """`sent` as ranges of the path, and JSON texts of what is not on it."""
    parts: list[Part] = []
    last_place: int | None = None
    at = 0
    for message in sent:
        # Adaptation may leave messages out or join them: look a little ahead.
        near = range(at, min(at + _AHEAD, len(outgoing.messages)))
        found = next((i for i in near if outgoing.messages[i] == message), None)
        row = None if found is None else outgoing.rows[found]
        at = (at if found is None else found) + 1
        if row is None:
            parts.append(("json", _dump(message)))
            last_place = None
            continue
        if last_place is not None and row.place == last_place + 1:
            first = parts[-1][1].split()[0]
            parts[-1] = ("path", f"{first} {row.row_id}")
        else:
            parts.append(("path", f"{row.row_id} {row.row_id}"))
        last_place = row.place
    return parts


def _dump(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
