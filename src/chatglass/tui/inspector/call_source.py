"""CallSource: where the inspector reads what a call's row does not hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from chatglass.store.records import ToolResult


class CallSource(Protocol):
    """What can be read of the tool calls of the session on screen. Each raises StoreError."""

    async def result(self, tool_call_id: str) -> ToolResult | None:
        """What the call produced and what the model saw; None where nothing is kept (yet)."""
        ...

    async def find_calls(self, words: str) -> frozenset[str]:
        """Ids of the calls of the session whose arguments or (start of the) results hold all the
        words (as in `SessionStore.search`)."""
        ...
