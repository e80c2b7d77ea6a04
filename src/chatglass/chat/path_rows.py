"""PathRows: the rows of a path that memory holds, their places on it, and what they weigh."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Collection, Iterable, Sequence

from chatglass.chat.messages import WireMessage, is_empty
from chatglass.models.estimates import estimate_message
from chatglass.store.records import MessageRow


class PathRows:
    """All rows of a path, or its end: what stands before can be let go, so that a session without
    an end needs no more memory than one of its contexts. A place is counted from the path's first
    row, whether that is held or not."""

    def __init__(self, rows: Iterable[MessageRow], wire: Callable[[MessageRow], WireMessage]):
        self.held = list(rows)
        self.first = 0
        """The place of the first one held."""
        self._wire = wire
        self._places = {row.id: place for place, row in enumerate(self.held)}
        self._history, self._tool_results = array("q", [0]), array("q", [0])
        """Tokens of each in the first n rows held, for rows that are final."""

    def __len__(self) -> int:
        return self.first + len(self.held)

    def append(self, row: MessageRow) -> None:
        self._places[row.id] = len(self)
        self.held.append(row)

    def replace(self, row: MessageRow) -> bool:
        """Put the final form of a message in the place of its partial one. False where it is not
        held."""
        place = self._places.get(row.id, -1)
        if place < self.first:
            return False
        at = place - self.first
        self.held[at] = row
        del self._history[at + 1 :], self._tool_results[at + 1 :]
        return True

    def let_go(self, before: int, known: Collection[str]) -> Sequence[MessageRow]:
        """Hold no row before that place any more; the places of those in `known` stay known.
        Returns the rows that went."""
        count = before - self.first
        if count <= 0:
            return ()
        gone = self.held[:count]
        self._sum_of(before)
        for sums in (self._history, self._tool_results):
            # Only differences count, so what stands before may stay in them. One that is too short
            # had a row that is not final; it begins anew.
            sums[:] = sums[count:] or array("q", [0])
        del self.held[:count]
        self.first = before
        for row in gone:
            if row.id not in known:
                del self._places[row.id]
        return gone

    # -- finding one

    def place_of(self, message_id: str) -> int | None:
        """How many messages stand before it on the path."""
        return self._places.get(message_id)

    def has(self, message_id: str) -> bool:
        return message_id in self._places

    def get(self, message_id: str) -> MessageRow | None:
        place = self._places.get(message_id, -1)
        return self.held[place - self.first] if place >= self.first else None

    def at(self, place: int) -> MessageRow:
        return self.held[place - self.first]

    def between(self, start: int, end: int) -> Sequence[MessageRow]:
        return self.held[start - self.first : end - self.first]

    def back_from(self, place: int) -> Iterable[MessageRow]:
        """The rows held before that place, newest first."""
        return (self.held[at] for at in range(place - self.first - 1, -1, -1))

    # -- what they weigh

    def tokens_between(self, start: int, end: int) -> tuple[int, int]:
        """Estimated tokens of history and of tools' results in these rows."""
        history_end, tools_end = self._sum_of(end)
        history_start, tools_start = self._sum_of(start)
        return history_end - history_start, tools_end - tools_start

    def measure(self, end: int) -> None:
        """Count the rows before `end`; later counts are quick."""
        self._sum_of(end)

    def _sum_of(self, end: int) -> tuple[int, int]:
        """The sums of the rows held before `end`; kept up to the first row that is not final."""
        count = end - self.first
        known = min(count, len(self._history) - 1)
        history, tool_results = self._history[known], self._tool_results[known]
        settled = True
        for row in self.held[len(self._history) - 1 : count]:
            wire = self._wire(row)
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
