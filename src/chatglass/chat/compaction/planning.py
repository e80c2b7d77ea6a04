"""Making the compaction row of a path, by a strategy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from chatglass.chat.compaction.elide import elide, standing
from chatglass.chat.compaction.strategy import (
    CompactionPlan,
    CompactionStrategy,
    CompactionTask,
    Summariser,
)
from chatglass.chat.compaction.trim import Trim
from chatglass.chat.context_size import ContextSize
from chatglass.chat.figures import RequestFigures
from chatglass.chat.shown_path import ShownPath
from chatglass.store.records import CompactionRow, SessionRow
from chatglass.values.clock import now_ms
from chatglass.values.text import storable


@dataclass(frozen=True, slots=True)
class Planned:
    """A compaction that is not stored yet, and what is to be said of it."""

    row: CompactionRow
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Planner:
    """What a compaction of one session is planned by. `limit`: the most tokens of a request."""

    compaction_id: str
    session: SessionRow
    path: ShownPath
    size: ContextSize
    figures: RequestFigures
    limit: int
    measure: Callable[[str], int]
    instructions: str = ""
    summariser: Summariser | None = None

    async def plan(self, strategy: CompactionStrategy, *, by_hand: bool = False) -> Planned | None:
        """What `strategy` makes of the path so that a request fits. None where nothing can be left
        out, or nothing would be gained.

        Where it does not fit, results inside the last turn are left out; where that does not help
        either, the oldest turns are, unless the user asked for it `by_hand`."""
        task = self._task()
        before = self._before()
        plan = await strategy.plan(task)
        best: Planned | None = None
        for made in (plan, None if by_hand else await self._trimmed(task, plan)):
            for tried in self._tries(task, strategy.name, made, before):
                if tried.row.tokens_after >= before:
                    continue
                if tried.row.tokens_after <= self.limit:
                    return tried
                if best is None or tried.row.tokens_after < best.row.tokens_after:
                    best = tried
        return best

    async def _trimmed(
        self, task: CompactionTask, plan: CompactionPlan | None
    ) -> CompactionPlan | None:
        made = await Trim().plan(task)
        if made is None:
            return None
        kept = [row for turn in task.turns for row in turn.rows]
        first = next(i for i, row in enumerate(kept) if row.id == made.first_kept_id)
        note = plan.note if plan is not None else ""
        if plan is not None:
            fits = "What stands for them did not fit, so the oldest turns were left out."
            note = f"{note} {fits}".strip()
        through = standing(task.elided_through, kept[first:])
        return replace(made, strategy=Trim.name, note=note, elided_through=through)

    def _tries(
        self, task: CompactionTask, name: str, plan: CompactionPlan | None, before: int
    ) -> list[Planned]:
        """The plan as it is, and, where it is too large, with stubs inside what it keeps."""
        if plan is None:
            first = task.turns[0].first_message_id if task.turns else None
            if first is None:
                return []
            plan = CompactionPlan(
                first_kept_id=first, summary=task.former, elided_through=task.elided_through,
                strategy="elide-tool-results",
            )  # fmt: skip
            made = self._row(name, plan, before)
        else:
            made = self._row(name, plan, before)
            if made.tokens_after <= self.limit:
                return [Planned(made, plan.note)]
        inside = self._with_stubs(task, plan, made.tokens_after)
        tries = [Planned(made, plan.note)]
        if inside is not None:
            tries.append(Planned(self._row(name, inside, before), inside.note))
        return tries

    def _with_stubs(
        self, task: CompactionTask, plan: CompactionPlan, tokens: int
    ) -> CompactionPlan | None:
        """Leave out the oldest results of what the plan keeps too, down to three quarters."""
        rows = [row for turn in task.turns for row in turn.rows]
        first = next(i for i, row in enumerate(rows) if row.id == plan.first_kept_id)
        kept = rows[first:]
        after = standing(plan.elided_through or task.elided_through, kept)
        found = elide(task, kept, tokens - self.limit * 3 // 4, after=after)
        if found.through is None:
            return None
        return replace(plan, elided_through=found.through)

    def _task(self) -> CompactionTask:
        turns = self.size.turns(self.session, self.path)
        estimated = self.size.estimated_parts(self.session, self.path)
        budget = round(self.limit / self._scale()) - estimated.system - estimated.tools
        former = self.path.compaction()
        first = turns[0].first_message_id if turns else ""
        return CompactionTask(
            turns=turns,
            budget=max(budget, 1),
            former=former.summary if former else "",
            earlier_turns=self.path.turns_before(self.path.place_of(first) or 0),
            elided_through=former.elided_through if former else None,
            instructions=self.instructions,
            measure=self.measure,
            summariser=self.summariser,
        )

    def _before(self) -> int:
        return self.size.parts(self.session, self.path, self.figures).total

    def _scale(self) -> float:
        """What one estimated token is in tokens as they are reported, which is what limits mean."""
        estimated = self.size.estimated_parts(self.session, self.path).total
        return max(self._before() / max(estimated, 1), 0.1)

    def _row(self, name: str, plan: CompactionPlan, before: int) -> CompactionRow:
        anchor = self.path.leaf_id
        assert anchor is not None
        row = CompactionRow(
            id=self.compaction_id,
            session_id=self.session.id,
            anchor_id=anchor,
            first_kept_id=plan.first_kept_id,
            strategy=plan.strategy or name,
            created_at=now_ms(),
            summary=storable(plan.summary),
            elided_through=plan.elided_through,
            tokens_before=before,
        )
        after = self.size.estimated_parts(self.session, self.path.with_compaction(row)).total
        return replace(row, tokens_after=round(after * self._scale()))
