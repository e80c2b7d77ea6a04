"""Making the compaction row of a path, by a strategy."""

from __future__ import annotations

from dataclasses import replace

from chatglass.chat.compaction import CompactionStrategy
from chatglass.chat.context_size import ContextSize
from chatglass.chat.figures import RequestFigures
from chatglass.chat.shown_path import ShownPath
from chatglass.store.records import CompactionRow, SessionRow
from chatglass.values.clock import now_ms
from chatglass.values.ids import new_id


async def plan_compaction(
    strategy: CompactionStrategy,
    *,
    session: SessionRow,
    path: ShownPath,
    size: ContextSize,
    figures: RequestFigures,
    limit: int,
) -> CompactionRow | None:
    """What `strategy` makes of the path so that a request fits `limit`; it is not stored. None
    where nothing can be left out."""
    turns = size.turns(session, path)
    before = size.parts(session, path, figures).total
    overhead = max(before - sum(turn.tokens for turn in turns), 0)
    plan = await strategy.plan(turns, max(limit - overhead, 1))
    anchor = path.leaf_id
    if plan is None or anchor is None:
        return None
    row = CompactionRow(
        id=new_id(),
        session_id=session.id,
        anchor_id=anchor,
        first_kept_id=plan.first_kept_id,
        strategy=strategy.name,
        created_at=now_ms(),
        summary=plan.summary,
        tokens_before=before,
    )
    after = path.with_compaction(row)
    return replace(row, tokens_after=size.parts(session, after, figures).total)
