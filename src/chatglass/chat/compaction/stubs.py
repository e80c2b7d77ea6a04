"""Stubs: what is sent instead of a tool's result, or of a long text among a call's arguments, that was
left out.

A stub names the size of what it stands for and the id by which the model gets it back with the tool
`read_result`; that of a result names the call too. It follows from the rows alone, so that it is the same
in every request; and it never changes, since what was sent is rebuilt with it. Calls keep their ids,
and their arguments stay JSON. A model may take the stub in a call of its own for something to write:
a call with one is refused (`is_stub`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, cast

from chatglass.chat.messages import WireMessage, to_wire
from chatglass.store.records import MessageRow
from chatglass.values.figures import size
from chatglass.values.text import one_line

LEAST_CHARS = 400
"""A shorter result stays: its stub would hardly be smaller."""
LEAST_ARGUMENT_CHARS = 1_000
"""A shorter text among arguments stays."""
_DEEPEST = 20
"""Levels of arguments that are looked through."""
STUB_TOKENS = 45
"""About what a stub has."""
_ARGUMENT_CHARS = 60
_REF_CHARS = 10
TOOL = "read_result"


_IN_CALL = re.compile(rf'\[left out: [^\]"]{{1,20}}; ask {TOOL}\("[^"]{{12,16}}"\) for it\]')


def is_long_result(row: MessageRow) -> bool:
    return row.role == "tool" and len(row.content) >= LEAST_CHARS


def may_be_elided(row: MessageRow) -> bool:
    """Whether a stub stands for its content, or for something in its calls, where it is old."""
    return is_long_result(row) or any(True for _ in long_arguments(row))


def long_arguments(row: MessageRow) -> Iterator[str]:
    """The texts among the arguments of its calls that are long, in order."""
    if row.role != "assistant" or len(row.tool_calls or "") < LEAST_ARGUMENT_CHARS:
        return
    for call in cast("list[dict[str, Any]]", json.loads(row.tool_calls or "[]")):
        yield from _long_texts(_parsed(call))


def shortened(row: MessageRow) -> WireMessage:
    """The message that is sent for the calls `row`, with stubs among their arguments."""
    wire = to_wire(row)
    count = 0

    def stub_for(text: str) -> str:
        nonlocal count
        count += 1
        return f'[left out: {size(len(text.encode()))}; ask {TOOL}("{ref_of(row)}-{count}") for it]'

    for call in cast("list[dict[str, Any]]", wire["tool_calls"]):
        arguments = _parsed(call)
        if any(True for _ in _long_texts(arguments)):
            short = _replaced(arguments, stub_for)
            call["function"]["arguments"] = json.dumps(short, ensure_ascii=False)
    return wire


def is_stub(arguments: object) -> bool:
    """Whether a text among arguments is nothing but a stub."""
    return any(_IN_CALL.fullmatch(text.strip()) for text in _texts(arguments))


def _parsed(call: dict[str, Any]) -> Any:
    try:
        return json.loads(call["function"]["arguments"])
    except (ValueError, RecursionError):
        return None


def _texts(value: object, depth: int = 0) -> Iterator[str]:
    """The texts in a JSON value but its keys, in order, down to `_DEEPEST`."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list) and depth < _DEEPEST:
        inside = cast("dict[str, object] | list[object]", value)
        for each in inside.values() if isinstance(inside, dict) else inside:
            yield from _texts(each, depth + 1)


def _long_texts(value: object) -> Iterator[str]:
    return (text for text in _texts(value) if len(text) >= LEAST_ARGUMENT_CHARS)


def _replaced(value: Any, stub_for: Callable[[str], str], depth: int = 0) -> Any:
    """The value with stubs for the long ones of `_texts`."""
    if isinstance(value, str):
        return stub_for(value) if len(value) >= LEAST_ARGUMENT_CHARS else value
    if depth >= _DEEPEST:
        return value
    if isinstance(value, dict):
        table = cast("dict[str, Any]", value)
        return {key: _replaced(each, stub_for, depth + 1) for key, each in table.items()}
    if isinstance(value, list):
        return [_replaced(each, stub_for, depth + 1) for each in cast("list[Any]", value)]
    return value


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


def find_left_out(rows: Sequence[MessageRow], ref: str) -> str | None:
    """What the stub of that id stands for."""
    result = find_result(rows, ref)
    if result is not None:
        return result.content
    end, dash, number = ref.strip().strip('"').rpartition("-")
    if not dash or not number.isascii() or not number.isdecimal():
        return None
    for row in reversed(rows):
        if row.role == "assistant" and ref_of(row).casefold() == end.casefold():
            texts = list(long_arguments(row))
            return texts[int(number) - 1] if 0 < int(number) <= len(texts) else None
    return None


def stub(row: MessageRow, rows: Iterable[MessageRow]) -> WireMessage:
    """The message that is sent for `row`, of which something is left out; `rows` are those before it,
    newest first."""
    if row.role == "assistant":
        return shortened(row)
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
