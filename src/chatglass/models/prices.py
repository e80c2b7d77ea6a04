"""What a request cost, and where the price comes from.

First `free = true` of the endpoint, then the provider's own figure, then the settings' price of the
model, then nothing for a server that runs models on this machine, then genai-prices for the provider
whose address it is. A model on an address that no price list knows is unpriced, however well known its
name: that would be a guess.
"""

from __future__ import annotations

import functools
import json
import re
import threading
import warnings
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit

from chatglass.models.deltas import as_object
from chatglass.models.wire import Endpoint
from chatglass.values.usage import UNPRICED, Cost, Usage

if TYPE_CHECKING:
    from pathlib import Path

    from genai_prices.data_snapshot import DataSnapshot
    from genai_prices.types import ModelInfo, Provider

_HOUR = "ephemeral_1h_input_tokens"
_QUANTUM = Decimal("1e-12")
_MILLION = Decimal(1_000_000)
_TICKS = Decimal(10**10)
"""Of a dollar: https://docs.x.ai/developers/cost-tracking."""


class Price(Protocol):
    """`[prices."MODEL"]` of the settings: USD per million tokens."""

    @property
    def input(self) -> Decimal: ...
    @property
    def output(self) -> Decimal: ...
    @property
    def cached_input(self) -> Decimal | None: ...
    @property
    def cache_write(self) -> Decimal | None: ...


def price(
    endpoint: Endpoint,
    model: str,
    usage: Usage,
    prices: Mapping[str, Price],
    at: int | None = None,
) -> Cost:
    """What `usage` costs for `model` on `endpoint` in a request that began at `at` (milliseconds,
    None: now): some prices change with the hour or from a day on. Never raises."""
    known = _without_list(endpoint, model, usage, prices)
    return _by_list(endpoint.base_url, model, usage, at) if known is None else known


def price_at_hand(
    endpoint: Endpoint, model: str, usage: Usage, prices: Mapping[str, Price]
) -> Cost:
    """The same, and unknown where it is in a list that is not imported yet: for the event loop,
    which that import would hold up for 0.1 s."""
    known = _without_list(endpoint, model, usage, prices)
    if known is None:
        known = _by_list(endpoint.base_url, model, usage) if _is_imported.is_set() else UNPRICED
    return known


def _without_list(
    endpoint: Endpoint, model: str, usage: Usage, prices: Mapping[str, Price]
) -> Cost | None:
    """Where no list needs to be asked."""
    if endpoint.is_demo:
        return Cost(Decimal(0), "demo")
    if endpoint.free:
        return Cost(Decimal(0), "local")
    if (reported := _reported_cost(usage.raw)) is not None:
        return Cost(_quantised(reported), "provider")
    if (set_by_user := prices.get(model)) is not None:
        return Cost(_quantised(_by_settings(set_by_user, usage)), "settings")
    if endpoint.is_free:
        return Cost(Decimal(0), "local")
    return None


def prompt_cost(
    endpoint: Endpoint,
    model: str,
    usage: Usage,
    prices: Mapping[str, Price],
    cost: Cost,
    at: int | None = None,
) -> Decimal | None:
    """What of `cost` the prompt took: by the price list, which also divides a cost that the provider
    reported. None where no list has the model."""
    if not cost.usd:
        return cost.usd
    listed = replace(usage, raw=None)
    whole = price(endpoint, model, listed, prices, at).usd
    prompt = price(
        endpoint, model, replace(listed, completion_tokens=0, reasoning_tokens=0), prices, at
    )
    if not whole or prompt.usd is None:
        return None
    return _quantised(cost.usd * min(prompt.usd / whole, Decimal(1)))


def context_window(base_url: str, model: str) -> int | None:
    """The context window that genai-prices has for `model` at that provider. Slow at the first
    call where `preload()` has not run (imports)."""
    found = _listed(base_url, model)
    return found[1].context_window if found else None


def warm() -> None:
    """Import genai-prices and build what it builds at first use."""
    _by_list("https://api.openai.com/v1", "gpt-4o", Usage(prompt_tokens=1, completion_tokens=1))


def _quantised(usd: Decimal) -> Decimal:
    return usd.quantize(_QUANTUM)


def _reported_cost(raw: str | None) -> Decimal | None:
    """The cost in USD in a provider's usage object: OpenRouter's `cost` (with its own key at the
    provider behind it also `cost_details.upstream_inference_cost`), Perplexity's
    `cost.total_cost`, DeepInfra's `estimated_cost`, xAI's `cost_in_usd_ticks`."""
    if not raw or "cost" not in raw:
        return None
    usage = as_object(json.loads(raw, parse_float=Decimal))
    cost = _amount(usage.get("cost"))
    if cost is None:
        cost = _amount(as_object(usage.get("cost")).get("total_cost"))
    if cost is None:
        ticks = usage.get("cost_in_usd_ticks")
        if isinstance(ticks, int | Decimal):
            return _amount(Decimal(ticks) / _TICKS)
        return _amount(usage.get("estimated_cost"))
    if usage.get("is_byok") is True:
        details = as_object(usage.get("cost_details"))
        cost += _amount(details.get("upstream_inference_cost")) or 0
    return cost


def _amount(value: object) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, int | str | Decimal):
        return None
    try:
        amount = Decimal(value)
    except InvalidOperation:
        return None
    return amount if amount.is_finite() and 0 <= amount < _MILLION else None


def _by_settings(price: Price, usage: Usage) -> Decimal:
    cached = price.input if price.cached_input is None else price.cached_input
    written = price.input if price.cache_write is None else price.cache_write
    plain = max(0, usage.prompt_tokens - usage.cached_tokens - usage.cache_write_tokens)
    total = (
        plain * price.input
        + usage.cached_tokens * cached
        + usage.cache_write_tokens * written
        + usage.completion_tokens * price.output
    )
    return total / _MILLION


def _by_list(base_url: str, model: str, usage: Usage, at: int | None = None) -> Cost:
    found = _listed(base_url, model)
    return UNPRICED if found is None else by_model(*found, usage, at)


def by_model(provider: Provider, info: ModelInfo, usage: Usage, at: int | None = None) -> Cost:
    """What `usage` costs by the prices of one model of the list, as `price` has it."""
    import genai_prices

    prompt, completion = usage.prompt_tokens, usage.completion_tokens
    counts = {
        "input_tokens": prompt,
        "output_tokens": completion,
        "cache_read_tokens": min(usage.cached_tokens, prompt),
        "cache_write_tokens": min(usage.cache_write_tokens, max(0, prompt - usage.cached_tokens)),
        "output_reasoning_tokens": min(usage.reasoning_tokens, completion),
        **_dearer_tokens(usage),
    }
    begun = None if at is None else datetime.fromtimestamp(at / 1000, UTC)
    try:
        with warnings.catch_warnings():
            # It warns on stderr, over the screen, of units that it does not price.
            warnings.simplefilter("ignore")
            cost = info.calc_price(
                genai_prices.Usage(**counts), provider, genai_request_timestamp=begun
            )
    except (ValueError, LookupError):
        # A model priced in units that a chat answer does not report (images, seconds).
        return UNPRICED
    if not cost.total_price and usage.total_tokens and not _has_token_price(info):
        return UNPRICED
    return Cost(_quantised(cost.total_price), list_version())


def _dearer_tokens(usage: Usage) -> dict[str, int]:
    """Sound in and out, which costs more than text: `audio_tokens` in OpenAI's details; and what
    Anthropic keeps in its cache for an hour instead of five minutes."""
    if not usage.raw or ("audio_tokens" not in usage.raw and _HOUR not in usage.raw):
        return {}
    raw = as_object(json.loads(usage.raw))
    counts: dict[str, int] = {}
    for place in (raw, as_object(raw.get("prompt_tokens_details"))):
        written = as_object(place.get("cache_creation")).get(_HOUR)
        if isinstance(written, int) and 0 < written <= usage.cache_write_tokens:
            counts["cache_write_1h_tokens"] = written
    for name, details, most in (
        ("input_audio_tokens", "prompt_tokens_details", usage.prompt_tokens),
        ("output_audio_tokens", "completion_tokens_details", usage.completion_tokens),
    ):
        tokens = as_object(raw.get(details)).get("audio_tokens")
        if isinstance(tokens, int) and 0 < tokens <= most:
            counts[name] = tokens
    return counts


_is_imported = threading.Event()

_kept_files: list[Path] = []
"""A list that `price_list.update` kept and that is not read yet."""


def use_file(path: Path) -> None:
    """Where a newer list may be kept; read when the first price is asked for."""
    _kept_files[:] = [path]


def in_force() -> DataSnapshot:
    """The list that prices come from."""
    from genai_prices.data_snapshot import get_snapshot

    if _kept_files:
        from chatglass.models.price_list import use_updated

        use_updated(_kept_files.pop())
    snapshot = get_snapshot()
    _is_imported.set()
    return snapshot


_updated_on: list[str] = []
"""The day of the list in force, where it is newer than the package's own."""


def list_version() -> str:
    """`genai-prices 0.2.3`, and the day where its list was updated."""
    import genai_prices

    return " ".join([f"genai-prices {genai_prices.__version__}", *_updated_on])


def list_changed(day: str) -> None:
    """Another list is in force, from that day."""
    _updated_on[:] = [day]
    _listed.cache_clear()


def _has_token_price(info: ModelInfo) -> bool:
    """Whether the list has a price for tokens at all; a free model's is 0."""
    sets = info.prices if isinstance(info.prices, list) else [info.prices]
    return any(
        getattr(getattr(s, "prices", s), name) is not None
        for s in sets
        for name in ("input_mtok", "output_mtok")
    )


@functools.lru_cache(maxsize=512)
def _listed(base_url: str, model: str) -> tuple[Provider, ModelInfo] | None:
    """The provider and model of the price list for an address, or None."""
    snapshot = in_force()
    provider = next((p for p in snapshot.providers if _is_at(p.api_pattern, base_url)), None)
    if provider is None:
        return None
    try:
        return snapshot.find_provider_model(model, provider, None, None)
    except LookupError:
        return None


def _is_at(pattern: str, base_url: str) -> bool:
    """Whether `base_url` is at a provider. The list's patterns are not anchored at the end of the
    host, so that `api.openai.com.example` would match: the match must hold the whole host."""
    try:
        parts = urlsplit(base_url)
        host = (parts.hostname or "").lower()
    except ValueError:
        return False
    if not host or parts.scheme != "https":
        return False
    start = f"https://{host}"
    # Dots only in the host: `https://(.*\.)?example\.com` must not find its name in the path.
    found = re.match(pattern, start + parts.path.replace(".", "_"))
    if found is None:
        return False
    if found.end() >= len(start):
        return True
    # `https://api\.moonshot\.`: any one top-level domain.
    return pattern.endswith(r"\.") and "." not in start[found.end() :]
