"""Compaction: what is sent instead of old messages when the next request would pass the limit.

A strategy looks at the turns that are in the context now and says from which message on they are
kept as they are, and what text stands for the rest. Cuts lie between turns, so that tool calls and
their results stay together. The transcript keeps everything.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class ContextTurn:
    """One turn as it is in the context: its first message and its estimated tokens."""

    turn_id: str
    first_message_id: str
    tokens: int


@dataclass(frozen=True, slots=True)
class CompactionPlan:
    """Keep what begins at `first_kept_id`; send `summary` for what lay before it."""

    first_kept_id: str
    summary: str


class CompactionStrategy(Protocol):
    @property
    def name(self) -> str: ...

    async def plan(self, turns: Sequence[ContextTurn], budget: int) -> CompactionPlan | None:
        """How to bring `turns` (oldest first) to at most `budget` tokens; the last turn is always
        kept. None where nothing can be left out."""
        ...


class Trim:
    """Leaves the oldest turns out, down to half of the budget.

    Half, so that the prefix stays the same for many turns and providers' prompt caches hit.
    """

    name = "trim"

    async def plan(self, turns: Sequence[ContextTurn], budget: int) -> CompactionPlan | None:
        if len(turns) < 2:
            return None
        kept = len(turns) - 1
        tokens = turns[kept].tokens
        while kept > 1 and tokens + turns[kept - 1].tokens <= budget // 2:
            kept -= 1
            tokens += turns[kept].tokens
        left_out = "turn is" if kept == 1 else f"{kept} turns are"
        return CompactionPlan(
            turns[kept].first_message_id,
            f"[The conversation so far is long: its first {left_out} not included here.]",
        )


STRATEGIES: dict[str, CompactionStrategy] = {"trim": Trim()}
