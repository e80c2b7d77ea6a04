"""How the demo counts tokens: a rule of its own, the same for what it receives and what it sends.

A token is up to six word characters or three other signs, with the space before them. A message
costs `PER_MESSAGE` and its texts; a prompt costs `PER_PROMPT`, its tool schemas and its messages.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

PER_MESSAGE = 4
PER_PROMPT = 3

_TOKEN = re.compile(r"\s?\w{1,6}|\s?[^\w\s]{1,3}|\s+")
_KNOWN_PREFIXES = 100_000


def pieces(text: str) -> list[str]:
    """`text` cut into its tokens; joined again they are `text`."""
    return _TOKEN.findall(text)


def count(text: str) -> int:
    return sum(1 for _ in _TOKEN.finditer(text))


def count_value(value: object) -> int:
    """Tokens of all texts and numbers in a JSON value; keys are free."""
    match value:
        case str():
            return count(value)
        case bool() | None:
            return 0
        case int() | float():
            return 1
        case Mapping():
            return sum(map(count_value, cast("Mapping[str, Any]", value).values()))
        case list():
            return sum(map(count_value, cast("list[Any]", value)))
        case _:
            return 0


@dataclass(frozen=True, slots=True)
class PromptCount:
    """`cached` is the part of `prompt` that an earlier request already brought, from its start."""

    prompt: int
    cached: int


class PromptCounter:
    """Counts prompts, and remembers their prefixes as a provider's prompt cache does."""

    def __init__(self) -> None:
        self._seen: dict[bytes, int] = {}

    def count(
        self,
        model: str,
        tools: Sequence[Mapping[str, Any]],
        messages: Sequence[Mapping[str, Any]],
    ) -> PromptCount:
        """Tokens of this prompt. A prefix of messages is cached only for equal model and tools."""
        if len(self._seen) > _KNOWN_PREFIXES:
            self._seen.clear()
        digest = _chain(b"", [model, list(tools)])
        total = PER_PROMPT + count_value(list(tools))
        cached = 0
        for message in messages:
            digest = _chain(digest, message)
            known = self._seen.get(digest)
            if known is None:
                total += PER_MESSAGE + count_value(message)
                self._seen[digest] = total
            else:
                total = cached = known
        return PromptCount(total, cached)


def _chain(digest: bytes, value: object) -> bytes:
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return hashlib.blake2b(digest + text.encode(), digest_size=16).digest()
