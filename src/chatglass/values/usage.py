"""Usage and cost of requests: the two figures every screen shows, with where each comes from."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Literal

UsageSource = Literal["reported", "estimated"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Tokens of one request, or a sum over requests.

    `cached_tokens` and `cache_write_tokens` are part of `prompt_tokens`; `reasoning_tokens` are
    part of `completion_tokens` (the convention of OpenAI's `usage` object). `raw` is the
    provider's own object as JSON text, and None where there was none and for sums.
    """

    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int = 0
    cache_write_tokens: int = 0
    reasoning_tokens: int = 0
    source: UsageSource = "reported"
    raw: str | None = None

    @property
    def total_tokens(self) -> int:
        return self.prompt_tokens + self.completion_tokens

    def filled(self, estimate: Usage | None) -> Usage:
        """With the estimate's count of prompt or answer where the provider reported none, though
        there was one: estimated then."""
        if estimate is None:
            return self
        prompt = self.prompt_tokens or estimate.prompt_tokens
        completion = self.completion_tokens or estimate.completion_tokens
        if (prompt, completion) == (self.prompt_tokens, self.completion_tokens):
            return self
        return replace(self, prompt_tokens=prompt, completion_tokens=completion, source="estimated")

    def __add__(self, other: Usage) -> Usage:
        """The sum; estimated as soon as one part is."""
        return Usage(
            prompt_tokens=self.prompt_tokens + other.prompt_tokens,
            completion_tokens=self.completion_tokens + other.completion_tokens,
            cached_tokens=self.cached_tokens + other.cached_tokens,
            cache_write_tokens=self.cache_write_tokens + other.cache_write_tokens,
            reasoning_tokens=self.reasoning_tokens + other.reasoning_tokens,
            source="estimated" if "estimated" in (self.source, other.source) else "reported",
        )


@dataclass(frozen=True, slots=True)
class Cost:
    """What a request cost. `usd` is None where no price is known, and 0 where it is known to be free.

    `source` says who set the price: `provider`, `settings`, `genai-prices X.Y.Z`, `local`, `demo`
    or `unknown`.
    """

    usd: Decimal | None
    source: str


UNPRICED = Cost(None, "unknown")


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """What some requests used: those of a turn, of a model, of today, or the shares of them that
    results of a tool were. `cost` is None where nothing of it could be priced."""

    name: str = ""
    requests: int = 0
    tokens: int = 0
    cost: Decimal | None = None
    unpriced: int = 0
    """Requests with usage that no price was known for."""
    estimated: bool = False
    """The usage of a part of them is our estimate."""


FREE_SOURCES = frozenset({"local", "demo"})
"""Price sources of endpoints that cost nothing."""


class UsageSum:
    """The one way in which usage and costs of requests are added up, wherever they are shown."""

    def __init__(self) -> None:
        self.usage = Usage()
        self.cost = Decimal(0)
        """Of what could be priced."""
        self.used = 0
        """How many requests with usage were added."""
        self.unpriced = 0

    def add(self, usage: Usage, cost: Decimal | None) -> None:
        """Add a request that has usage."""
        self.used += 1
        self.usage = self.usage + usage
        if cost is None:
            self.unpriced += 1
        else:
            self.cost += cost

    @property
    def estimated(self) -> bool:
        return self.usage.source == "estimated"

    @property
    def known_cost(self) -> Decimal | None:
        """None where there is nothing that could be priced."""
        return None if not self.cost and (self.unpriced or not self.used) else self.cost

    @property
    def whole_cost(self) -> Decimal | None:
        """None as soon as a part of it could not be priced."""
        return None if self.unpriced else self.cost

    def spent(self, requests: int, name: str = "") -> Spent:
        return Spent(
            name=name,
            requests=requests,
            tokens=self.usage.total_tokens,
            cost=self.known_cost,
            unpriced=self.unpriced,
            estimated=self.estimated,
        )
