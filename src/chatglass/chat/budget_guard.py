"""BudgetGuard: answers `before_request` for one session by the budgets that are in force."""

from __future__ import annotations

import asyncio
from decimal import Decimal

from chatglass.chat.chat_context import ChatContext
from chatglass.chat.ports import Proceed, RequestPlan, Stop
from chatglass.chat.to_the_end import finished
from chatglass.spending.budgets import (
    AskBudget,
    Breach,
    BudgetQuestion,
    Budgets,
    Limits,
    Scope,
)
from chatglass.spending.days import day_bounds
from chatglass.store.usage_records import Reserved
from chatglass.values import figures
from chatglass.values.clock import now_ms
from chatglass.values.usage import FREE_SOURCES


class BudgetGuard:
    """Without `ask` a hard limit ends the turn."""

    def __init__(self, context: ChatContext, budgets: Budgets, ask: AskBudget | None) -> None:
        self._context = context
        self._budgets = budgets
        self._ask = ask
        self._spent_before: Decimal | None = None
        self._under_way = Decimal(0)
        self._requests_then = -1
        budgets.spenders.append(self)

    # -- Spender

    @property
    def spent(self) -> Decimal:
        """What the session has cost since this start. The first request tells what it had cost
        before."""
        return self._cost - (self._cost if self._spent_before is None else self._spent_before)

    @property
    def under_way(self) -> Decimal:
        """Of the request that was let through and is not over."""
        requests = self._context.requests
        is_over = requests.figures.requests != self._requests_then
        return Decimal(0) if is_over or not requests.is_under_way else self._under_way

    @property
    def _cost(self) -> Decimal:
        return self._context.requests.figures.cost

    def close(self) -> None:
        """The session is closed; what it spent still counts for this start."""
        self._requests_then = -1

    @property
    def limits(self) -> Limits:
        """Those of the session."""
        return self._budgets.of_session(self._context.session.parameters)

    # -- the port

    async def before_request(self, plan: RequestPlan) -> Proceed | Stop:
        if self._spent_before is None:
            self._spent_before = self._cost
        session, day = self.limits, self._budgets.day
        if plan.price_source in FREE_SOURCES or not (
            session or day or self._budgets.start is not None
        ):
            return Proceed()
        amount = plan.cost_with_answer
        if amount is None:
            return await self._unpriced(plan, session)
        if not amount:
            return Proceed()
        self._under_way, self._requests_then = amount, self._context.requests.figures.requests
        try:
            answer = await self._within(plan, amount, session)
        except BaseException:
            self._requests_then = -1
            raise
        if isinstance(answer, Stop):
            self._requests_then = -1
        return answer

    async def _within(self, plan: RequestPlan, amount: Decimal, session: Limits) -> Proceed | Stop:
        budgets = self._budgets
        breaches = [
            breach
            for breach in (
                budgets.start_breach(amount, self),
                self._session_breach(amount, session),
            )
            if breach is not None
        ]
        reserved = await self._reserve(amount, forced=False)
        if reserved is not None and not reserved.made:
            assert budgets.day.hard is not None
            breaches.append(Breach("day", budgets.day.hard, reserved.spent, reserved.reserved))
        if breaches:
            stop = await self._may_pass(plan, amount, breaches)
            if stop is not None:
                await self._context.store.end_reservation(plan.session_id)
                return stop
            if reserved is not None and not reserved.made:
                await self._reserve(amount, forced=True)
        return self._soft(amount, session, reserved)

    def _session_breach(self, amount: Decimal, limits: Limits) -> Breach | None:
        session_id = self._context.session.id
        if limits.hard is None or self._budgets.is_lifted("session", session_id):
            return None
        if self._cost + amount <= limits.hard:
            return None
        return Breach("session", limits.hard, self._cost)

    async def _reserve(self, amount: Decimal, *, forced: bool) -> Reserved | None:
        """Set the amount aside for the day, where that has a budget."""
        day = self._budgets.day
        if not day:
            return None
        now = now_ms()
        since, until = day_bounds(now)
        session_id = self._context.session.id
        most = None if forced or self._budgets.is_lifted("day", session_id) else day.hard
        store = self._context.store
        reserved, cancelled = await finished(
            store.reserve(session_id, amount, now=now, since=since, until=until, most=most)
        )
        if cancelled:
            # The turn is stopped: no request will come that ends it.
            await finished(store.end_reservation(session_id))
            raise asyncio.CancelledError
        return reserved

    async def _may_pass(
        self, plan: RequestPlan, amount: Decimal, breaches: list[Breach]
    ) -> Stop | None:
        passed = "; ".join(breach.words for breach in breaches)
        stop = Stop(
            f"The next request may cost {figures.money(amount, about=True)} and would pass the budget "
            f"({passed}).",
            "Raise it{budget} or in [budget] of the settings, or choose a cheaper model{model}.",
        )
        if self._ask is None:
            return stop
        question = BudgetQuestion(plan.session_id, plan.model, amount, tuple(breaches))
        try:
            answer = await self._ask(question)
        except asyncio.CancelledError:
            await finished(self._context.store.end_reservation(plan.session_id))
            raise
        if answer == "lift":
            self._budgets.lift((breach.scope for breach in breaches), plan.session_id)
        return stop if answer == "stop" else None

    def _soft(self, amount: Decimal, session: Limits, reserved: Reserved | None) -> Proceed:
        """Proceed, with a warning where a soft limit is passed for the first time."""
        session_id = self._context.session.id
        spent: list[tuple[Scope, Decimal | None, Decimal]] = [("session", session.soft, self._cost)]
        if reserved is not None:
            spent.append(("day", self._budgets.day.soft, reserved.spent + reserved.reserved))
        words = [
            Breach(scope, limit, before).words
            for scope, limit, before in spent
            if limit is not None
            and before + amount > limit
            and self._budgets.first_warning(scope, session_id)
        ]
        if not words:
            return Proceed()
        return Proceed(
            f"Budget: the next request ({figures.money(amount, about=True)}) passes a soft limit; "
            f"{'; '.join(words)}.",
            "The limits can be changed{budget}, or in [budget] of the settings.",
        )

    # -- models without a price

    async def _unpriced(self, plan: RequestPlan, session: Limits) -> Proceed | Stop:
        budgets = self._budgets
        question = BudgetQuestion(plan.session_id, plan.model, None, ())
        hard = session.hard is not None or budgets.day.hard is not None or budgets.start is not None
        if not hard:
            key = f"unpriced {plan.session_id} {plan.model}"
            if budgets.first_warning("session", key):
                return Proceed(question.words, "Only its tokens are counted.")
            return Proceed()
        if plan.model in budgets.unpriced_allowed:
            return Proceed()
        answer = "stop" if self._ask is None else await self._ask(question)
        if answer == "lift":
            budgets.unpriced_allowed.add(plan.model)
        return Stop(question.words) if answer == "stop" else Proceed()
