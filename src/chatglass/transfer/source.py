"""What all importers share: what they find, what they skip, and reading of JSON that may be anything."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, cast

from chatglass.store.records import WholeSession

JsonObject = dict[str, Any]

_GROWING_SECONDS = 15 * 60
"""As long as the slowest answer takes between two lines of it."""

NOT_JSON = "line that is not JSON"


class ImportFault(Exception):
    """A file or session that can't be imported. `str()` says why and what to do, not which file."""


@dataclass(slots=True)
class Skipped:
    """What an importer left out, counted by kind."""

    counts: Counter[str] = field(default_factory=Counter[str])
    faults: list[str] = field(default_factory=list[str])
    """Sessions that were refused, as sentences."""

    def add(self, kind: str, count: int = 1) -> None:
        self.counts[kind] += count


@dataclass(frozen=True, slots=True)
class Source:
    """A file whose format was found out."""

    format: str
    """In words, such as `ChatGPT export`."""
    sessions: Callable[[Skipped], Iterator[WholeSession]]
    """Reads the file; may raise ImportFault. What it left out is added to the argument."""


def json_lines(file: IO[bytes], skipped: Skipped) -> Iterator[JsonObject]:
    """The objects of a JSONL file. Lines that hold none, such as one torn by a crash, are counted."""
    for line in file:
        line = line.strip().removeprefix(b"\xef\xbb\xbf")
        if not line:
            continue
        try:
            found = load(line)
        except ValueError:
            skipped.add(NOT_JSON)
            continue
        if isinstance(found, dict):
            yield cast(JsonObject, found)
        else:
            skipped.add("line that is not an object")


def load(data: bytes | str) -> Any:
    """`json.loads` for foreign bytes: what isn't UTF-8 becomes U+FFFD. Raises ValueError."""
    text = data.decode("utf-8", "replace") if isinstance(data, bytes) else data
    try:
        return json.loads(text)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def read_bytes(path: Path) -> bytes:
    """Raises ImportFault."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise ImportFault(f"it can't be read: {error.strerror or error}.") from error


def is_growing(path: Path) -> bool:
    """Whether the program that writes the file may not be done with the end of it."""
    return time.time() - path.stat().st_mtime < _GROWING_SECONDS


def text_of(value: Any) -> str:
    """`value` where it is text, else nothing."""
    return value if isinstance(value, str) else ""


def object_of(value: Any) -> JsonObject:
    """`value` where it is an object, else an empty one."""
    return cast(JsonObject, value) if isinstance(value, dict) else {}


def list_of(value: Any) -> list[Any]:
    """`value` where it is an array, else an empty one."""
    return cast(list[Any], value) if isinstance(value, list) else []


def count_of(value: Any) -> int:
    """`value` where it is a whole number of things, else 0."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return 0
    return int(value) if 0 <= value < 2**53 else 0


def seconds_ms(value: Any) -> int | None:
    """Milliseconds of a Unix time in seconds; None where it is none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return round(value * 1000) if 0 < value < 1e11 else None


def iso_ms(value: Any) -> int | None:
    """Milliseconds of an ISO 8601 time, in UTC where it names no zone; None where it is none."""
    try:
        at = datetime.fromisoformat(text_of(value))
    except ValueError:
        return None
    if at.tzinfo is None:
        at = at.replace(tzinfo=UTC)
    ms = round(at.timestamp() * 1000)
    return ms if ms > 0 else None


def arguments_text(value: Any) -> str:
    """A tool's arguments as the text that OpenAI's format has them in."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
