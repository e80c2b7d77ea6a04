"""Engine: one session at work, with its context, its conversation, its queue and its draft.

The app keeps one engine for each open session. Prompts always go through the queue in the store,
so that one entered while the engine starts or works is never lost.
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from chatglass.chat.chat_context import Attachment, ChatContext
from chatglass.chat.conversation import Conversation, Prompt
from chatglass.chat.events import Event, TurnFinished, TurnStarted
from chatglass.chat.ports import BeforeRequest, DecideTool
from chatglass.store.records import Holder, QueuedPrompt
from chatglass.values.clock import now_ms
from chatglass.values.ids import new_id
from chatglass.values.text import storable

EngineState = Literal["starting", "idle", "working", "read-only", "failed", "closed"]
"""`read-only`: another live process runs the session (`Engine.holder`)."""


@dataclass(frozen=True, slots=True)
class TurnRules:
    """What one turn may do; see `[turn]` in the settings."""

    max_requests: int = 50
    loop_after: int = 3


class Engine:
    """Runs the turns of a session one after another, from its queue."""

    def __init__(
        self,
        context: ChatContext,
        *,
        decide_tool: DecideTool,
        before_request: BeforeRequest | None = None,
        rules: TurnRules | None = None,
    ) -> None:
        rules = rules or TurnRules()
        ports: dict[str, Any] = {"before_request": before_request} if before_request else {}
        self.context = context
        self.conversation = Conversation(
            context,
            decide_tool=decide_tool,
            max_requests=rules.max_requests,
            loop_after=rules.loop_after,
            **ports,
        )
        self.state: EngineState = "starting"
        self.queue: list[QueuedPrompt] = []
        self.failure: Exception | None = None
        self.holder: Holder | None = None

    @property
    def session_id(self) -> str:
        return self.context.session.id

    async def start(self) -> None:
        """Load the session and start the ledger. Raises LedgerUnavailable, StoreError."""
        try:
            self.holder = await self.context.store.claim(self.session_id)
            await self.context.initialize()
        except Exception as error:
            self.state, self.failure = "failed", error
            raise
        self.queue = await self.context.store.queued_prompts(self.session_id)
        self.state = "idle" if self.holder is None else "read-only"

    async def submit(self, text: str, attachments: Sequence[Attachment] = ()) -> QueuedPrompt:
        """Store a prompt at the end of the queue; `run()` takes it from there."""
        await self.context.ensure_stored()
        parts = [{"label": one.label, "part": one.part} for one in attachments]
        prompt = QueuedPrompt(
            id=new_id(),
            session_id=self.session_id,
            text=storable(text),
            created_at=now_ms(),
            content_json=json.dumps(parts, ensure_ascii=False) if parts else None,
        )
        await self.context.store.enqueue_prompt(prompt)
        self.queue.append(prompt)
        return prompt

    async def unqueue(self, prompt_id: str) -> QueuedPrompt | None:
        """Take a waiting prompt back. None if it is gone already."""
        for prompt in self.queue:
            if prompt.id == prompt_id:
                self.queue.remove(prompt)
                await self.context.store.remove_queued_prompt(prompt_id)
                return prompt
        return None

    async def run(self) -> AsyncGenerator[Event]:
        """Answer the queued prompts until there are none, or a turn does not end well: what is
        queued behind it then waits for the user."""
        status = "complete"
        while self.queue and self.state == "idle" and status == "complete":
            queued = self.queue.pop(0)
            prompt = Prompt(queued.text, _attachments(queued), queued.id)
            async for event in self._turn(prompt):
                match event:
                    case TurnStarted(user_message_id=None):
                        # Refused before it was stored as a message: it goes back to the composer.
                        await self.context.store.remove_queued_prompt(queued.id)
                    case TurnFinished():
                        status = event.status
                    case _:
                        pass
                yield event

    async def retry(self) -> AsyncGenerator[Event]:
        """Answer the last prompt of the shown path again, on a branch beside the first answer."""
        leaf = self._last_prompt_id()
        if leaf is None or self.state != "idle":
            return
        await self.context.store.set_leaf(self.session_id, leaf)
        await self.context.show(leaf)
        async for event in self._turn(None):
            yield event

    async def resume_answer(self) -> AsyncGenerator[Event]:
        """Go on from the end of the shown path, without a new prompt."""
        if self.state == "idle" and len(self.context.path):
            async for event in self._turn(None):
                yield event

    async def _turn(self, prompt: Prompt | None) -> AsyncGenerator[Event]:
        self.state = "working"
        try:
            async for event in self.conversation.run_turn(prompt):
                yield event
        finally:
            self.state = "idle"

    def _last_prompt_id(self) -> str | None:
        for row in reversed(self.context.path.rows):
            if row.role == "user":
                return row.id
        return None

    def stop(self) -> None:
        self.conversation.stop()

    async def close(self) -> None:
        """Stop what runs, store its end, and let the ledger go."""
        await self.conversation.end()
        if self.state != "read-only":
            await self.context.store.release(self.session_id)
        self.state = "closed"
        await self.context.close()


def _attachments(queued: QueuedPrompt) -> tuple[Attachment, ...]:
    if queued.content_json is None:
        return ()
    parts: list[dict[str, Any]] = json.loads(queued.content_json)
    return tuple(Attachment(entry["label"], entry["part"]) for entry in parts)
