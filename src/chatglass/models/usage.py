"""Reading a provider's `usage` object, whose fields differ from server to server."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, cast

from chatglass.values.text import storable
from chatglass.values.usage import Usage


def read_usage(value: object) -> Usage | None:
    """The usage a provider reported, or None where it reported none.

    `prompt_tokens` of the result always holds the cached tokens, which Anthropic's own names have
    beside it, and `completion_tokens` the reasoning tokens: xAI reports them beside it, and Google
    only in `total_tokens`. A count that was left out is 0.
    """
    if not isinstance(value, dict):
        return None
    usage = cast("Mapping[str, Any]", value)
    prompt = _count(usage, "prompt_tokens", "input_tokens")
    completion = _count(usage, "completion_tokens", "output_tokens")
    if not prompt and not completion:
        return None
    prompt_details = _details(usage, "prompt_tokens_details", "input_tokens_details")
    details = _details(usage, "completion_tokens_details", "output_tokens_details")
    # prompt_cache_hit_tokens: DeepSeek; cached_tokens on top: Moonshot.
    cached = _count(prompt_details, "cached_tokens") or _count(
        usage, "prompt_cache_hit_tokens", "cached_tokens", "cache_read_input_tokens"
    )
    # cache_write_tokens: OpenRouter; cache_creation_*: LiteLLM and Anthropic's own names.
    written = _count(
        prompt_details, "cache_write_tokens", "cache_creation_tokens", "cache_creation_input_tokens"
    ) or _count(usage, "cache_creation_input_tokens", "cache_write_tokens")
    if _is_beside_the_prompt(usage, cached + written):
        prompt += cached + written
    # thinking_tokens: Anthropic.
    reasoning = _count(details, "reasoning_tokens", "thinking_tokens")
    reasoning = reasoning or _count(usage, "reasoning_tokens")
    beside = _count(usage, "total_tokens") - prompt - completion
    if beside > 0 and prompt and (not reasoning or reasoning == beside):
        # Where there is no other count of the answer, it is the answer that the total holds more.
        reasoning = beside if completion or "completion_tokens" in usage else reasoning
        completion += beside
    return Usage(
        prompt_tokens=prompt,
        completion_tokens=completion,
        cached_tokens=min(cached, prompt),
        cache_write_tokens=min(written, max(0, prompt - cached)),
        reasoning_tokens=min(reasoning, completion),
        source="reported",
        raw=storable(json.dumps(usage, ensure_ascii=False)),
    )


def _is_beside_the_prompt(usage: Mapping[str, Any], cached: int) -> bool:
    """Whether the prompt's count leaves out what was read from the cache and written to it, as
    Anthropic's own counts do, under their own names or under OpenAI's."""
    if not _count(usage, "cache_read_input_tokens", "cache_creation_input_tokens"):
        return False
    if "prompt_tokens" in usage:
        return cached > _count(usage, "prompt_tokens")
    return "input_tokens_details" not in usage


def _details(usage: Mapping[str, Any], *names: str) -> Mapping[str, Any]:
    for name in names:
        value = usage.get(name)
        if isinstance(value, dict):
            return cast("Mapping[str, Any]", value)
    return {}


def _count(values: Mapping[str, Any], *names: str) -> int:
    """The first of `names` that is a count above 0, else 0."""
    for name in names:
        value = values.get(name)
        if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < 1e15:
            return int(value)
    return 0
