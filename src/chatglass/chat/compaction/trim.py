"""`trim`: the oldest turns are left out, and nothing stands for them."""

from __future__ import annotations

from chatglass.chat.compaction.framing import body_of, framed, left_out
from chatglass.chat.compaction.strategy import CompactionPlan, CompactionTask, first_kept

_LARGEST_FORMER = 4
"""A summary that another strategy made is carried along while it is at most a fourth of the budget."""


class Trim:
    """Leaves the oldest turns out, down to half of the budget.

    Half, so that the prefix stays the same for many turns and providers' prompt caches hit.
    """

    name = "trim"

    async def plan(self, task: CompactionTask) -> CompactionPlan | None:
        if len(task.turns) < 2:
            return None
        former = carried(task)
        room = task.budget // 2 - (task.measure(former) if former else 0)
        kept = max(first_kept(task.turns, room), 1)
        return CompactionPlan(
            first_kept_id=task.turns[kept].first_message_id,
            summary=framed(left_out(task.earlier_turns + kept), former),
        )


def carried(task: CompactionTask) -> str:
    """What a former summary said, where there is room for it."""
    body = body_of(task.former)
    return body if body and task.measure(body) <= task.budget // _LARGEST_FORMER else ""
