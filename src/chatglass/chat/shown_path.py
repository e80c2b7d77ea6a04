"""ShownPath: the messages of the shown branch in memory, and what a request makes of them."""

from __future__ import annotations

import asyncio
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from chatglass.chat.compaction.strategy import ContextTurn
from chatglass.chat.compaction.stubs import may_be_elided, stub
from chatglass.chat.compaction.versions import holding
from chatglass.chat.messages import WireMessage, is_empty, mend, to_wire
from chatglass.chat.stats import ContextParts
from chatglass.models.estimates import MESSAGE_TOKENS, estimate_message, estimate_text
from chatglass.store.records import CompactionRow, MessageRow

_STEP = 500
"""Rows that are measured at once: about 5 ms."""


@dataclass(frozen=True, slots=True)
class SentRow:
    """A row of the path, by its id and its place on the path."""

    row_id: str
    place: int
    elided: bool = False
    """It is among the rows whose results are sent as stubs, where they are long."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A valid list for the model, and for each of its messages the row that it is, if it is one."""

    messages: list[WireMessage]
    rows: list[SentRow | None]


class ShownPath:
    """Rows from the first message to the leaf, with the compactions that may hold on them."""

    def __init__(
        self, rows: Iterable[MessageRow] = (), compactions: Iterable[CompactionRow] = ()
    ) -> None:
        self.rows = list(rows)
        self._places = {row.id: place for place, row in enumerate(self.rows)}
        self._compactions = list(compactions)
        self._wire: dict[str, WireMessage] = {}
        self._stubs: dict[str, tuple[WireMessage, int]] = {}
        """For results that were ever left out: the stub, and the tokens that it saves."""
        self._saved: tuple[str, int] = ("", 0)
        """What all stubs save under the compaction of that id."""
        self._history, self._tool_results = array("q", [0]), array("q", [0])
        """Tokens of each in the first n rows, for rows that are final."""

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def leaf_id(self) -> str | None:
        return self.rows[-1].id if self.rows else None

    def append(self, row: MessageRow) -> None:
        self._places[row.id] = len(self.rows)
        self.rows.append(row)

    def replace(self, row: MessageRow) -> None:
        """Put the final form of a message in the place of its partial one, if it is on the path."""
        place = self._places.get(row.id)
        if place is None:
            return
        self.rows[place] = row
        self._wire.pop(row.id, None)
        del self._history[place + 1 :], self._tool_results[place + 1 :]

    def get(self, message_id: str) -> MessageRow | None:
        place = self._places.get(message_id)
        return None if place is None else self.rows[place]

    # -- compaction

    def add_compaction(self, row: CompactionRow) -> None:
        self._compactions.append(row)

    def with_compaction(self, row: CompactionRow) -> ShownPath:
        """The same path as `row` would make it. It shares what was measured: for a look only."""
        path = ShownPath((), [*self._compactions, row])
        path.rows, path._places = self.rows, self._places
        path._wire, path._stubs = self._wire, self._stubs
        path._history, path._tool_results = self._history, self._tool_results
        return path

    def compaction(self) -> CompactionRow | None:
        """The one in force: the newest that holds on the path."""
        return next(self.holding(), None)

    def holding(self) -> Iterator[CompactionRow]:
        """The compactions that hold on the path, newest first."""
        return holding(self._compactions, self._places.__contains__)

    def place_of(self, message_id: str) -> int | None:
        """How many messages stand before it on the path."""
        return self._places.get(message_id)

    @property
    def elides(self) -> bool:
        """Whether stubs are sent for some results."""
        compaction = self.compaction()
        return compaction is not None and self._first_whole(compaction) > 0

    def _first_whole(self, compaction: CompactionRow | None) -> int:
        """The place from which on results are sent whole; 0 where all are."""
        if compaction is None or compaction.elided_through is None:
            return 0
        return self._places.get(compaction.elided_through, -1) + 1

    def sent_rows(self) -> Sequence[MessageRow]:
        """The rows that the next request sends."""
        compaction = self.compaction()
        if compaction is None:
            return self.rows
        return self.rows[self._places[compaction.first_kept_id] :]

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
        for place, row in enumerate(sent, start=len(self.rows) - len(sent)):
            elided = place < whole
            is_stub = elided and may_be_elided(row)
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

    def _stub_of(self, place: int) -> tuple[WireMessage, int]:
        row = self.rows[place]
        known = self._stubs.get(row.id)
        if known is None:
            made = stub(row, (self.rows[at] for at in range(place - 1, -1, -1)))
            saved = estimate_message(self._wire_of(row)) - estimate_message(made)
            known = self._stubs[row.id] = (made, saved)
        return known

    def _saved_between(self, start: int, end: int) -> int:
        """Tokens that stubs save in these rows."""
        return sum(
            self._stub_of(place)[1]
            for place in range(start, end)
            if may_be_elided(self.rows[place])
        )

    def _saved_by(self, compaction: CompactionRow | None) -> int:
        """Tokens that stubs save in what is sent; counted once for each compaction."""
        whole = self._first_whole(compaction)
        if compaction is None or not whole:
            return 0
        if self._saved[0] != compaction.id:
            first = self._places[compaction.first_kept_id]
            self._saved = (compaction.id, self._saved_between(first, whole))
        return self._saved[1]

    # -- how much that is, by `models.estimates`, which know no model

    def parts(self, system_prompt: str | None, tools: int) -> ContextParts:
        """Estimated tokens of the next request by what they are; `tools` is the schemas' share."""
        compaction = self.compaction()
        first = self._places[compaction.first_kept_id] if compaction else 0
        summary = compaction.summary if compaction else ""
        history, tool_results = self._tokens_between(first, len(self.rows))
        return ContextParts(
            system=estimate_text(system_prompt) + MESSAGE_TOKENS if system_prompt else 0,
            tools=tools,
            history=history,
            tool_results=max(tool_results - self._saved_by(compaction), 0),
            summary=estimate_text(summary) + MESSAGE_TOKENS if summary else 0,
        )

    async def measure(self) -> None:
        """Count the tokens of all rows, in steps that hold nothing up; later counts are quick."""
        for count in range(_STEP, len(self.rows), _STEP):
            self._sum_of(count)
            await asyncio.sleep(0)

    def tokens_after(self, message_id: str) -> int | None:
        """Estimated tokens of the rows behind `message_id`; None where it is not on the path."""
        place = self._places.get(message_id)
        if place is None:
            return None
        return sum(self._tokens_between(place + 1, len(self.rows)))

    def turns(self) -> list[ContextTurn]:
        """The turns of what is sent now, oldest first. A turn begins with its user message."""
        sent = self.sent_rows()
        first = len(self.rows) - len(sent)
        starts = [
            place
            for place, row in enumerate(sent, start=first)
            if place == first or row.role == "user"
        ]
        ends = [*starts[1:], len(self.rows)]
        whole = self._first_whole(self.compaction())
        return [
            ContextTurn(
                self.rows[start].turn_id,
                self.rows[start].id,
                sum(self._tokens_between(start, end)) - self._saved_between(start, min(end, whole)),
                self.rows[start:end],
            )
            for start, end in zip(starts, ends, strict=True)
        ]

    def turns_before(self, place: int) -> int:
        """How many turns begin before that place."""
        return sum(row.role == "user" for row in self.rows[:place])

    def recent_turns(self, most: int) -> list[int]:
        """Tokens of the newest turns, newest first, whether they are sent or not; the one at the
        end of the path counts as far as it is."""
        found: list[int] = []
        end = len(self.rows)
        for place in range(len(self.rows) - 1, -1, -1):
            if self.rows[place].role != "user":
                continue
            found.append(sum(self._tokens_between(place, end)))
            end = place
            if len(found) == most:
                break
        return found

    def _tokens_between(self, start: int, end: int) -> tuple[int, int]:
        history_end, tools_end = self._sum_of(end)
        history_start, tools_start = self._sum_of(start)
        return history_end - history_start, tools_end - tools_start

    def _sum_of(self, count: int) -> tuple[int, int]:
        """The sums of the first `count` rows; kept up to the first row that is not final yet."""
        known = min(count, len(self._history) - 1)
        history, tool_results = self._history[known], self._tool_results[known]
        settled = True
        for row in self.rows[len(self._history) - 1 : count]:
            wire = self._wire_of(row)
            sent = row.role != "assistant" or not is_empty(wire)
            tokens = estimate_message(wire) if sent else 0
            if row.role == "tool":
                tool_results += tokens
            else:
                history += tokens
            settled = settled and row.status != "partial"
            if settled:
                self._history.append(history)
                self._tool_results.append(tool_results)
        return history, tool_results
