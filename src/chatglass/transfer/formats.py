"""Finding out what a file is, by what is in it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from chatglass.transfer import chatgpt, claude_code, codex, llm_logs, native, openai_chat
from chatglass.transfer.claude_lines import TITLES
from chatglass.transfer.source import (
    ImportFault,
    JsonObject,
    Skipped,
    Source,
    json_lines,
    list_of,
    load,
    object_of,
    read_bytes,
    text_of,
)

_SQLITE, _ZIP, _GZIP = b"SQLite format 3\x00", b"PK\x03\x04", b"\x1f\x8b"
_STORE_ID = 0x43474C53
_LOOKED_AT = 50
"""Lines; the first ones of a file may be of a kind that says nothing."""
_KNOWN = (
    "chatglass's JSONL, OpenAI chat JSONL, a ChatGPT export (zip or conversations.json), "
    "a Claude Code session, a Codex rollout, or llm's logs.db"
)
_ROLLOUT = frozenset({"session_meta", "response_item", "event_msg", "turn_context", "compacted"})


def find_source(path: Path) -> Source:
    """What the file is, and how to read it. Raises ImportFault."""
    try:
        with path.open("rb") as file:
            head = file.read(100)
    except OSError as error:
        raise ImportFault(f"it can't be read: {error.strerror or error}.") from error
    if not head.strip():
        raise ImportFault("it is empty.")
    if head.startswith(_SQLITE):
        return _database(path, head)
    if head.startswith(_ZIP):
        return Source("ChatGPT export", lambda skipped: chatgpt.zip_sessions(path, skipped))
    if head.startswith(_GZIP):
        raise ImportFault("it is compressed. Unpack it first: gunzip -k FILE.")
    return _lines(path) or _document(path)


def _database(path: Path, head: bytes) -> Source:
    if int.from_bytes(head[68:72], "big") == _STORE_ID:
        raise ImportFault(
            "it is a store of chatglass. Take its sessions over with "
            f"`chatglass export --all --data-dir {path.parent} | chatglass import -`."
        )
    if not llm_logs.is_log(path):
        raise ImportFault("it is an SQLite database, but no log of llm.")
    return Source("llm log", lambda skipped: llm_logs.sessions(path, skipped))


def _lines(path: Path) -> Source | None:
    """By the first lines that say it; None where no line does."""
    with path.open("rb") as file:
        for line in islice(json_lines(file, Skipped()), _LOOKED_AT):
            if (source := _source_of(line, path)) is not None:
                return source
    return None


def _source_of(line: JsonObject, path: Path) -> Source | None:
    kind = text_of(line.get("type"))
    if "chatglass" in line and kind == "session":
        return Source("chatglass", lambda skipped: native.sessions(path, skipped))
    if "mapping" in line:
        return Source("ChatGPT export", lambda skipped: chatgpt.file_sessions(path, skipped))
    if isinstance(line.get("messages"), list):
        return Source("OpenAI chat", lambda skipped: openai_chat.sessions(path, skipped))
    if (kind in _ROLLOUT and "payload" in line) or _begins_old_rollout(line):
        return Source("Codex rollout", lambda skipped: codex.sessions(path, skipped))
    if "parentUuid" in line or "sessionId" in line or (kind in TITLES and "leafUuid" in line):
        return Source("Claude Code session", lambda skipped: claude_code.sessions(path, skipped))
    return None


def _begins_old_rollout(line: JsonObject) -> bool:
    return "type" not in line and {"id", "timestamp"} <= line.keys() and "instructions" in line


def _document(path: Path) -> Source:
    """By the file as one JSON document."""
    try:
        found: Any = load(read_bytes(path).removeprefix(b"\xef\xbb\xbf"))
    except ValueError as error:
        raise ImportFault(f"its format is not known. It should be {_KNOWN}.") from error
    entries = [object_of(each) for each in list_of(found)] or [object_of(found)]
    first = entries[0]
    if "mapping" in first:
        return Source("ChatGPT export", lambda skipped: chatgpt.conversations(found, skipped))
    if text_of(first.get("role")):
        entries = [{"messages": entries}]
    elif not isinstance(first.get("messages"), list):
        raise ImportFault(f"it is JSON, but of no known format. It should be {_KNOWN}.")
    at = path.stat().st_mtime_ns // 1_000_000
    return Source("OpenAI chat", lambda skipped: openai_chat.conversations(entries, at, skipped))


def files_in(paths: Iterable[Path]) -> Iterator[Path]:
    """The files to import: those named, and in folders what may be one, by its name."""
    for path in paths:
        if not path.is_dir():
            yield path
            continue
        found: set[Path] = set()
        for pattern in ("*.jsonl", "conversations*.json", "logs.db"):
            with contextlib.suppress(OSError):
                found.update(each for each in path.rglob(pattern) if each.is_file())
        yield from sorted(found)
