"""What a compaction strategy is given, and what it answers.

A strategy looks at the turns that are sent now and says from which message on they are kept as they
are, what text stands for the rest, and up to which message the results of tools become stubs. Cuts
lie between turns, so that tool calls and their results stay together. The transcript keeps
everything.

Other packages add one by the entry point `chatglass.compaction`: its name is the strategy's, its
object a class without arguments (or a function) that gives a `CompactionStrategy`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from chatglass.store.records import MessageRow


@dataclass(frozen=True, slots=True)
class ContextTurn:
    """One turn as it is sent now: its first message, its tokens, and its messages."""

    turn_id: str
    first_message_id: str
    tokens: int
    """As they are sent: with stubs for results that are left out already."""
    rows: Sequence[MessageRow] = ()


class Summariser(Protocol):
    """Asks a model for a text. Its requests are stored, priced, held against the budgets and can be
    stopped as any other."""

    @property
    def room(self) -> int:
        """The most tokens that the text of one request may have."""
        ...

    async def ask(self, instructions: str, text: str, *, most: int) -> str:
        """What the model makes of `text` by `instructions`, in about `most` tokens at most. Raises
        SummaryFailed."""
        ...


class SummaryFailed(Exception):
    """There is no summary. `str()` is the cause as a sentence; `too_large`: the request was."""

    def __init__(self, cause: str, *, too_large: bool = False) -> None:
        super().__init__(cause)
        self.too_large = too_large


def _no_measure(text: str) -> int:
    return len(text) // 4


@dataclass(frozen=True, slots=True, kw_only=True)
class CompactionTask:
    """`turns` (oldest first) are to be brought, with what stands for the left out ones, to at most
    `budget` tokens; the last turn is always kept."""

    turns: Sequence[ContextTurn]
    budget: int
    former: str = ""
    """What stands for the messages before `turns` now, as it is sent."""
    earlier_turns: int = 0
    """How many turns `former` stands for."""
    elided_through: str | None = None
    """Up to this message results are stubs already."""
    instructions: str = ""
    """What the user wants of the summary."""
    measure: Callable[[str], int] = _no_measure
    """Estimated tokens of a text for the model in use."""
    summariser: Summariser | None = None
    """None where no model may be asked."""

    @property
    def former_tokens(self) -> int:
        return self.measure(self.former) if self.former else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class CompactionPlan:
    """Keep what begins at `first_kept_id`, with stubs for results up to `elided_through`, and send
    `summary` for what lay before it."""

    first_kept_id: str
    summary: str = ""
    elided_through: str | None = None
    strategy: str = ""
    """The name of the strategy that made it, where that is another than was asked: it fell back."""
    note: str = ""
    """Why it is not what was asked for, as a sentence for the screen."""


class CompactionStrategy(Protocol):
    @property
    def name(self) -> str: ...

    async def plan(self, task: CompactionTask) -> CompactionPlan | None:
        """None where nothing can be left out."""
        ...


def first_kept(turns: Sequence[ContextTurn], most: int) -> int:
    """The place of the first of the newest turns that have at most `most` tokens together; never
    behind the last one."""
    kept = len(turns) - 1
    tokens = turns[kept].tokens
    while kept > 0 and tokens + turns[kept - 1].tokens <= most:
        kept -= 1
        tokens += turns[kept].tokens
    return kept
