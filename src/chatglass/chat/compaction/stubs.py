"""Stubs: what is sent instead of a tool's result that was left out.

A stub names the call, the size of the result and the id by which the model gets it back with the
tool `read_result`. It follows from the rows alone, so that it is the same in every request; and it never
changes, since what was sent is rebuilt with it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any, cast

from chatglass.chat.messages import WireMessage
from chatglass.store.records import MessageRow
from chatglass.values.figures import size
from chatglass.values.text import one_line

LEAST_CHARS = 400
"""A shorter result stays: its stub would hardly be smaller."""
STUB_TOKENS = 45
"""About what a stub has."""
_ARGUMENT_CHARS = 60
_REF_CHARS = 10
TOOL = "read_result"


def may_be_elided(row: MessageRow) -> bool:
    return row.role == "tool" and len(row.content) >= LEAST_CHARS


def ref_of(row: MessageRow) -> str:
    """The end of its id, which tells the results of a session apart."""
    return row.id[-_REF_CHARS:]


def find_result(rows: Sequence[MessageRow], ref: str) -> MessageRow | None:
    """The result that `ref` names: by `ref_of`, a whole id, or the id of its call (the newest)."""
    wanted = ref.strip().strip('"')
    if not wanted:
        return None
    end = wanted[-_REF_CHARS:].casefold()
    for row in reversed(rows):
        if row.role == "tool" and ref_of(row).casefold() == end:
            return row
    for row in reversed(rows):
        if row.role == "tool" and row.tool_call_id == wanted:
            return row
    return None


def stub(row: MessageRow, rows: Iterable[MessageRow]) -> WireMessage:
    """The message that is sent for the result `row`; `rows` are those before it, newest first."""
    told = f"{row.tool_name or 'a tool'}({_arguments(row, rows)})"
    text = (
        f"[result of {told} left out: {size(len(row.content.encode()))}; "
        f'ask {TOOL}("{ref_of(row)}") for it]'
    )
    return {"role": "tool", "tool_call_id": row.tool_call_id or "", "content": text}


def _arguments(row: MessageRow, before: Iterable[MessageRow]) -> str:
    """The arguments of its call, short."""
    for other in before:
        if other.role == "user":
            break
        if other.role != "assistant" or not other.tool_calls:
            continue
        for call in cast("list[dict[str, Any]]", json.loads(other.tool_calls)):
            if call.get("id") == row.tool_call_id:
                return _short(str(call.get("function", {}).get("arguments", "")))
        break
    return ""


def _short(arguments: str) -> str:
    try:
        parsed: Any = json.loads(arguments or "{}")
    except ValueError:
        parsed = None
    if isinstance(parsed, dict):
        values = list(cast("dict[str, Any]", parsed).values())
        if len(values) == 1 and isinstance(values[0], str):
            arguments = json.dumps(values[0], ensure_ascii=False)
        elif not values:
            arguments = ""
    return one_line(arguments, _ARGUMENT_CHARS)
