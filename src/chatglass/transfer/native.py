"""chatglass's own JSONL: every byte of a session that matters, one object a line.

A session is its line of type `session`, followed by its blobs, messages, requests, tool calls
(with their results), compactions and queued prompts, each in the order in which they were written.
Fields are those of `store.records`; one left out has its default there, and `session_id` is that of
the session. Costs are decimals as text. What follows from the rest (totals, excerpt, last status)
is not there. So files may be joined, and a session cut out by its lines.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import MISSING, replace
from decimal import Decimal
from pathlib import Path
from typing import IO, Any, cast

from chatglass.store.records import (
    CompactionRow,
    MessageRow,
    QueuedPrompt,
    RequestRow,
    SessionRow,
    ToolCallRow,
    ToolResult,
    WholeSession,
)
from chatglass.transfer.source import (
    ImportFault,
    JsonObject,
    Skipped,
    count_of,
    json_lines,
    list_of,
    object_of,
    text_of,
)
from chatglass.values.text import storable
from chatglass.values.usage import Usage

VERSION = 1

_DERIVED = frozenset(
    {
        "messages",
        "requests",
        "unpriced_requests",
        "estimated_requests",
        "tool_calls",
        "total_tokens",
        "cost",
    }
    | {"last_status", "excerpt"}
)
_RECORDS: dict[str, type[Any]] = {
    "message": MessageRow,
    "request": RequestRow,
    "tool_call": ToolCallRow,
    "compaction": CompactionRow,
    "queued": QueuedPrompt,
}
_ID = re.compile(r"[A-Za-z0-9_.:-]{1,100}")
_MOST = 2**63


# -- writing


def lines(whole: WholeSession) -> Iterator[str]:
    """The lines of one session, each with its line break."""
    rows = {
        "message": whole.messages,
        "request": whole.requests,
        "tool_call": whole.tool_calls,
        "compaction": whole.compactions,
        "queued": whole.queued,
    }
    counts = {"blob": len(whole.blobs)} | {kind: len(each) for kind, each in rows.items()}
    first = _fields(whole.session, _DERIVED)
    yield _line({"type": "session", "chatglass": VERSION, **first, "lines": counts})
    for digest, text in whole.blobs.items():
        yield _line({"type": "blob", "sha256": digest, "text": text})
    for kind, each in rows.items():
        for row in each:
            fields: JsonObject = {"type": kind, **_fields(row, {"session_id"})}
            if kind == "tool_call" and (result := whole.results.get(row.id)) is not None:
                fields["result"] = {"produced": result.produced}
                if result.seen != result.produced:
                    fields["result"]["seen"] = result.seen
            yield _line(fields)


def _line(fields: JsonObject) -> str:
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":")) + "\n"


def _fields(row: Any, without: set[str] | frozenset[str]) -> JsonObject:
    found: JsonObject = {}
    for field in dataclasses.fields(row):
        if field.name in without:
            continue
        value = getattr(row, field.name)
        if field.default is not MISSING and value == field.default:
            continue
        if field.default_factory is not MISSING and value == field.default_factory():
            continue
        if isinstance(value, Decimal):
            value = format(value, "f")
        elif dataclasses.is_dataclass(value):
            value = _fields(value, frozenset())
        found[field.name] = value
    return found


# -- reading


def sessions(path: Path, skipped: Skipped) -> Iterator[WholeSession]:
    """The sessions of a native file. One that can't be read is refused and told in `skipped`."""
    with path.open("rb") as file:
        yield from _sessions(file, skipped)


def _sessions(file: IO[bytes], skipped: Skipped) -> Iterator[WholeSession]:
    head: JsonObject | None = None
    rest: list[JsonObject] = []
    for line in json_lines(file, skipped):
        if line.get("type") != "session":
            rest.append(line)
            continue
        if (whole := _session(head, rest, skipped)) is not None:
            yield whole
        head, rest = line, []
    if (whole := _session(head, rest, skipped)) is not None:
        yield whole


def _session(
    head: JsonObject | None, rest: list[JsonObject], skipped: Skipped
) -> WholeSession | None:
    if head is None:
        for line in rest:
            skipped.add(f"{_kind(line)} before the first session")
        return None
    try:
        return _Reader(head, skipped).read(rest)
    except ImportFault as error:
        name = text_of(head.get("id")) or "without an id"
        skipped.faults.append(f"Session {name} was refused: {error}")
        return None


def _kind(line: JsonObject) -> str:
    return text_of(line.get("type"))[:40] or "line without a type"


class _Reader:
    """Reads the lines of one session."""

    def __init__(self, head: JsonObject, skipped: Skipped) -> None:
        version = head.get("chatglass")
        if version != VERSION:
            raise ImportFault(
                f"it was written by another version of this format ({version}; this chatglass "
                f"reads {VERSION}). Update chatglass."
            )
        self._lines = object_of(head.get("lines"))
        self._skipped = skipped
        fields = {
            name: value
            for name, value in head.items()
            if name not in ("type", "chatglass", "lines", *_DERIVED)
        }
        self.session = cast(SessionRow, _record(SessionRow, fields, "session"))

    def read(self, rest: list[JsonObject]) -> WholeSession:
        found: dict[str, list[Any]] = {kind: [] for kind in _RECORDS}
        blobs: dict[str, str] = {}
        results: dict[str, ToolResult] = {}
        for line in rest:
            kind = _kind(line)
            if kind == "blob":
                text = text_of(line.get("text"))
                blobs[hashlib.sha256(storable(text).encode()).hexdigest()] = text
            elif kind not in _RECORDS:
                self._skipped.add(kind)
            else:
                row = self._row(kind, line)
                found[kind].append(row)
                if kind == "tool_call" and "result" in line:
                    results[row.id] = _result(line)
        self._compare(found, blobs)
        leaf = self.session.leaf_id
        if leaf is not None and all(row.id != leaf for row in found["message"]):
            # In the part that was cut off.
            leaf = found["message"][-1].id if found["message"] else None
        return WholeSession(
            session=replace(self.session, leaf_id=leaf),
            messages=tuple(found["message"]),
            requests=tuple(found["request"]),
            tool_calls=tuple(found["tool_call"]),
            results=results,
            compactions=tuple(found["compaction"]),
            queued=tuple(found["queued"]),
            blobs=blobs,
        )

    def _row(self, kind: str, line: JsonObject) -> Any:
        fields = {name: value for name, value in line.items() if name not in ("type", "result")}
        row = _record(_RECORDS[kind], {**fields, "session_id": self.session.id}, kind)
        if kind == "message":
            _check_message(row)
        return row

    def _compare(self, found: dict[str, list[Any]], blobs: dict[str, str]) -> None:
        """Tell where the file holds less than its first line says: it was cut off."""
        there = {"blob": len(blobs)} | {kind: len(rows) for kind, rows in found.items()}
        for kind, said in self._lines.items():
            missing = count_of(said) - there.get(kind, 0)
            if missing > 0:
                self._skipped.add(f"{kind} of session {self.session.id} that was cut off", missing)


def _record(record: type[Any], fields: JsonObject, kind: str) -> Any:
    from pydantic import ValidationError

    try:
        row = _validator(record)(fields)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(each) for each in first["loc"])
        raise ImportFault(
            f"{kind} {str(fields.get('id', ''))[:100]}: {place}: {first['msg']}."
        ) from error
    _check_values(row, f"{kind} {row.id[:100]}")
    return row


_validators: dict[type[Any], Callable[[Any], Any]] = {}


def _validator(record: type[Any]) -> Callable[[Any], Any]:
    # Building one takes pydantic some milliseconds.
    if record not in _validators:
        from pydantic import TypeAdapter

        _validators[record] = TypeAdapter(record).validate_python
    return _validators[record]


def _check_values(row: Any, name: str) -> None:
    """What SQLite can't keep, and ids that could be taken for something else."""
    for field in dataclasses.fields(row):
        value = getattr(row, field.name)
        if isinstance(value, int) and not -_MOST <= value < _MOST:
            raise ImportFault(f"{name}: {field.name} is too large a number.")
        if isinstance(value, Usage):
            _check_values(value, name)
    for field_name in ("id", "parent_id", "session_id"):
        value = getattr(row, field_name, None)
        if value is not None and not _ID.fullmatch(value):
            raise ImportFault(f"{name}: {value[:100]!r} is no id.")


def _check_message(row: MessageRow) -> None:
    """That the JSON within a message is what sending it needs."""
    if row.content_is_json:
        parts = _json(row, row.content)
        if not parts or any("type" not in object_of(part) for part in parts):
            raise ImportFault(f"message {row.id}: its content is no array of content parts.")
    if row.tool_calls is not None:
        for call in _json(row, row.tool_calls):
            function = object_of(object_of(call).get("function"))
            if not text_of(object_of(call).get("id")) or "name" not in function:
                raise ImportFault(f"message {row.id}: its tool calls are not in OpenAI's form.")


def _json(row: MessageRow, text: str) -> list[Any]:
    try:
        return list_of(json.loads(text))
    except (ValueError, RecursionError) as error:
        raise ImportFault(f"message {row.id}: the JSON within it can't be read.") from error


def _result(line: JsonObject) -> ToolResult:
    result = object_of(line["result"])
    produced = text_of(result.get("produced"))
    return ToolResult(produced, text_of(result.get("seen", produced)))
