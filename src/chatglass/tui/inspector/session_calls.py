"""SessionCalls: what the inspector reads, from the session on screen."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from chatglass.chat.call_round import CallRound
    from chatglass.chat.call_schema import CallSchema
    from chatglass.chat.call_tokens import CallTokens
    from chatglass.store.records import ToolCallRow, ToolResult
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

    async def round(self, call: ToolCallRow) -> CallRound:
        from chatglass.chat.call_round import call_round

        session = self._opened()
        return await call_round(session.engine.context.store, call, session.view.calls.values())

    async def schema(self, call: ToolCallRow) -> CallSchema:
        from chatglass.chat.call_schema import call_schema

        context = self._opened().engine.context
        request = (await self.round(call)).request
        return await call_schema(context.store, context.tool_manager, call, request)

    async def tokens(self, call: ToolCallRow, seen: str) -> CallTokens:
        from chatglass.chat.call_tokens import call_tokens

        context = self._opened().engine.context
        return await call_tokens(
            context.store,
            call,
            seen,
            await context.messages.whole_path(),
            lambda tokens: context.models.calibrated(context.model, tokens),
        )

    def _opened(self) -> OpenSession:
        session = self._current()
        if session is None:
            raise LookupError("No session is on screen.")
        return session
