"""SessionApproval: the questions of one session that wait for the user."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from chatglass.chat.ports import PendingCall

if TYPE_CHECKING:
    from chatglass.chat.approvals import SessionPolicy
    from chatglass.chat.ports import Decision, EndTurn, GoOn, Pause, TellModel

Question = "PendingCall | Pause"


class SessionApproval:
    """They wait here, whatever is on screen; `changed` is called whenever their list changes."""

    def __init__(self, policy: SessionPolicy, *, changed: Callable[[], None]) -> None:
        self.policy = policy
        self._changed = changed
        self._waiting: list[tuple[PendingCall | Pause, asyncio.Future[Any]]] = []

    @property
    def waiting(self) -> list[PendingCall | Pause]:
        """What waits, the first asked first."""
        return [question for question, _ in self._waiting]

    async def decide(self, call: PendingCall) -> Decision:
        return await self._ask(call)

    async def ask_to_go_on(self, pause: Pause) -> GoOn | EndTurn | TellModel:
        return await self._ask(pause)

    async def _ask(self, question: PendingCall | Pause) -> Any:
        entry = question, asyncio.get_running_loop().create_future()
        self._waiting.append(entry)
        self._changed()
        try:
            return await entry[1]
        finally:
            self._waiting.remove(entry)
            self._changed()

    def answer(self, question: PendingCall | Pause, answer: object, *, grant: bool = False) -> None:
        """The user's answer. One that comes after the turn was stopped is dropped."""
        for waiting, future in self._waiting:
            if waiting is question and not future.done():
                if grant and isinstance(question, PendingCall):
                    self.policy.grants.grant(question)
                future.set_result(answer)
