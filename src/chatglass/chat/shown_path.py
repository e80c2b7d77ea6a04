"""ShownPath: the messages of the shown branch in memory, and what a request makes of them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from chatglass.chat.compaction.strategy import ContextTurn
from chatglass.chat.compaction.stubs import may_be_elided, stub
from chatglass.chat.compaction.versions import holding
from chatglass.chat.messages import WireMessage, mend, to_wire
from chatglass.chat.path_rows import PathRows
from chatglass.chat.stats import ContextParts
from chatglass.models.estimates import MESSAGE_TOKENS, estimate_message, estimate_text
from chatglass.store.records import CompactionRow, MessageRow

_STEP = 500
"""Rows that are measured at once: about 5 ms."""
RECENT_TURNS = 8
"""From that many turns it is told how large the next ones will be."""


@dataclass(frozen=True, slots=True)
class SentRow:
    """A row of the path, by its id and its place on the path."""

    row_id: str
    place: int
    elided: bool = False
    """It is among the rows in which stubs stand for what is long."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A valid list for the model, and for each of its messages the row that it is, if it is one."""

    messages: list[WireMessage]
    rows: list[SentRow | None]


class ShownPath:
    """Rows from the first message to the leaf, with the compactions that may hold on them. What is
    no longer sent can be let go, and is read from the store where it is asked for."""

    def __init__(
        self, rows: Iterable[MessageRow] = (), compactions: Iterable[CompactionRow] = ()
    ) -> None:
        self._rows = PathRows(rows, self._wire_of)
        self._compactions = list(compactions)
        self._wire: dict[str, WireMessage] = {}
        self._stubs: dict[str, tuple[WireMessage, int]] = {}
        """For messages of which something was ever left out: what is sent, and the tokens that it saves."""
        self._saved: tuple[str, tuple[int, int]] = ("", (0, 0))
        """What all stubs save under the compaction of that id, of history and results."""
        self._turns_gone = 0
        self._sizes_gone: list[int] = []
        """Tokens of the newest turns that were let go, newest first."""

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def rows(self) -> Sequence[MessageRow]:
        """Those in memory; the last is the leaf."""
        return self._rows.held

    @property
    def rows_gone(self) -> int:
        """How many stand before them on the path."""
        return self._rows.first

    @property
    def leaf_id(self) -> str | None:
        return self.rows[-1].id if self.rows else None

    def append(self, row: MessageRow) -> None:
        self._rows.append(row)

    def replace(self, row: MessageRow) -> None:
        """Put the final form of a message in the place of its partial one, if it is on the path."""
        if self._rows.replace(row):
            self._wire.pop(row.id, None)

    def get(self, message_id: str) -> MessageRow | None:
        """The row of that id, if it is in memory."""
        return self._rows.get(message_id)

    def let_go(self) -> None:
        """Give back the memory of what is no longer sent."""
        first = self._first_sent(self.compaction())
        self._sizes_gone = self._sizes_before(first, RECENT_TURNS)
        self._turns_gone = self.turns_before(first)
        known = {
            message_id
            for row in self._compactions
            for message_id in (row.anchor_id, row.first_kept_id, row.elided_through)
            if message_id is not None
        }
        for row in self._rows.let_go(first, known):
            self._wire.pop(row.id, None)
            self._stubs.pop(row.id, None)

    # -- compaction

    def add_compaction(self, row: CompactionRow) -> None:
        self._compactions.append(row)

    def with_compaction(self, row: CompactionRow) -> ShownPath:
        """The same path as `row` would make it. It shares what was measured: for a look only."""
        path = ShownPath((), [*self._compactions, row])
        path._rows, path._wire, path._stubs = self._rows, self._wire, self._stubs
        return path

    def compaction(self) -> CompactionRow | None:
        """The one in force: the newest that holds on the path."""
        return next(self.holding(), None)

    def holding(self) -> Iterator[CompactionRow]:
        """The compactions that hold on the path, newest first."""
        return holding(self._compactions, self._rows.has)

    def place_of(self, message_id: str) -> int | None:
        """How many messages stand before it on the path."""
        return self._rows.place_of(message_id)

    @property
    def elides(self) -> bool:
        """Whether stubs are sent for some results."""
        compaction = self.compaction()
        return compaction is not None and self._first_whole(compaction) > 0

    def _first_whole(self, compaction: CompactionRow | None) -> int:
        """The place from which on results are sent whole; 0 where all are."""
        if compaction is None or compaction.elided_through is None:
            return 0
        place = self._rows.place_of(compaction.elided_through)
        return 0 if place is None else place + 1

    def _first_sent(self, compaction: CompactionRow | None) -> int:
        """The place from which on rows are sent."""
        place = self._rows.place_of(compaction.first_kept_id) if compaction else None
        return max(place or 0, self.rows_gone)

    def sent_rows(self) -> Sequence[MessageRow]:
        """The rows that the next request sends."""
        return self._rows.between(self._first_sent(self.compaction()), len(self))

    # -- what the model gets

    def outgoing(self, system_prompt: str | None) -> Outgoing:
        """System prompt, summary and recent messages, always a valid list."""
        listed: list[WireMessage] = []
        if system_prompt:
            listed.append({"role": "system", "content": system_prompt})
        compaction = self.compaction()
        if compaction is not None and compaction.summary:
            listed.append({"role": "user", "content": compaction.summary})
        row_of: dict[int, SentRow] = {}
        sent = self.sent_rows()
        whole = self._first_whole(compaction)
        for place, row in enumerate(sent, start=len(self) - len(sent)):
            elided = place < whole
            is_stub = elided and self._has_stub(row)
            wire = self._stub_of(place)[0] if is_stub else self._wire_of(row)
            row_of[id(wire)] = SentRow(row.id, place, elided)
            listed.append(wire)
        mended = mend(listed)
        return Outgoing([dict(wire) for wire in mended], [row_of.get(id(wire)) for wire in mended])

    def _wire_of(self, row: MessageRow) -> WireMessage:
        if row.tool_calls is None and not row.content_is_json:
            return to_wire(row)  # quicker than to find it, and 10,000 are 2 MB
        wire = self._wire.get(row.id)
        if wire is None:
            wire = self._wire[row.id] = to_wire(row)
        return wire

    def _has_stub(self, row: MessageRow) -> bool:
        return row.id in self._stubs or may_be_elided(row)

    def _stub_of(self, place: int) -> tuple[WireMessage, int]:
        row = self._rows.at(place)
        known = self._stubs.get(row.id)
        if known is None:
            made = stub(row, self._rows.back_from(place))
            saved = estimate_message(self._wire_of(row)) - estimate_message(made)
            known = self._stubs[row.id] = (made, saved)
        return known

    def _saved_between(self, start: int, end: int) -> tuple[int, int]:
        """Tokens that stubs save in these rows, of history (arguments of calls) and results."""
        history = results = 0
        for place in range(start, end):
            row = self._rows.at(place)
            if self._has_stub(row):
                saved = self._stub_of(place)[1]
                results += saved if row.role == "tool" else 0
                history += saved if row.role != "tool" else 0
        return history, results

    def _saved_by(self, compaction: CompactionRow | None) -> tuple[int, int]:
        """The same in what is sent; counted once for each compaction."""
        whole = self._first_whole(compaction)
        if compaction is None or not whole:
            return 0, 0
        if self._saved[0] != compaction.id:
            first = self._first_sent(compaction)
            self._saved = (compaction.id, self._saved_between(first, whole))
        return self._saved[1]

    # -- how much that is, by `models.estimates`, which know no model

    def parts(self, system_prompt: str | None, tools: int) -> ContextParts:
        """Estimated tokens of the next request by what they are; `tools` is the schemas' share."""
        compaction = self.compaction()
        summary = compaction.summary if compaction else ""
        first = self._first_sent(compaction)
        history, tool_results = self._rows.tokens_between(first, len(self))
        saved_history, saved_results = self._saved_by(compaction)
        return ContextParts(
            system=estimate_text(system_prompt) + MESSAGE_TOKENS if system_prompt else 0,
            tools=tools,
            history=max(history - saved_history, 0),
            tool_results=max(tool_results - saved_results, 0),
            summary=estimate_text(summary) + MESSAGE_TOKENS if summary else 0,
        )

    async def measure(self) -> None:
        """Count the tokens of all rows, in steps that hold nothing up; later counts are quick."""
        for end in range(_STEP, len(self), _STEP):
            self._rows.measure(end)
            await asyncio.sleep(0)

    def tokens_after(self, message_id: str) -> int | None:
        """Estimated tokens of the rows behind `message_id`; None where it is not in memory."""
        place = self._rows.place_of(message_id)
        if place is None or place + 1 < self.rows_gone:
            return None
        return sum(self._rows.tokens_between(place + 1, len(self)))

    def turns(self) -> list[ContextTurn]:
        """The turns of what is sent now, oldest first. A turn begins with its user message."""
        sent = self.sent_rows()
        first, count = len(self) - len(sent), len(self)
        starts = [
            place
            for place, row in enumerate(sent, start=first)
            if place == first or row.role == "user"
        ]
        ends = [*starts[1:], count]
        whole = self._first_whole(self.compaction())
        return [
            ContextTurn(
                self._rows.at(start).turn_id,
                self._rows.at(start).id,
                self._tokens(start, end) - sum(self._saved_between(start, min(end, whole))),
                self._rows.between(start, end),
            )
            for start, end in zip(starts, ends, strict=True)
        ]

    def turns_before(self, place: int) -> int:
        """How many turns begin before that place."""
        held = self._rows.between(self.rows_gone, place)
        return self._turns_gone + sum(row.role == "user" for row in held)

    def recent_turns(self) -> list[int]:
        """Tokens of the newest `RECENT_TURNS` turns, newest first, whether they are sent or not;
        the one at the end of the path counts as far as it is."""
        return self._sizes_before(len(self), RECENT_TURNS)

    def _sizes_before(self, end: int, most: int) -> list[int]:
        found: list[int] = []
        for place in range(end - 1, self.rows_gone - 1, -1):
            if self._rows.at(place).role == "user":
                found.append(self._tokens(place, end))
                end = place
            if len(found) == most:
                return found
        return [*found, *self._sizes_gone][:most]

    def _tokens(self, start: int, end: int) -> int:
        return sum(self._rows.tokens_between(start, end))
