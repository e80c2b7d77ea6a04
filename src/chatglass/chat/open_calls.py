"""Tool calls whose turn was torn by a crash or a full disk, before their results were answered."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from chatglass.chat.messages import UNANSWERED
from chatglass.chat.tool_call_log import NOT_RUN
from chatglass.store.protocol import SessionStore
from chatglass.store.records import MessageRow


@dataclass(frozen=True, slots=True)
class OpenCall:
    """A call at the end of a path that has no tool message, and what to answer in its place."""

    call_id: str
    name: str
    turn_id: str
    answer: str


async def find_open_calls(store: SessionStore, path: Sequence[MessageRow]) -> list[OpenCall]:
    """The calls of the path's last answer that no tool message follows, in order.

    Where the result is stored it is the answer; else that there is none, and whether the call
    may have taken effect.
    """
    answered: set[str | None] = set()
    for row in reversed(path):
        if row.role != "tool":
            break
        answered.add(row.tool_call_id)
    else:
        return []
    if not row.tool_calls:
        return []
    entries: list[dict[str, Any]] = json.loads(row.tool_calls)
    missing = [entry for entry in entries if entry["id"] not in answered]
    if not missing:
        return []
    stored = {
        call.call_id: call
        for call in await store.tool_calls(row.session_id)
        if call.message_id == row.id
    }
    found: list[OpenCall] = []
    for entry in missing:
        call = stored.get(entry["id"])
        result = await store.tool_result(call.id) if call else None
        text = UNANSWERED if call is not None and call.state == "unknown" else NOT_RUN
        found.append(
            OpenCall(
                entry["id"],
                entry["function"]["name"],
                row.turn_id,
                text if result is None else result.seen,
            )
        )
    return found
