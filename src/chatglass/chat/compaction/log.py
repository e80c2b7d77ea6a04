"""CompactionLog: the compactions of a session: made, edited and undone."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from chatglass.chat.compaction.strategies import (
    DEFAULT,
    FALLBACK,
    BrokenStrategy,
    UnknownStrategy,
    load,
)
from chatglass.chat.compaction.strategy import CompactionStrategy
from chatglass.chat.compaction.versions import origin_of
from chatglass.chat.to_the_end import unbroken
from chatglass.store.records import CompactionRow
from chatglass.values.clock import now_ms
from chatglass.values.ids import new_id
from chatglass.values.text import storable

if TYPE_CHECKING:
    from chatglass.chat.chat_context import ChatContext


@dataclass(frozen=True, slots=True, kw_only=True)
class CompactionChoice:
    """What the settings say: a strategy by name, and the model that `summarise` asks (`MODEL` or
    `ENDPOINT/MODEL`; empty: the session's)."""

    strategy: str = DEFAULT
    summary_model: str = ""


class NotInForce(LookupError):
    """The compaction can't be changed (any more). `str()` says why."""


class CompactionLog:
    """Rows are only added: an edit and its undoing are versions (see `CompactionRow`)."""

    def __init__(self, context: ChatContext, choice: CompactionChoice) -> None:
        self._context = context
        self.choice = choice
        self.rows: list[CompactionRow] = []
        self._loaded: dict[str, CompactionStrategy] = {}

    async def read(self) -> None:
        self.rows[:] = await self._context.store.compactions(self._context.session.id)

    @property
    def strategy_name(self) -> str:
        """The strategy of this session."""
        return self._context.session.parameters.compaction or self.choice.strategy

    def strategy(self) -> tuple[CompactionStrategy, str]:
        """The strategy, and why it is another than was chosen (empty: it is not)."""
        name, fault = self.strategy_name, ""
        if name not in self._loaded:
            try:
                self._loaded[name] = load(name)
            except (UnknownStrategy, BrokenStrategy) as error:
                fault, name = f"{error} {FALLBACK!r} is used instead.", FALLBACK
                self._loaded[name] = load(name)
        return self._loaded[name], fault

    def in_force(self) -> CompactionRow | None:
        return self._context.path.compaction()

    async def add(self, row: CompactionRow) -> None:
        await self._context.store.add_compaction(row)
        self.rows.append(row)
        self._context.path.add_compaction(row)

    def origin(self, row: CompactionRow) -> str:
        """The id that the requests of this compaction carry."""
        return origin_of(row, self.rows)

    # -- by the user

    @unbroken
    async def edit(self, compaction_id: str, summary: str) -> CompactionRow:
        """Send this text from now on instead of the summary. Raises NotInForce, StoreError."""
        old = self._changeable(compaction_id)
        row = replace(old, id=new_id(), replaces=old.id, summary=storable(summary.strip()))
        row = self._measured(replace(row, created_at=now_ms()))
        await self.add(row)
        return row

    @unbroken
    async def undo(self, compaction_id: str) -> None:
        """Send again what was sent before that compaction. Raises NotInForce, StoreError."""
        old = self._changeable(compaction_id)
        row = replace(old, id=new_id(), replaces=old.id, undone=True, created_at=now_ms())
        # More is sent again than memory may hold. Read before anything is changed: where that fails,
        # the compaction stays in force.
        messages = self._context.messages
        await messages.take_path(messages.path.leaf_id, self.rows)
        await self.add(row)
        messages.path.let_go()

    def _changeable(self, compaction_id: str) -> CompactionRow:
        row = self.in_force()
        if row is None:
            raise NotInForce("Nothing is compacted here: all messages are sent.")
        if row.id != compaction_id:
            raise NotInForce(
                "Only the newest compaction can be changed: what it sends stands for the older ones."
            )
        return row

    def _measured(self, row: CompactionRow) -> CompactionRow:
        context = self._context
        path = context.path.with_compaction(replace(row, tokens_after=0))
        parts = context.size.parts(context.session, path, context.requests.figures)
        return replace(row, tokens_after=parts.total)
