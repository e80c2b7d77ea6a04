"""Compactor: compacts the context of a session and tells what happens."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from chatglass.chat.compaction.planning import Planned, Planner
from chatglass.chat.compaction.strategy import CompactionStrategy
from chatglass.chat.compaction.summary_request import SummaryRequests, summary_model
from chatglass.chat.compaction.versions import place_of_fold
from chatglass.chat.events import Compacted, Compacting
from chatglass.chat.ports import BeforeRequest
from chatglass.chat.turn_events import TurnEvents
from chatglass.models.wire import ModelRef
from chatglass.values.ids import new_id

if TYPE_CHECKING:
    from chatglass.chat.chat_context import ChatContext

_NEVER_ASKS = frozenset({"extractive", "elide-tool-results", "trim"})


class Compactor:
    def __init__(self, context: ChatContext, before_request: BeforeRequest) -> None:
        self._context = context
        self._before_request = before_request

    async def run(
        self,
        events: TurnEvents,
        *,
        limit: int | None = None,
        instructions: str = "",
        by_hand: bool = False,
    ) -> bool:
        """Leave out what can be, by the session's strategy, so that a request fits `limit` (None:
        the limit in force). False where nothing can be left out, or nothing would be gained."""
        context = self._context
        context.size.calibrate(context.session, context.path, context.requests.figures)
        strategy, fault = context.compaction.strategy()
        if fault:
            events.notice(
                "warning", fault, "context.strategy in the settings chooses another.", "compaction"
            )
        model = summary_model(context, context.compaction.choice.summary_model)
        summaries = SummaryRequests(
            context,
            events,
            self._before_request,
            compaction_id=new_id(),
            model=model,
            window=await self._window(model),
        )
        events.emit(
            Compacting(
                **events.stamp(),
                strategy=strategy.name,
                model="" if strategy.name in _NEVER_ASKS else model.model,
                tokens_before=context.context_parts().total,
            )
        )
        planned = await self._plan(strategy, summaries, limit, instructions, by_hand)
        if planned is None:
            return False
        if planned.note:
            events.notice("warning", planned.note, kind="compaction")
        await self._store(planned, summaries, events)
        return True

    async def _window(self, model: ModelRef) -> int | None:
        context = self._context
        if model == context.model:
            return context.size.window
        return await context.models.context_window(model)

    async def _plan(
        self,
        strategy: CompactionStrategy,
        summaries: SummaryRequests,
        limit: int | None,
        instructions: str,
        by_hand: bool,
    ) -> Planned | None:
        context = self._context
        planner = Planner(
            compaction_id=summaries.compaction_id,
            session=context.session,
            path=context.path,
            size=context.size,
            figures=context.requests.figures,
            limit=context.limit() if limit is None else min(limit, context.limit()),
            measure=context.estimate,
            instructions=instructions,
            summariser=summaries,
        )
        return await planner.plan(strategy, by_hand=by_hand)

    async def _store(
        self, planned: Planned, summaries: SummaryRequests, events: TurnEvents
    ) -> None:
        context = self._context
        row = planned.row
        if row.strategy not in _NEVER_ASKS:
            row = replace(row, request_id=summaries.last_id)
        await context.add_compaction(row)
        effort = context.requests.figures.efforts.of(row.id)
        sent = context.path.rows
        events.emit(
            Compacted(
                **events.stamp(),
                compaction_id=row.id,
                strategy=row.strategy,
                tokens_before=row.tokens_before,
                tokens_after=row.tokens_after,
                messages=context.path.place_of(row.first_kept_id) or 0,
                model=effort.model if row.request_id else "",
                cost_usd=effort.total.known_cost,
                duration_ms=effort.milliseconds,
                shown_before=place_of_fold(
                    row, sent, {each.id: n for n, each in enumerate(sent)}.get
                ),
            )
        )
