"""Putting the figures of a session together from its ledger and its request rows."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from chatglass.chat.compaction.versions import made
from chatglass.chat.stats import TokenStats
from chatglass.spending.totals import spent_today

if TYPE_CHECKING:
    from chatglass.chat.chat_context import ChatContext


async def token_stats(context: ChatContext) -> TokenStats:
    """`TokenStats` of one moment: what the ledger shows is of the same requests as the rest."""
    stats, totals = _of_rows(context), context.requests.figures.totals()
    ledger = await context.ledger.stats(totals)
    stats = replace(stats, today=await spent_today(context.store))
    if ledger is None:
        return replace(stats, degraded=context.ledger.degraded)
    return replace(
        stats,
        total_tokens=ledger.total_tokens,
        estimated_cost=None if stats.estimated_cost is None else ledger.estimated_cost,
        tool_calls=ledger.tool_calls,
    )


def _of_rows(context: ChatContext) -> TokenStats:
    figures = context.requests.figures
    turn = figures.turn(context.turn_id)
    return TokenStats(
        total_tokens=figures.usage.total_tokens,
        estimated_cost=figures.known_cost(),
        tool_calls=context.calls.count,
        segments=1 + made(context.compactions),
        requests=figures.requests,
        unpriced_requests=figures.unpriced,
        input_tokens=figures.usage.prompt_tokens,
        output_tokens=figures.usage.completion_tokens,
        cached_tokens=figures.usage.cached_tokens,
        reasoning_tokens=figures.usage.reasoning_tokens,
        source=figures.usage.source,
        turn_requests=turn.requests,
        turn_tokens=turn.tokens,
        turn_cost=turn.cost,
        turn_unpriced=turn.unpriced,
        turn_estimated=turn.estimated,
        by_model=figures.by_model(),
        by_tool=figures.by_tool(),
        context=context.context_parts(),
        limit=context.limit() if context.size.is_window_asked else None,
        strategy=context.compaction.strategy_name if context.infinite else "",
        turns_left=context.size.turns_left(context.session, context.path, figures),
        window=context.size.window,
        pending=context.requests.pending,
        cost_by_turn=figures.cost_by_turn(),
        tokens_per_second=figures.tokens_per_second(),
        first_token_ms=figures.first_token_ms(),
    )
