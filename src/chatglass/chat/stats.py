"""TokenStats: the figures of a session, from one place for every screen."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from chatglass.values import figures
from chatglass.values.usage import Spent, UsageSource


@dataclass(frozen=True, slots=True, kw_only=True)
class ContextParts:
    """Estimated tokens of the next request, by what they are."""

    system: int = 0
    tools: int = 0
    history: int = 0
    tool_results: int = 0
    summary: int = 0
    draft: int = 0
    """Of what is written and not sent yet; 0 where that is not asked for."""

    @property
    def total(self) -> int:
        sent = self.system + self.tools + self.history + self.tool_results + self.summary
        return sent + self.draft


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenStats:
    """Figures of one session over all its branches.

    `total_tokens`, `estimated_cost` and `tool_calls` are read from `SessionManager.get_stats()`;
    the rest comes from the request rows. Costs in USD; None where no request could be priced.
    """

    total_tokens: int = 0
    estimated_cost: Decimal | None = None
    tool_calls: int = 0
    segments: int = 1
    """1 + compactions that were made."""
    requests: int = 0
    unpriced_requests: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    reasoning_tokens: int = 0
    source: UsageSource = "reported"
    turn_requests: int = 0
    turn_tokens: int = 0
    turn_cost: Decimal | None = None
    turn_unpriced: int = 0
    turn_estimated: bool = False
    """The usage of a part of the turn is our estimate."""
    today: Spent | None = None
    """All sessions of this store since midnight; None before it was read."""
    by_model: tuple[Spent, ...] = ()
    """Of this session, dearest first."""
    by_tool: tuple[Spent, ...] = ()
    """What the results of each tool have cost in this session so far, as they are sent again with
    every request: estimated, dearest first."""
    context: ContextParts = ContextParts()
    limit: int | None = None
    """The most tokens the next request may have; None before the model's window was asked for."""
    strategy: str = ""
    """How old messages are compacted at the limit; empty where they are not."""
    turns_left: int | None = None
    """About how many turns like the last ones fit before the limit; None with too few to say."""
    window: int | None = None
    """The model's context window, None where unknown."""
    pending: int = 0
    """Estimated tokens of the request in flight, which `total_tokens` does not hold yet."""
    cost_by_turn: tuple[Decimal, ...] = ()
    """The last 30 turns, oldest first."""
    tokens_per_second: float | None = None
    first_token_ms: int | None = None
    degraded: str | None = None
    """Why the ledger could not be used, where `total_tokens` comes from the request rows."""

    @property
    def cost_words(self) -> str:
        """What the session cost, as every place says it: `—` before anything was used and where no
        price is known, `free`, `$0.0183`, `≈ $0.0183`, or `$0.0183+` with unpriced requests."""
        return figures.cost(
            self.estimated_cost,
            about=self.source == "estimated",
            unpriced=self.unpriced_requests,
        )

    @property
    def free(self) -> bool:
        """Something was used, and all of it is known to cost nothing."""
        return self.estimated_cost == 0 and not self.unpriced_requests

    @property
    def context_tokens(self) -> int:
        return self.context.total

    @property
    def context_fraction(self) -> float | None:
        return self.context.total / self.limit if self.limit else None
