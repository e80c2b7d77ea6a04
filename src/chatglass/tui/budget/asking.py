"""SessionBudget: asks the user before a request of one session would pass a budget."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from chatglass.spending.budgets import BudgetAnswer, BudgetQuestion


def _nothing() -> None:
    pass


class SessionBudget:
    """The question waits here, whatever is on screen; `changed` is called when it comes and goes."""

    def __init__(self, changed: Callable[[], None] = _nothing) -> None:
        self._changed = changed
        self._answer: asyncio.Future[BudgetAnswer] | None = None
        self.waiting: BudgetQuestion | None = None

    async def ask(self, question: BudgetQuestion) -> BudgetAnswer:
        self._answer = asyncio.get_running_loop().create_future()
        self.waiting = question
        self._changed()
        try:
            return await self._answer
        finally:
            self.waiting = None
            self._changed()

    def answer(self, question: BudgetQuestion, answer: BudgetAnswer) -> None:
        """The user's answer. One that comes after the turn was stopped is dropped."""
        if question is self.waiting and self._answer is not None and not self._answer.done():
            self._answer.set_result(answer)
