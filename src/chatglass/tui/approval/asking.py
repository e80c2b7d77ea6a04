"""SessionApproval: answers `decide_tool` for one session, from flags, grants, or the user."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from chatglass.chat.approvals import by_flag
from chatglass.chat.ports import Decision, PendingCall
from chatglass.tools.approval import SessionGrants


class SessionApproval:
    """Calls that need a person wait here, whatever is on screen; `changed` is called whenever
    their list changes."""

    def __init__(
        self,
        root: str,
        *,
        allowed: frozenset[str],
        everything: bool,
        changed: Callable[[], None],
    ) -> None:
        self.grants = SessionGrants(root)
        self._allowed = allowed
        self._everything = everything
        self._changed = changed
        self._waiting: dict[str, tuple[PendingCall, asyncio.Future[Decision]]] = {}

    @property
    def waiting(self) -> list[PendingCall]:
        """The calls that wait, the first asked first."""
        return [call for call, _ in self._waiting.values()]

    async def decide(self, call: PendingCall) -> Decision:
        flagged = by_flag(call, self._allowed, everything=self._everything)
        if flagged is not None:
            return flagged
        if self.grants.covers(call):
            return Decision(verdict="allow", decided_by="session grant")
        answer: asyncio.Future[Decision] = asyncio.get_running_loop().create_future()
        self._waiting[call.tool_call_id] = (call, answer)
        self._changed()
        try:
            return await answer
        finally:
            self._waiting.pop(call.tool_call_id, None)
            self._changed()

    def answer(self, tool_call_id: str, decision: Decision, *, grant: bool) -> None:
        """The user's answer. One that comes after the turn was stopped is dropped."""
        call, future = self._waiting.get(tool_call_id, (None, None))
        if call is None or future is None or future.done():
            return
        if grant and not call.assessment.always_ask:
            self.grants.grant(call)
        future.set_result(decision)
