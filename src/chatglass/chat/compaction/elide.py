"""`elide-tool-results`: old results of tools, and long texts in the arguments of old calls, become stubs;
the dialogue stays as it was said."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from chatglass.chat.compaction.strategy import CompactionPlan, CompactionTask, ContextTurn
from chatglass.chat.compaction.stubs import STUB_TOKENS, is_long_result, may_be_elided, shortened
from chatglass.chat.compaction.trim import Trim
from chatglass.chat.messages import to_wire
from chatglass.store.records import MessageRow


@dataclass(frozen=True, slots=True)
class Elided:
    """Results and arguments up to the message `through` are stubs (None: none), which saves `saved` tokens."""

    through: str | None
    saved: int = 0


def elide(
    task: CompactionTask, rows: Iterable[MessageRow], excess: int, *, after: str | None
) -> Elided:
    """The oldest results and long arguments of `rows` behind the message `after` whose stubs save `excess` tokens, or
    all of them."""
    through, saved = None, 0
    passed = after is None
    for row in rows:
        if not passed:
            passed = row.id == after
            continue
        gain = _gain(task, row)
        if gain <= 0:
            continue
        through, saved = row.id, saved + gain
        if saved >= excess:
            break
    return Elided(through, saved)


def _gain(task: CompactionTask, row: MessageRow) -> int:
    """Tokens that stubs save in a message."""
    if is_long_result(row):
        return max(task.measure(row.content) - STUB_TOKENS, 0)
    if not may_be_elided(row):
        return 0
    whole, short = (
        sum(task.measure(call["function"]["arguments"]) for call in message["tool_calls"])
        for message in (to_wire(row), shortened(row))
    )
    return max(whole - short, 0)


class ElideToolResults:
    """Stubs for the oldest results, until the turns take three fifths of the budget. Where that
    leaves more than three quarters, the oldest turns are left out too.

    The last turn is left as it is: a turn that is too large by itself is seen to elsewhere
    (`planning`).
    """

    name = "elide-tool-results"

    async def plan(self, task: CompactionTask) -> CompactionPlan | None:
        if len(task.turns) < 2:
            return None
        total = task.former_tokens + sum(turn.tokens for turn in task.turns)
        old = [row for turn in task.turns[:-1] for row in turn.rows]
        after = standing(task.elided_through, old)
        excess = total - task.budget * 3 // 5
        found = elide(task, old, excess, after=after) if excess > 0 else Elided(None)
        through = found.through or after
        if found.through and total - found.saved <= task.budget * 3 // 4:
            return CompactionPlan(
                first_kept_id=task.turns[0].first_message_id,
                summary=task.former,
                elided_through=through,
            )
        smaller = replace(task, turns=_with_stubs(task, after, found.through))
        trimmed = await Trim().plan(smaller)
        if trimmed is None:
            return None
        kept = _from(task.turns, trimmed.first_kept_id)
        return replace(trimmed, elided_through=standing(through, kept))


def standing(through: str | None, rows: Sequence[MessageRow]) -> str | None:
    """`through`, where it is one of these rows."""
    return through if any(row.id == through for row in rows) else None


def _from(turns: Sequence[ContextTurn], first_kept_id: str) -> list[MessageRow]:
    place = next(i for i, turn in enumerate(turns) if turn.first_message_id == first_kept_id)
    return [row for turn in turns[place:] for row in turn.rows]


def _with_stubs(task: CompactionTask, after: str | None, through: str | None) -> list[ContextTurn]:
    """The turns with the tokens they have when results behind `after` up to `through` are stubs."""
    if through is None:
        return list(task.turns)
    made: list[ContextTurn] = []
    passed, done = after is None, False
    for turn in task.turns:
        tokens = turn.tokens
        for row in turn.rows:
            if done or not passed:
                passed = passed or row.id == after
                continue
            tokens -= _gain(task, row)
            done = row.id == through
        made.append(replace(turn, tokens=max(tokens, 0)))
    return made
