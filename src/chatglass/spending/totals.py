"""Sums of what was spent, by the store's own sums over request rows."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from chatglass.spending.days import day_bounds
from chatglass.store.protocol import SessionStore, StoreError
from chatglass.store.usage_records import UsageQuery, UsageRow
from chatglass.values.clock import now_ms
from chatglass.values.usage import Spent


async def spent_today(store: SessionStore) -> Spent | None:
    """All sessions since midnight, local time. None where the store can't say: figures are no
    reason to fail."""
    since, until = day_bounds(now_ms())
    try:
        return spent(await store.usage(UsageQuery(by="day", since=since, until=until)))
    except StoreError:
        return None


def spent(rows: Iterable[UsageRow], name: str = "") -> Spent:
    """The sum of these rows."""
    total = sum_of(rows, name)
    return Spent(
        name=name,
        requests=total.requests,
        tokens=total.total_tokens,
        cost=known_cost(total),
        unpriced=total.unpriced_requests,
        estimated=total.estimated_requests > 0,
    )


def sum_of(rows: Iterable[UsageRow], name: str = "") -> UsageRow:
    """One row with the sums of all."""
    counts = dict.fromkeys(_COUNTS, 0)
    cost = Decimal(0)
    for row in rows:
        cost += row.cost
        for each in _COUNTS:
            counts[each] += getattr(row, each)
    return UsageRow(name=name, cost=cost, **counts)


def known_cost(row: UsageRow) -> Decimal | None:
    """None where there was usage and none of it could be priced."""
    return None if not row.cost and (row.unpriced_requests or not row.total_tokens) else row.cost


_COUNTS = (
    "requests",
    "unpriced_requests",
    "free_requests",
    "estimated_requests",
    "calls",
    "prompt_tokens",
    "completion_tokens",
    "cached_tokens",
    "cache_write_tokens",
    "reasoning_tokens",
)
