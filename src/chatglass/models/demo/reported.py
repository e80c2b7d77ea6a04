"""The usage that a demo server has reported, summed up."""

from __future__ import annotations

from dataclasses import dataclass

from chatglass.models.wire import JsonObject


@dataclass(slots=True)
class Reported:
    """Sums of the usage that was sent."""

    requests: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int = 0
    reasoning_tokens: int = 0

    def add(self, usage: JsonObject) -> None:
        self.requests += 1
        self.prompt_tokens += usage.get("prompt_tokens") or 0
        self.completion_tokens += usage.get("completion_tokens") or 0
        details: JsonObject = usage.get("prompt_tokens_details") or {}
        self.cached_tokens += details.get("cached_tokens") or 0
        details = usage.get("completion_tokens_details") or {}
        self.reasoning_tokens += details.get("reasoning_tokens") or 0
