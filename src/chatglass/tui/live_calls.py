"""LiveCalls: the tool calls of one session as events tell of them, and their cards in the answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from chatglass.chat.events import (
    ToolCallDecided,
    ToolCallFinished,
    ToolCallProgress,
    ToolCallProposed,
    ToolCallStarted,
)
from chatglass.store.records import ToolCallRow
from chatglass.tui.transcript.from_rows import card_of
from chatglass.tui.transcript.items import AnswerItem, Item, ToolCard
from chatglass.values.clock import now_ms
from chatglass.values.text import one_line

CallEvent = (
    ToolCallProposed | ToolCallDecided | ToolCallStarted | ToolCallProgress | ToolCallFinished
)


class LiveCalls:
    """`changed` is called with each answer whose cards are no longer what they were."""

    def __init__(self, changed: Callable[[AnswerItem], None]) -> None:
        self.rows: dict[str, ToolCallRow] = {}
        self._cards: dict[str, tuple[AnswerItem, ToolCard]] = {}
        self._changed = changed

    def load(self, rows: Sequence[ToolCallRow], items: Sequence[Item]) -> None:
        """Take what is stored, and the cards of it."""
        self.rows = {call.id: call for call in rows}
        self._cards = {
            card.tool_call_id: (item, card)
            for item in items
            if isinstance(item, AnswerItem)
            for card in item.cards
        }

    def take(self, rows: Sequence[ToolCallRow]) -> Sequence[ToolCallRow]:
        """Calls as they are stored, which is more than events tell of them. Returns those of which
        there was more."""
        changed = [row for row in rows if row != self.rows.get(row.id)]
        self.rows.update((row.id, row) for row in changed)
        return changed

    def apply(self, event: CallEvent, answer: AnswerItem | None) -> None:
        """Take one event; `answer` is the one that is being written."""
        match event:
            case ToolCallProposed():
                self._propose(event, answer)
            case ToolCallDecided():
                state = "denied" if event.decision == "deny" else "approved"
                self._update(
                    event.tool_call_id,
                    state=state,
                    decided_by=event.decided_by,
                    reason=event.reason,
                    decided_at=now_ms(),
                )
            case ToolCallStarted():
                self._update(event.tool_call_id, state="running", started_at=now_ms())
            case ToolCallProgress():
                self._progress(event)
            case ToolCallFinished():
                self._finish(event)

    def asking(self, tool_call_id: str) -> None:
        """The call waits for the user's answer."""
        row = self.rows.get(tool_call_id)
        if row is not None and row.state == "proposed":
            self._update(tool_call_id, state="asking")

    def _propose(self, event: ToolCallProposed, answer: AnswerItem | None) -> None:
        row = ToolCallRow(
            id=event.tool_call_id,
            session_id=event.session_id,
            turn_id=event.turn_id,
            request_id=event.request_id or "",
            message_id=event.message_id,
            call_id="",
            position=event.position,
            name=event.name,
            arguments=event.arguments,
            proposed_at=now_ms(),
        )
        self.rows[row.id] = row
        if answer is not None and answer.id == event.message_id:
            card = card_of(row)
            answer.cards.append(card)
            self._cards[row.id] = (answer, card)
            self._changed(answer)

    def _progress(self, event: ToolCallProgress) -> None:
        item, card = self._cards.get(event.tool_call_id, (None, None))
        if item is None or card is None:
            return
        share = "" if event.fraction is None else f"{event.fraction:.0%} "
        card.progress = one_line(share + event.message, 80)
        card.share = event.fraction
        self._changed(item)

    def _finish(self, event: ToolCallFinished) -> None:
        self._update(
            event.tool_call_id,
            state=event.status,
            finished_at=self._end_of(event),
            result_bytes=event.result_bytes,
            seen_bytes=event.seen_bytes,
            error=None if event.status == "ok" else event.preview,
        )

    def _end_of(self, event: ToolCallFinished) -> int:
        """When the call ended, so that its duration is the one that was measured."""
        started = (
            self.rows[event.tool_call_id].started_at if event.tool_call_id in self.rows else None
        )
        if started is None or event.duration_ms is None:
            return now_ms()
        return started + event.duration_ms

    def _update(self, tool_call_id: str, **changes: object) -> None:
        row = self.rows.get(tool_call_id)
        if row is None:
            return
        row = self.rows[tool_call_id] = replace(row, **changes)  # pyright: ignore[reportArgumentType]
        entry = self._cards.get(tool_call_id)
        if entry is None:
            return
        item, card = entry
        fresh = card_of(row)
        card.state, card.started_at = fresh.state, fresh.started_at
        card.duration_ms, card.size = fresh.duration_ms, fresh.size
        card.arguments, card.decider = fresh.arguments, fresh.decider
        if row.finished_at is not None:
            card.progress = ""
        self._changed(item)
