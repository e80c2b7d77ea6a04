"""SessionCalls: what the inspector reads, from the session on screen."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from chatglass.store.records import ToolResult
    from chatglass.tui.open_session import OpenSession


class SessionCalls:
    """The CallSource of whichever session is on screen."""

    def __init__(self, current: Callable[[], OpenSession | None]) -> None:
        self._current = current

    async def result(self, tool_call_id: str) -> ToolResult | None:
        session = self._current()
        if session is None:
            return None
        if session.reruns is not None and tool_call_id in session.reruns:
            return await session.reruns.result(tool_call_id)
        return await session.engine.context.store.tool_result(tool_call_id)

    async def find_calls(self, words: str) -> frozenset[str]:
        session = self._current()
        if session is None:
            return frozenset()
        return await session.engine.context.store.calls_with(session.id, words)
