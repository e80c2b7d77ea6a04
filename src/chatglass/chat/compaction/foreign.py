"""A strategy of another package, held to the rules: what it gets wrong is named, and mended."""

from __future__ import annotations

from dataclasses import replace

from chatglass.chat.compaction.extractive import Extractive
from chatglass.chat.compaction.strategy import CompactionPlan, CompactionStrategy, CompactionTask


class Foreign:
    """`source`: the package that `strategy` is of."""

    def __init__(self, name: str, source: str, strategy: CompactionStrategy) -> None:
        self.name = name
        self._source = source
        self._strategy = strategy

    async def plan(self, task: CompactionTask) -> CompactionPlan | None:
        """Excerpts, where it fails, or cuts where it must not."""
        try:
            plan = await self._strategy.plan(task)
            fault = _fault(plan, task)
        # Foreign code: whatever it raises, the turn goes on; and it must not end the program.
        except (Exception, SystemExit) as error:  # noqa: BLE001
            plan, fault = None, f"{type(error).__name__}: {error}"
        if not fault:
            return plan
        plan = await Extractive().plan(task)
        note = (
            f"The compaction strategy {self.name!r} of {self._source} failed: {fault}. Excerpts stand "
            "for the older messages instead."
        )
        return plan and replace(plan, strategy=Extractive.name, note=note)


def _fault(plan: object, task: CompactionTask) -> str:
    """What is wrong with a plan; empty where nothing is."""
    if plan is None:
        return ""
    if not isinstance(plan, CompactionPlan):
        return f"it gave {type(plan).__name__} instead of a CompactionPlan"
    for name in ("summary", "strategy", "note"):
        if not isinstance(getattr(plan, name), str):
            return f"its {name} is no text"
    starts = [turn.first_message_id for turn in task.turns]
    if plan.first_kept_id not in starts:
        return "it cuts where no turn begins"
    if plan.elided_through is None or plan.elided_through == task.elided_through:
        return ""
    kept = task.turns[starts.index(plan.first_kept_id) :]
    if all(row.id != plan.elided_through for turn in kept for row in turn.rows):
        return "it leaves results out up to a message that it doesn't keep"
    return ""
