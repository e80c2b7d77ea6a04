"""WireView: one request as it went over the wire, and what that is beside the transcript.

Everything is derived: from the rebuilt body (`sent_body`), from what was received
(`wire_record`), and from the rows of the path on which the request was made.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from chatglass.chat.sent_body import rebuild_body
from chatglass.chat.sent_changes import (
    Change,
    Origin,
    cut_results,
    dropped,
    left_out,
    origins,
    other_forms,
    text_of,
)
from chatglass.chat.wire_record import Attempt, decode_record
from chatglass.models.client import wire_bytes
from chatglass.models.deltas import as_list, as_object, as_text
from chatglass.models.estimates import estimate_message, estimate_tools
from chatglass.store.protocol import SessionStore, StoreError
from chatglass.store.records import (
    CompactionRow,
    MessageRow,
    Parameters,
    RequestRow,
    ToolCallRow,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SentMessage:
    """A message of the body."""

    role: str
    size: int
    """Bytes of its JSON."""
    tokens: int
    """Estimated, as the model would count them."""
    origin: Origin
    message_id: str | None = None
    """The stored message that it is."""
    start: str = ""
    """The beginning of its text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """What a request has in common with the one before it in the session, from its beginning."""

    bytes: int
    messages: int
    tokens: int
    """Estimated, of these messages, with the tool schemas where these are the same."""
    same_tools: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class WireView:
    """`body` is None where it isn't known; `problem` says why. `place` counts from 1."""

    request: RequestRow
    place: int
    count: int
    body: str | None = None
    """The JSON that was sent, exactly."""
    problem: str = ""
    attempts: tuple[Attempt, ...] = ()
    messages: tuple[SentMessage, ...] = ()
    tool_tokens: int = 0
    """Estimated tokens of the tool schemas."""
    tools: tuple[str, ...] = ()
    changes: tuple[Change, ...] = ()
    previous: RequestRow | None = None
    """The session's request before this one that has a body."""
    previous_body: str | None = None
    shared: Shared | None = None
    values: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """The body's other values: model, parameters."""


Calibrated = Callable[[int], int]
"""An estimate as the request's model would count it."""


async def wire_view(
    store: SessionStore,
    session_id: str,
    request_id: str,
    *,
    parameters: Parameters,
    calibrated: Calibrated = lambda tokens: tokens,
) -> WireView:
    """Raises StoreError, and LookupError where the session has no such request."""
    rows = await store.requests(session_id)
    place = next((i for i, row in enumerate(rows) if row.id == request_id), None)
    if place is None:
        raise LookupError(f"There is no request {request_id} in this session.")
    row = rows[place]
    attempts, lost = await _attempts(store, row)
    view = WireView(request=row, place=place + 1, count=len(rows), attempts=attempts, problem=lost)
    body = await _body(store, row)
    if isinstance(body, str):
        return replace(view, problem=f"{body} {lost}".strip())
    read = _Read(
        body=body,
        path=await _path_of(store, row),
        compaction=await _compaction(store, row),
        calls={call.call_id: call for call in await store.tool_calls(session_id)},
        previous=await _previous(store, rows, place),
        parameters=parameters,
        calibrated=calibrated,
    )
    # A body may be of many megabytes; the screen goes on meanwhile.
    return await asyncio.to_thread(_compose, view, read)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Read:
    """What the store has of a request and of what is around it."""

    body: dict[str, Any]
    path: list[MessageRow]
    compaction: CompactionRow | None
    calls: Mapping[str, ToolCallRow]
    previous: tuple[RequestRow | None, dict[str, Any] | None]
    parameters: Parameters
    calibrated: Calibrated


def _compose(view: WireView, read: _Read) -> WireView:
    body, compaction, calibrated = read.body, read.compaction, read.calibrated
    previous, before = read.previous
    messages: list[dict[str, Any]] = body["messages"]
    found = origins(messages, read.path)
    summary = compaction.summary if compaction else ""
    sent: list[SentMessage] = []
    for message, (origin, of) in zip(messages, found, strict=True):
        is_summary = bool(summary) and message.get("content") == summary
        sent.append(
            SentMessage(
                role=as_text(message.get("role")),
                size=len(wire_bytes(message)),
                tokens=calibrated(estimate_message(message)),
                origin="summary" if is_summary else origin,
                message_id=of.id if of and not is_summary else None,
                start=_start(message),
            )
        )
    tools = [as_object(each) for each in as_list(body.get("tools"))]
    return replace(
        view,
        body=wire_bytes(body).decode(),
        messages=tuple(sent),
        tools=tuple(as_text(as_object(each.get("function")).get("name")) for each in tools),
        tool_tokens=calibrated(estimate_tools(tools)),
        changes=(
            *left_out(read.path, {message.message_id for message in sent}, compaction),
            *other_forms(messages, found),
            *cut_results(messages, read.calls),
            *dropped(body, before, read.parameters, view.attempts),
        ),
        previous=previous,
        previous_body=None if before is None else wire_bytes(before).decode(),
        shared=None if before is None else _shared(body, before, sent, calibrated),
        values={key: value for key, value in body.items() if key not in ("messages", "tools")},
    )


def _start(message: Mapping[str, Any]) -> str:
    names = [
        as_text(as_object(as_object(call).get("function")).get("name"))
        for call in as_list(message.get("tool_calls"))
    ]
    text = text_of(message)[:200]
    return f"{text} → {', '.join(names)}".strip() if names else text


# -- reading


async def _attempts(store: SessionStore, row: RequestRow) -> tuple[tuple[Attempt, ...], str]:
    if row.wire_hash is None:
        return (), _why_no_record(row)
    try:
        return decode_record(await store.get_blob(row.wire_hash)), ""
    except (StoreError, ValueError) as error:
        return (), f"What was received can't be read: {error}"


def _why_no_record(row: RequestRow) -> str:
    if row.status == "running":
        return "It is still being answered; what is received is kept at its end."
    if row.status == "interrupted":
        return "Nothing received is kept: the program ended before the request did."
    return "Nothing received is kept: an earlier chatglass made this request, or it was imported."


async def _body(store: SessionStore, row: RequestRow) -> dict[str, Any] | str:
    """The body, or why there is none."""
    if row.body_hash is None:
        return "What was sent is not known: the request was never sent, or was imported."
    try:
        return await rebuild_body(store, row)
    except (StoreError, LookupError, StopIteration, ValueError) as error:
        return f"What was sent can't be rebuilt: {error}"


async def _path_of(store: SessionStore, row: RequestRow) -> list[MessageRow]:
    """The messages that the transcript had when the request was made."""
    if row.message_id is None:
        return []
    try:
        path = await store.path(row.session_id, row.message_id)
    except StoreError:
        return []
    return path[:-1]


async def _compaction(store: SessionStore, row: RequestRow) -> CompactionRow | None:
    if row.compaction_id is None:
        return None
    found = await store.compactions(row.session_id)
    return next((each for each in found if each.id == row.compaction_id), None)


async def _previous(
    store: SessionStore, rows: Sequence[RequestRow], place: int
) -> tuple[RequestRow | None, dict[str, Any] | None]:
    for row in reversed(rows[:place]):
        body = await _body(store, row)
        if not isinstance(body, str):
            return row, body
    return None, None


# -- against the request before


def _shared(
    body: Mapping[str, Any],
    before: Mapping[str, Any],
    sent: Sequence[SentMessage],
    calibrated: Calibrated,
) -> Shared:
    one, other = wire_bytes(body), wire_bytes(before)
    pairs = zip(body["messages"], before["messages"], strict=False)
    count = next((i for i, (a, b) in enumerate(pairs) if a != b), None)
    if count is None:
        count = min(len(body["messages"]), len(before["messages"]))
    same_tools = body.get("tools") == before.get("tools")
    tools = [as_object(each) for each in as_list(body.get("tools"))] if same_tools else []
    return Shared(
        bytes=shared_prefix(one, other),
        messages=count,
        tokens=sum(message.tokens for message in sent[:count]) + calibrated(estimate_tools(tools)),
        same_tools=same_tools,
    )


def shared_prefix(one: bytes, other: bytes) -> int:
    """How many bytes both begin with. Compares whole stretches, so megabytes take little."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def events_of(received: bytes) -> str | None:
    """The data of the events of a stream as a JSON array; None where it is no event stream of
    JSON."""
    from chatglass.models.sse import EventReader, EventTooLarge

    reader = EventReader()
    try:
        events = [*reader.feed(received), *reader.finish()]
    except EventTooLarge:
        return None
    data = [event.data for event in events if event.data.strip() not in ("", "[DONE]")]
    try:
        for each in data:
            json.loads(each)
    except (ValueError, RecursionError):
        return None
    return "[" + ",".join(data) + "]" if data else None
