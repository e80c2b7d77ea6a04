"""Rows of what was used and spent, as values; times and costs as in `records`."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

UsageBy = Literal["day", "model", "tool", "session"]


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageQuery:
    """What requests to sum, and by what. `since` is the first millisecond, `until` the first one
    that is no more meant; `model` is (endpoint, model). With `tool` only the shares that results of
    that tool had in the requests are summed (`RequestRow.tool_shares`)."""

    by: UsageBy
    since: int | None = None
    until: int | None = None
    session_id: str | None = None
    model: tuple[str, str] | None = None
    tool: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageRow:
    """Sums over the requests of one day, model, tool or session. Running requests are left out.

    By tool (and for one tool), `prompt_tokens` and `cost` are estimated shares, and the other
    tokens 0. `cost` is the sum of what could be priced.
    """

    name: str
    """The local day (`2025-03-09`), the model, the tool, or the id of the session."""
    endpoint: str = ""
    """Of a model."""
    title: str = ""
    """Of a session."""
    requests: int = 0
    unpriced_requests: int = 0
    """Those with usage that no price was known for."""
    free_requests: int = 0
    """Those to an endpoint that costs nothing."""
    estimated_requests: int = 0
    """Those whose usage is our estimate."""
    calls: int = 0
    """By tool: how often it was called."""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int = 0
    cache_write_tokens: int = 0
    reasoning_tokens: int = 0
    cost: Decimal = Decimal(0)

    @property
    def total_tokens(self) -> int:
        return self.prompt_tokens + self.completion_tokens


@dataclass(frozen=True, slots=True, kw_only=True)
class Reserved:
    """Answer to a reservation. `spent` is the cost of the requests of the time that was asked for,
    `reserved` what other sessions have reserved in it; `made` whether the amount fitted."""

    made: bool
    spent: Decimal
    reserved: Decimal
