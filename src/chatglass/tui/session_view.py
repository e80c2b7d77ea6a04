"""SessionView: what the screen shows of one session, kept whether it is on screen or not.

Events change it; the transcript follows where the session is the one on screen (`pane`).
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from chatglass.chat.events import (
    Compacted,
    Compacting,
    Event,
    Notice,
    ReasoningDelta,
    RequestFinished,
    RequestStarted,
    Retrying,
    TextDelta,
    ToolCallDecided,
    ToolCallDelta,
    ToolCallFinished,
    ToolCallProgress,
    ToolCallProposed,
    ToolCallStarted,
    TurnFinished,
    TurnStarted,
    UsageReported,
    UserSpoke,
)
from chatglass.store.records import CompactionRow, QueuedPrompt, RequestRow, ToolCallRow
from chatglass.tui.live_calls import LiveCalls
from chatglass.tui.transcript.from_rows import (
    Forks,
    SessionRows,
    branches,
    fold_cost,
    fold_item,
    items_of,
    queued_item,
    turn_footers,
)
from chatglass.tui.transcript.items import (
    AnswerItem,
    FoldItem,
    Item,
    NoticeItem,
    PromptItem,
)
from chatglass.values.clock import now_ms
from chatglass.values.figures import counted
from chatglass.values.ids import new_id
from chatglass.values.text import one_line
from chatglass.values.usage import UsageSum


class Pane(Protocol):
    """What a transcript lets be done to it; `Transcript` is one."""

    def append(self, item: Item) -> None: ...
    def insert_before(self, item_id: str, item: Item) -> None: ...
    def remove_item(self, item_id: str) -> None: ...
    def push_text(self, item_id: str, delta: str) -> None: ...
    def push_reasoning(self, item_id: str, delta: str) -> None: ...
    def changed(self, item_id: str) -> None: ...


class SessionView:
    """Items, tool calls and the state of the running turn of one session."""

    def __init__(self) -> None:
        self.items: list[Item] = []
        self.compactions: Sequence[CompactionRow] = ()
        """The engine's list, which grows."""
        self.pane: Pane | None = None
        self.turn_running = False
        self.running_request: RequestRow | None = None
        self._requests: dict[str, RequestRow] = {}
        """The request in flight, as far as events tell of it."""
        self.retry_until: float | None = None
        """Monotonic time at which a failed request goes out again, while one waits."""
        self.streamed_chars = 0
        """Characters of the request in flight."""
        self._retry_attempt, self._retry_reason, self._retry_cause = 0, "", ""
        self._calls = LiveCalls(self._changed)
        self._answer: AnswerItem | None = None
        self._before_attempt: AnswerItem | None = None
        """The answer before `_answer` in the same turn."""
        self._thinking_since: int | None = None
        self._thought = False
        self._fold_sum = UsageSum()
        self.compacting = ""
        """What is said while old messages are being left out; empty otherwise."""

    def load(self, rows: SessionRows) -> None:
        """Show what is stored. Not while a turn runs."""
        self._answer = None
        self.items = items_of(rows)
        self._calls.load(rows.calls, self.items)
        self._requests = {row.id: row for row in rows.requests}

    @property
    def calls(self) -> dict[str, ToolCallRow]:
        """By id, oldest first."""
        return self._calls.rows

    def take_calls(self, rows: Sequence[ToolCallRow]) -> Sequence[ToolCallRow]:
        """Calls as they are stored, which is more than events tell of them. Returns those of which
        there was more."""
        return self._calls.take(rows)

    @property
    def requests(self) -> Sequence[RequestRow]:
        """Those that are over, oldest first."""
        return [*self._requests.values()]

    def take_requests(self, newest: Sequence[RequestRow]) -> None:
        """The newest that are over, of which most may be known."""
        self._requests.update((row.id, row) for row in newest)

    def prompts(self) -> list[str]:
        """The prompts so far, oldest first, for the composer's history."""
        return [item.text for item in self.items if isinstance(item, PromptItem)]

    def queue(self, prompt: QueuedPrompt, *, waiting: bool) -> None:
        """Show a prompt that waits for its turn."""
        item = queued_item(prompt, waiting=waiting)
        self.items.append(item)
        if self.pane is not None:
            self.pane.append(item)

    def unqueue(self, prompt_id: str) -> None:
        self._remove(prompt_id)

    def first_queued(self) -> PromptItem | None:
        return next(iter(self.queued()), None)

    def queued(self) -> list[PromptItem]:
        """The prompts that wait, in order; they are the last items."""
        found: list[PromptItem] = []
        for item in reversed(self.items):
            if not isinstance(item, PromptItem) or item.state == "sent":
                break
            found.append(item)
        return found[::-1]

    def mark_branches(self, forks: Forks) -> None:
        """Say on each item which of its siblings it is."""
        places = branches(forks)
        for item in self.items:
            if isinstance(item, (PromptItem, AnswerItem)) and item.branch != places.get(item.id):
                item.branch = places.get(item.id)
                self._changed(item)

    def notice(self, text: str, advice: str = "", severity: str = "information") -> None:
        """Say something of the program's own in the transcript."""
        level = severity if severity in ("warning", "error") else "information"
        self._add(NoticeItem(id=new_id(), text=text, advice=advice, severity=level))  # pyright: ignore[reportArgumentType]

    # -- events

    def apply(self, event: Event) -> None:
        """Take one event of the session's engine."""
        match event:
            case TextDelta():
                self._push(event.message_id, event.text)
            case ReasoningDelta():
                self._push_reasoning(event.message_id, event.text)
            case TurnStarted():
                self._turn_started(event)
            case RequestStarted():
                self._request_started(event)
            case ToolCallDelta():
                self._drafting(event)
            case Retrying():
                self._retrying(event)
            case UsageReported():
                if self.compacting:
                    self._fold_sum.add(event.usage, event.cost_usd)
            case RequestFinished():
                self._request_finished(event)
            case (
                ToolCallProposed()
                | ToolCallDecided()
                | ToolCallStarted()
                | ToolCallProgress()
                | ToolCallFinished()
            ):
                self._calls.apply(event, self._answer)
            case Compacting():
                self._fold_sum = UsageSum()
                asked = f": {one_line(event.model, 40)} sums up" if event.model else ""
                self.compacting = f"compacting{asked} …"
            case UserSpoke():
                self._answer = None
                self._add(PromptItem(id=event.message_id, text=event.text, at=now_ms()))
            case Compacted():
                self._compacted(event)
            case Notice():
                self._notice(event)
            case TurnFinished():
                self._turn_finished(event)
            case _:
                raise TypeError(f"{type(event).__name__} is not shown anywhere")

    def _turn_started(self, event: TurnStarted) -> None:
        self.turn_running = True
        self._answer = self._before_attempt = None
        if event.user_message_id is None:
            return
        queued = self.first_queued()
        if queued is None:
            return
        self._remove(queued.id)
        for behind in self.queued():
            behind.state = "queued"
            self._changed(behind)
        sent = replace(queued, id=event.user_message_id, state="sent", at=now_ms())
        self._add(sent)

    def _request_started(self, event: RequestStarted) -> None:
        self.compacting = ""
        self.streamed_chars = 0
        self._thinking_since, self._thought = None, False
        self.running_request = RequestRow(
            id=event.request_id or "",
            session_id=event.session_id,
            turn_id=event.turn_id,
            message_id=event.message_id,
            purpose="answer",
            endpoint=event.endpoint,
            base_url="",
            model=event.model,
            started_at=now_ms(),
        )
        failed = self._answer
        if failed is not None and failed.status == "error" and _is_empty(failed):
            # The same is asked again: only that attempt counts.
            self._remove(failed.id)
            self._answer = self._before_attempt
        self._before_attempt = self._answer
        continues = self._answer is not None
        self._answer = AnswerItem(
            id=event.message_id,
            at=now_ms(),
            model=event.model,
            continues=continues,
            status="streaming",
        )
        self._add(self._answer)

    def _push(self, message_id: str, text: str) -> None:
        self._end_retry()
        self._end_thinking()
        self.streamed_chars += len(text)
        if self.pane is not None:
            self.pane.push_text(message_id, text)
        elif self._answer is not None and self._answer.id == message_id:
            self._answer.text += text

    def _push_reasoning(self, message_id: str, text: str) -> None:
        self._end_retry()
        if self._thinking_since is None:
            self._thinking_since = now_ms()
        self.streamed_chars += len(text)
        if self.pane is not None:
            self.pane.push_reasoning(message_id, text)
        elif self._answer is not None and self._answer.id == message_id:
            self._answer.reasoning += text

    def _end_thinking(self) -> None:
        """Something else than reasoning came, or the end."""
        answer = self._answer
        if self._thinking_since is not None and answer is not None and not self._thought:
            self._thought = True
            answer.reasoning_ms = now_ms() - self._thinking_since

    def _drafting(self, event: ToolCallDelta) -> None:
        self._end_retry()
        self._end_thinking()
        if self._answer is not None:
            name = one_line(event.name, 40) or "a tool call"
            self._answer.drafting = f"writing {name} · {counted(event.argument_chars, 'character')}"
            self._changed(self._answer)

    def _retrying(self, event: Retrying) -> None:
        self.retry_until = time.monotonic() + event.seconds
        self._retry_attempt, self._retry_reason = event.attempt, event.reason
        self._retry_cause = one_line(event.cause, 300)
        self.tick_retry()

    def tick_retry(self) -> None:
        """Count down to the next attempt."""
        if self.retry_until is not None and self._answer is not None:
            left = max(self.retry_until - time.monotonic(), 0)
            # In short first: the cause may be cut, and stands in full in the wire view.
            self._answer.drafting = (
                f"{self._retry_reason} · attempt {self._retry_attempt} in {left:.0f} s"
                f" · {self._retry_cause}"
            )
            self._changed(self._answer)

    def _end_retry(self) -> None:
        if self.retry_until is not None and self._answer is not None:
            self.retry_until = None
            self._answer.drafting = ""
            self._changed(self._answer)

    def _request_finished(self, event: RequestFinished) -> None:
        self.retry_until = None
        self.running_request = None
        answer = self._answer
        if answer is None:
            return
        self._end_thinking()
        answer.status = event.status
        answer.drafting = ""
        self._changed(answer)

    def _notice(self, event: Notice) -> None:
        answer = self._answer
        failed = answer is not None and answer.status == "error" and not answer.error
        if event.severity == "error" and answer is not None and failed:
            answer.error, answer.advice = event.cause, event.advice
            self._changed(answer)
            return
        self._add(
            NoticeItem(id=new_id(), text=event.cause, advice=event.advice, severity=event.severity)
        )

    def _compacted(self, event: Compacted) -> None:
        """The fold stands where it will stand when the session is opened again."""
        self.compacting = ""
        row = next((row for row in self.compactions if row.id == event.compaction_id), None)
        if row is None:
            return
        for item in self.items:
            if isinstance(item, FoldItem) and item.hint:
                item.hint = ""
                self._changed(item)
        fold = fold_item(
            row, messages=event.messages, model=event.model, cost=fold_cost(self._fold_sum)
        )
        kept = next((item for item in self.items if item.id == event.shown_before), None)
        if kept is None:
            self._add(fold)
            return
        at = self.items.index(kept)
        if at and isinstance(self.items[at - 1], FoldItem):
            # One in the same place, which stands for nothing any more.
            self._remove(self.items[at - 1].id)
            at -= 1
        self.items.insert(at, fold)
        if self.pane is not None:
            self.pane.insert_before(kept.id, fold)

    def _turn_finished(self, event: TurnFinished) -> None:
        self.turn_running = False
        self.compacting = ""
        self.running_request = None
        self.retry_until = None
        self.streamed_chars = 0
        # By the rows, as it is shown later: of what servers ask for meanwhile no event tells.
        mine = [row for row in self._requests.values() if row.turn_id == event.turn_id]
        if self._answer is not None and (footer := turn_footers(mine).get(event.turn_id)):
            self._answer.footer = footer
            self._changed(self._answer)

    def asking(self, tool_call_id: str) -> None:
        """The call waits for the user's answer."""
        self._calls.asking(tool_call_id)

    # -- items

    def _add(self, item: Item) -> None:
        """Put an item at the end, before what is queued."""
        queued = self.first_queued()
        if queued is None:
            self.items.append(item)
        else:
            self.items.insert(self.items.index(queued), item)
        if self.pane is None:
            return
        if queued is None:
            self.pane.append(item)
        else:
            self.pane.insert_before(queued.id, item)

    def _remove(self, item_id: str) -> None:
        self.items = [item for item in self.items if item.id != item_id]
        if self.pane is not None:
            self.pane.remove_item(item_id)

    def _changed(self, item: Item) -> None:
        if self.pane is not None:
            self.pane.changed(item.id)


def _is_empty(answer: AnswerItem) -> bool:
    return not (answer.text or answer.reasoning or answer.cards)
