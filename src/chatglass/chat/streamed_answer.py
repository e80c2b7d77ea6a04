"""StreamedAnswer: the text of one answer while it arrives, on disk at least once a second."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from chatglass.chat.chat_context import ChatContext
from chatglass.store.protocol import StoreError
from chatglass.values.clock import now_ms

CHECKPOINT_SECONDS = 1.0


class StreamedAnswer:
    """Collects deltas and checkpoints them: at once when the last time is a second ago, else by a
    timer, so that a stalled stream is stored too. At most one write is under way.

    A write that fails is told to `failed`, and the next one stores the whole text again.
    """

    def __init__(
        self, context: ChatContext, message_id: str, failed: Callable[[StoreError], None]
    ) -> None:
        self.message_id = message_id
        self.first_token_at: int | None = None
        self.chars = 0
        self._context = context
        self.failed = failed
        self._text: list[str] = []
        self._reasoning: list[str] = []
        self._reasoning_began: float | None = None
        self._reasoning_ended: float | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._write: asyncio.Task[None] | None = None
        self._written_at = time.monotonic()

    def add_text(self, delta: str) -> None:
        self.mark_output(len(delta))
        self._text.append(delta)
        self._schedule()

    def add_reasoning(self, delta: str) -> None:
        if self._reasoning_began is None:
            self._reasoning_began = time.monotonic()
        self.chars += len(delta)
        self.first_token_at = self.first_token_at or now_ms()
        self._reasoning.append(delta)
        self._schedule()

    def mark_output(self, chars: int) -> None:
        """Output other than reasoning came: the thinking is over."""
        self.chars += chars
        self.first_token_at = self.first_token_at or now_ms()
        if self._reasoning_began is not None and self._reasoning_ended is None:
            self._reasoning_ended = time.monotonic()

    @property
    def reasoning_ms(self) -> int:
        if self._reasoning_began is None:
            return 0
        return round(1000 * ((self._reasoning_ended or time.monotonic()) - self._reasoning_began))

    async def settle(self) -> None:
        """Hand the rest to the context; afterwards the message holds all that arrived."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._write is not None:
            await self._write
        if self._text or self._reasoning:
            await self._checkpoint()

    def _schedule(self) -> None:
        if self._timer is None:
            wait = CHECKPOINT_SECONDS - (time.monotonic() - self._written_at)
            self._timer = asyncio.get_running_loop().call_later(max(wait, 0), self._begin_write)

    def _begin_write(self) -> None:
        self._timer = None
        if self._write is not None and not self._write.done():
            self._written_at = time.monotonic()
            self._schedule()
            return
        self._write = asyncio.ensure_future(self._checkpoint())

    async def _checkpoint(self) -> None:
        text, self._text = "".join(self._text), []
        reasoning, self._reasoning = "".join(self._reasoning), []
        self._written_at = time.monotonic()
        try:
            await self._context.checkpoint(self.message_id, text, reasoning=reasoning)
        except StoreError as error:
            self.failed(error)
