"""CallFacts: a tool call and what has been read of it, and the bases of its sections."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from chatglass.chat.call_round import CallRound
    from chatglass.chat.call_schema import CallSchema
    from chatglass.chat.call_tokens import CallTokens
    from chatglass.store.records import ToolCallRow, ToolResult
    from chatglass.tui.inspector.call_source import CallSource


class CallFacts:
    """A call and what has been read of it so far, for as long as neither changes."""

    def __init__(self, call: ToolCallRow, source: CallSource, now: int) -> None:
        self.call = call
        self.now = now
        """Milliseconds since the epoch: to when something that goes on is measured."""
        self.source = source
        self.result: ToolResult | None = None
        self.has_result = False
        """`result` was read; it may be None."""
        self.round: CallRound | None = None
        self.schema: CallSchema | None = None
        self.tokens: CallTokens | None = None

    @property
    def title(self) -> str:
        return self.call.name

    async def read_result(self) -> None:
        """Raises StoreError."""
        if not self.has_result:
            self.result = await self.source.result(self.call.id)
            self.has_result = True


class RowSection:
    """The base of a section that needs nothing but the call's row."""

    of_result = False

    def is_ready(self, facts: CallFacts) -> bool:
        return True

    async def read(self, facts: CallFacts) -> None:
        """Nothing to read."""


class ResultSection:
    """The base of a section that needs the call's result."""

    of_result = True

    def is_ready(self, facts: CallFacts) -> bool:
        return facts.has_result

    async def read(self, facts: CallFacts) -> None:
        await facts.read_result()
