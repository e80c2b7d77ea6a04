"""The JSON of a file with `mcpServers`, before anything of it is understood. Standard library only: the
command line checks the files of its flags with it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from os import PathLike
from typing import Any, cast

_FILE_LIMIT = 1_000_000


class Unusable(Exception):
    """What is wrong with a whole file: the rest of a sentence that begins with its path."""


@dataclass(frozen=True, slots=True)
class McpDocument:
    content: bytes

    @property
    def hash(self) -> str:
        return hashlib.sha256(self.content).hexdigest()

    def parsed(self) -> dict[str, Any]:
        """Raises Unusable."""
        if len(self.content) > _FILE_LIMIT:
            raise Unusable(f"is larger than {_FILE_LIMIT:,} bytes.")
        try:
            found = load_unique(self.content)
        except ValueError as error:
            raise Unusable(f"is not valid JSON: {error}.") from error
        if not isinstance(found, dict):
            raise Unusable("must hold an object with mcpServers.")
        return cast("dict[str, Any]", found)


def read_document(path: str | PathLike[str]) -> McpDocument:
    """Raises OSError."""
    with open(path, "rb") as file:
        return McpDocument(file.read(_FILE_LIMIT + 1))


def servers_in(document: dict[str, Any]) -> dict[str, Any]:
    """The entries by name; none where there is no such key. Raises Unusable."""
    entries = document.get("mcpServers", {})
    if not isinstance(entries, dict):
        raise Unusable("mcpServers must be an object of servers by name.")
    return cast("dict[str, Any]", entries)


def load_unique(content: bytes) -> Any:
    """Raises ValueError, also for a key that stands twice: the second would silently win."""

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            seen: set[str] = set()
            twice = next(key for key, _ in pairs if key in seen or seen.add(key))
            raise ValueError(f"the key {twice!r} stands there twice")
        return found

    try:
        return json.loads(content, object_pairs_hook=unique)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
