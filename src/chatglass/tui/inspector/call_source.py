"""CallSource: where the inspector reads what a call's row does not hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from chatglass.chat.call_round import CallRound
    from chatglass.chat.call_schema import CallSchema
    from chatglass.chat.call_tokens import CallTokens
    from chatglass.store.records import ToolCallRow, ToolResult


class CallSource(Protocol):
    """What can be read of the tool calls of the session on screen. Each raises StoreError."""

    async def result(self, tool_call_id: str) -> ToolResult | None:
        """What the call produced and what the model saw; None where nothing is kept (yet)."""
        ...

    async def find_calls(self, words: str) -> frozenset[str]:
        """Ids of the calls of the session whose arguments or (start of the) results hold all the
        words (as in `SessionStore.search`)."""
        ...

    async def round(self, call: ToolCallRow) -> CallRound:
        """The requests around the call, and the same call before."""
        ...

    async def schema(self, call: ToolCallRow) -> CallSchema:
        """What the tool takes, and what of the call did not fit."""
        ...

    async def tokens(self, call: ToolCallRow, seen: str) -> CallTokens:
        """What the call added to the context, and what that has cost since."""
        ...
