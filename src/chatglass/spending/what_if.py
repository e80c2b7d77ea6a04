"""What a session would have cost on other models.

Every request is priced again with the tokens that it had, the cached ones at the cached price. It is
an estimate: another model counts the same text differently, answers at another length, and its
provider's cache may hold more or less.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from chatglass.models import price_list
from chatglass.models.wire import ModelManager, ModelRef
from chatglass.store.records import RequestRow
from chatglass.values.usage import Cost, Usage

USUAL = (
    "openai/gpt-5.5",
    "openai/gpt-5.4-mini",
    "anthropic/claude-sonnet-5-5",
    "anthropic/claude-haiku-5-5",
    "google/gemini-3.8-flash",
    "x-ai/grok-4.7",
    "mistral/mistral-large-4",
    "deepseek/deepseek-v4-flash",
)
"""Compared with where no other models are named; those that the list lacks are left out."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A model to compare with, and how its usage is priced."""

    name: str
    price: Callable[[Usage, int], Cost]
    """With the time of the request."""


@dataclass(frozen=True, slots=True)
class WhatIf:
    """The session's requests at the prices of one model. `cost` is None where it has none."""

    name: str
    cost: Decimal | None
    source: str
    ratio: float | None
    """Of what the session really cost; None where that or this is unknown or nothing."""


def find_candidates(
    names: Sequence[str], models: ModelManager, endpoint: str
) -> tuple[list[Candidate], list[str]]:
    """The models of these names, and the names that nothing has a price for; without names the
    usual ones and those that the settings give a price.

    A name is that of a model on a configured endpoint (`ENDPOINT/MODEL`), of one that the settings
    give a price, or of the price list (`gpt-5`, `openrouter/openai/gpt-5`). Imports genai-prices.
    """
    found: list[Candidate] = []
    missing: list[str] = []
    for name in names or (*models.own_prices, *USUAL):
        candidate = _configured(name, models, endpoint) or _listed(name)
        if candidate is not None:
            found.append(candidate)
        elif names:
            missing.append(name)
    return list({candidate.name: candidate for candidate in found}.values()), missing


def _configured(name: str, models: ModelManager, endpoint: str) -> Candidate | None:
    place, _, model = name.partition("/")
    if model and place in models.endpoints:
        ref = ModelRef(place, model)
    elif name in models.own_prices:
        ref = ModelRef(endpoint, name)
    else:
        return None
    return Candidate(name, lambda usage, at: models.price(ref, usage, at))


def _listed(name: str) -> Candidate | None:
    found = price_list.find(name)
    if not found:
        return None
    return Candidate(found[0].name, lambda usage, at: price_list.price(found[0], usage, at))


def what_if(rows: Sequence[RequestRow], candidates: Iterable[Candidate]) -> list[WhatIf]:
    """Cheapest first, those without a price last."""
    used = [(row.usage, row.started_at) for row in rows if row.usage is not None]
    paid = real_cost(rows)
    found = [_priced(candidate, used, paid) for candidate in candidates]
    return sorted(found, key=lambda one: (one.cost is None, one.cost or 0, one.name))


def real_cost(rows: Sequence[RequestRow]) -> Decimal | None:
    """What they cost; None where one of them could not be priced."""
    counted = [row.cost for row in rows if row.usage is not None]
    priced = [cost for cost in counted if cost is not None]
    return sum(priced, Decimal(0)) if len(priced) == len(counted) else None


def _priced(
    candidate: Candidate, used: Sequence[tuple[Usage, int]], paid: Decimal | None
) -> WhatIf:
    costs = [candidate.price(replace(usage, raw=None), at) for usage, at in used]
    known = [cost.usd for cost in costs if cost.usd is not None]
    source = costs[0].source if costs else ""
    if len(known) < len(costs) or not costs:
        return WhatIf(candidate.name, None, source, None)
    total = sum(known, Decimal(0))
    return WhatIf(candidate.name, total, source, float(total / paid) if paid else None)
