"""Engine: one session at work, with its context, its conversation, its queue and its draft.

The app keeps one engine for each open session. Prompts always go through the queue in the store,
so that one entered while the engine starts or works is never lost.
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from chatglass.chat.approvals import by_assessment
from chatglass.chat.attachments import Attachment
from chatglass.chat.chat_context import ChatContext
from chatglass.chat.conversation import Conversation, Prompt
from chatglass.chat.events import Event, TurnFinished
from chatglass.chat.ports import AskToGoOn, BeforeRequest, DecideTool, JudgeCall
from chatglass.chat.sampling import Sampler
from chatglass.chat.to_the_end import to_the_end
from chatglass.chat.turn_events import Observe
from chatglass.store.protocol import SessionGone, StoreError
from chatglass.store.records import Holder, QueuedPrompt
from chatglass.values.clock import now_ms
from chatglass.values.ids import new_id
from chatglass.values.text import storable
from chatglass.values.usage import Usage
from chatglass.values.ways import NameWay, unnamed

EngineState = Literal["starting", "idle", "working", "read-only", "failed", "closed"]
"""`read-only`: another live process runs the session (`Engine.holder`)."""


@dataclass(frozen=True, slots=True)
class TurnRules:
    """What one turn may do; see `[turn]` in the settings."""

    max_requests: int = 50
    loop_after: int = 3


@dataclass(frozen=True, slots=True)
class Forecast:
    """The next request, before it is sent: the estimated tokens of its draft alone, and what its
    prompt will cost in USD; None where unpriced."""

    draft_tokens: int
    cost: Decimal | None


class Engine:
    """Runs the turns of a session one after another, from its queue."""

    def __init__(
        self,
        context: ChatContext,
        *,
        decide_tool: DecideTool,
        judge: JudgeCall = by_assessment,
        ask_to_go_on: AskToGoOn | None = None,
        before_request: BeforeRequest | None = None,
        rules: TurnRules | None = None,
        observe: Observe | None = None,
        name_way: NameWay = unnamed,
    ) -> None:
        """`name_way`: what the front end calls the actions that an advice offers."""
        rules = rules or TurnRules()
        ports: dict[str, Any] = {"before_request": before_request} if before_request else {}
        self.context = context
        self.sampler = Sampler(context, before_request, observe, lambda: self.state == "working")
        """Answers what MCP servers ask of the session's model."""
        self.conversation = Conversation(
            context,
            decide_tool=decide_tool,
            judge=judge,
            ask_to_go_on=ask_to_go_on,
            max_requests=rules.max_requests,
            loop_after=rules.loop_after,
            observe=observe,
            name_way=name_way,
            **ports,
        )
        self.state: EngineState = "starting"
        self.queue: list[QueuedPrompt] = []
        self.failure: Exception | None = None
        self.holder: Holder | None = None
        self._claimed = False
        self._queue_read = False

    @property
    def session_id(self) -> str:
        return self.context.session.id

    async def load(self) -> None:
        """Read the session, so that it can be shown. Raises StoreError."""
        await self.context.load()
        if not self._queue_read:
            self._queue_read = True
            stored = await self.context.store.queued_prompts(self.session_id)
            # A prompt that was entered meanwhile may be among those that were read, and be it before
            # it is in the queue here.
            known = {prompt.id: prompt for prompt in (*stored, *self.queue)}
            self.queue[:] = [known[prompt_id] for prompt_id in sorted(known)]

    async def start(self) -> None:
        """Claim the session and start the ledger; load it first, if that was not done. Raises
        LedgerUnavailable, StoreError."""
        try:
            await self.context.store.open()
            await self._claim()
            await self.load()
            await self.context.initialize()
        except Exception as error:
            self.state, self.failure = "failed", error
            raise
        self.state = "idle" if self.holder is None else "read-only"

    async def is_free(self) -> bool:
        """Whether the process that holds a read-only session has let it go; it is not taken here.
        Raises StoreError."""
        holder = await self.context.store.claim(self.session_id)
        if holder is None:
            await self.context.store.release(self.session_id)
            return True
        self.holder = holder
        return False

    async def take_over(self) -> bool:
        """Run a read-only session here, read anew, where nobody holds it any more. Raises
        LedgerUnavailable, StoreError."""
        if self.state != "read-only":
            return False
        self.holder = await self.context.store.claim(self.session_id)
        if self.holder is not None:
            return False
        self._claimed, self.state = True, "starting"
        try:
            self.queue = []
            self._queue_read = False
            await self.context.load(again=True)
            await self.load()
            await self.context.initialize()
        except Exception as error:
            self.state, self.failure = "failed", error
            raise
        self.state = "idle"
        return True

    async def submit(self, text: str, attachments: Sequence[Attachment] = ()) -> QueuedPrompt:
        """Store a prompt at the end of the queue; `run()` takes it from there."""
        await self.ensure_stored()
        if self.holder is not None:
            raise StoreError(
                f"Session {self.session_id} is open in another chatglass (process "
                f"{self.holder.pid}). Go on there, or close it there first."
            )
        parts = [{"label": one.label, "part": one.part} for one in attachments]
        prompt = QueuedPrompt(
            id=new_id(),
            session_id=self.session_id,
            text=storable(text),
            created_at=now_ms(),
            content_json=json.dumps(parts, ensure_ascii=False) if parts else None,
        )
        await to_the_end(self._enqueue(prompt))
        return prompt

    async def _enqueue(self, prompt: QueuedPrompt) -> None:
        await self.context.store.enqueue_prompt(prompt)
        if all(prompt.id != known.id for known in self.queue):
            self.queue.append(prompt)

    async def ensure_stored(self) -> None:
        """Make the session's row, if it has none yet, and claim it for this process."""
        await self.context.ensure_stored()
        if not self._claimed and self.holder is None:
            await self._claim()

    async def _claim(self) -> None:
        try:
            self.holder = await self.context.store.claim(self.session_id)
            self._claimed = self.holder is None
        except SessionGone:
            # A new session: it gets its row with the first thing to keep.
            self._claimed = False

    async def unqueue(self, prompt_id: str) -> QueuedPrompt | None:
        """Take a waiting prompt back. None if it is gone already."""
        for prompt in self.queue:
            if prompt.id == prompt_id:
                await self.context.store.remove_queued_prompt(prompt_id)
                if prompt in self.queue:
                    self.queue.remove(prompt)
                return prompt
        return None

    async def run(self) -> AsyncGenerator[Event]:
        """Answer the queued prompts until there are none, or a turn does not end well: what is
        queued behind it then waits for the user. So does a prompt that was refused, or could not be
        stored as a message: it stays the first of the queue."""
        status = "complete"
        while self.queue and self.state == "idle" and status == "complete":
            async with aclosing(self._next_queued()) as events:
                async for event in events:
                    if isinstance(event, TurnFinished):
                        status = event.status
                    yield event

    async def answer(
        self, text: str, attachments: Sequence[Attachment] = ()
    ) -> AsyncGenerator[Event]:
        """Answer this prompt alone, before what is queued (`-p`, `--plain`). Only for an idle engine."""
        if self.state != "idle":
            raise RuntimeError(f"session {self.session_id} can't answer: it is {self.state}")
        prompt = await self.submit(text, attachments)
        self.queue.remove(prompt)
        self.queue.insert(0, prompt)
        async with aclosing(self._next_queued()) as events:
            async for event in events:
                yield event

    async def _next_queued(self) -> AsyncGenerator[Event]:
        queued = self.queue.pop(0)
        try:
            prompt = Prompt(queued.text, _attachments(queued), queued.id)
            async with aclosing(self._turn(prompt)) as events:
                async for event in events:
                    yield event
        finally:
            if not self.conversation.prompt_stored:
                self.queue.insert(0, queued)

    async def go_on(self) -> AsyncGenerator[Event]:
        """Answer the end of the shown path, without a new prompt: a retry, a continuation. Then
        what was queued meanwhile."""
        if self.state != "idle" or not len(self.context.path):
            return
        status = "error"
        async with aclosing(self._turn(None)) as events:
            async for event in events:
                if isinstance(event, TurnFinished):
                    status = event.status
                yield event
        if status == "complete":
            async with aclosing(self.run()) as events:
                async for event in events:
                    yield event

    async def compact(self, instructions: str = "") -> AsyncGenerator[Event]:
        """Compact now; `instructions` say what the summary should hold. Then what was queued
        meanwhile."""
        if self.state != "idle" or not len(self.context.path):
            return
        self.state = "working"
        try:
            async with aclosing(self.conversation.compact(instructions)) as events:
                async for event in events:
                    yield event
        finally:
            if self.state == "working":
                self.state = "idle"
        async with aclosing(self.run()) as events:
            async for event in events:
                yield event

    # -- branches

    async def branch_before_answer(self, answer_id: str | None = None) -> bool:
        """Show the path up to the prompt of that answer (None: of the last one), so that `go_on`
        answers it again beside the first answer. False where there is no prompt."""
        found = answer_id is None
        for row in reversed(await self.context.messages.whole_path()):
            found = found or row.id == answer_id
            if found and row.role == "user":
                await self._show(row.id)
                return True
        return False

    async def branch_before_prompt(self, prompt_id: str) -> None:
        """Show the path up to where that prompt was said, so that the next one is its sibling."""
        row = await self.context.messages.find(prompt_id)
        if row is not None:
            await self._show(row.parent_id)

    async def switch_branch(self, message_id: str, step: int) -> str | None:
        """Show the branch of the next (1) or previous (-1) sibling of a message; the id of that
        sibling, None where there is none."""
        siblings = await self.context.store.siblings(message_id)
        place = siblings.index(message_id) + step
        if not 0 <= place < len(siblings):
            return None
        await self._show(await self.context.store.leaf_below(siblings[place]))
        return siblings[place]

    async def show_branch_of(self, message_id: str) -> None:
        """Show the newest branch that a message is on. Raises StoreError."""
        await self._show(await self.context.store.leaf_below(message_id))

    async def _show(self, leaf_id: str | None) -> None:
        if self.holder is None:
            await self.context.show(leaf_id)

    # -- drafts and figures

    async def save_draft(self, draft: str) -> None:
        """Keep the unsent text; the first one makes the session's row. Raises StoreError."""
        if draft:
            await self.ensure_stored()
        if self.context.stored:
            await self.context.store.set_draft(self.session_id, draft)

    def save_draft_now(self, draft: str) -> None:
        """The same where nothing can be awaited any more."""
        if self.context.stored:
            self.context.store.set_draft_now(self.session_id, draft)

    def forecast(self, draft: str, attached_tokens: int = 0) -> Forecast:
        """The next request with `draft` as its newest message, and with files of so many tokens
        (uncalibrated) behind it. Its cost is unknown until the price list is imported."""
        context = self.context
        drafted = context.draft_tokens(draft)
        drafted += context.models.calibrated(context.model, attached_tokens)
        usage = Usage(prompt_tokens=context.next_request_tokens() + drafted, source="estimated")
        return Forecast(drafted, context.models.price_at_hand(context.model, usage).usd)

    async def _turn(self, prompt: Prompt | None) -> AsyncGenerator[Event]:
        self.state = "working"
        try:
            async with aclosing(self.conversation.run_turn(prompt)) as events:
                async for event in events:
                    yield event
        finally:
            if self.state == "working":
                self.state = "idle"

    def stop(self) -> None:
        self.conversation.stop()

    async def close(self) -> None:
        """Stop what runs, store its end, and let the ledger go."""
        self.state = "closed"
        await self.conversation.end()
        try:
            if self._claimed:
                await self.context.store.release(self.session_id)
        finally:
            await self.context.close()


def _attachments(queued: QueuedPrompt) -> tuple[Attachment, ...]:
    if queued.content_json is None:
        return ()
    parts: list[dict[str, Any]] = json.loads(queued.content_json)
    return tuple(Attachment(entry["label"], entry["part"]) for entry in parts)
