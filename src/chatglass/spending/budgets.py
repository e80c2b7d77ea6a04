"""Budgets: how much may be spent before the program warns (soft) or asks (hard).

Three scopes: what this start may spend (`--max-cost`), a session, and the local day. They hold the
costs in USD that request rows have; a request about to be sent counts with its estimate, an
allowance for the answer included.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Literal, Protocol

from chatglass.store.records import Parameters
from chatglass.values import figures

Scope = Literal["start", "session", "day"]
_NAMES: dict[Scope, str] = {"start": "this start", "session": "this session", "day": "today"}


@dataclass(frozen=True, slots=True)
class Limits:
    """USD before a warning and before a question; None: no such limit."""

    soft: Decimal | None = None
    hard: Decimal | None = None

    def __bool__(self) -> bool:
        return self.soft is not None or self.hard is not None


@dataclass(frozen=True, slots=True)
class Breach:
    """A limit that a request would pass. `spent` is without the request, `reserved` what requests
    of other sessions that are under way have set aside."""

    scope: Scope
    limit: Decimal
    spent: Decimal
    reserved: Decimal = Decimal(0)

    @property
    def words(self) -> str:
        """`today: $4.98 of $5.00 spent, $0.0100 more under way`."""
        text = f"{_NAMES[self.scope]}: {figures.money_of(self.spent, self.limit)} spent"
        return f"{text}, {figures.money(self.reserved)} more under way" if self.reserved else text


@dataclass(frozen=True, slots=True)
class BudgetQuestion:
    """Asked before a request that would pass `breaches`, or, where these are empty, for a model
    whose cost is unknown, so that no budget can hold it."""

    session_id: str
    model: str
    cost: Decimal | None
    breaches: tuple[Breach, ...]

    @property
    def words(self) -> str:
        if not self.breaches:
            return (
                f"No price is known for {self.model}, so no budget can hold what it costs."
                f' [prices."{self.model}"] in the settings sets one.'
            )
        lines = [
            f"The next request may cost {figures.money(self.cost, about=True)} and would pass:"
        ]
        return "\n".join([*lines, *(breach.words for breach in self.breaches)])


BudgetAnswer = Literal["once", "lift", "stop"]
"""`once`: this request alone; `lift`: no more questions about these limits (today, in this
session, for this model); `stop`: do not send."""

AskBudget = Callable[[BudgetQuestion], Awaitable[BudgetAnswer]]


class Spender(Protocol):
    """A session of this start, as a budget counts it."""

    @property
    def spent(self) -> Decimal:
        """What it has cost since this start."""
        ...

    @property
    def under_way(self) -> Decimal:
        """What its request under way may cost; 0 where none is."""
        ...


@dataclass(slots=True, eq=False)
class Budgets:
    """The limits of one start, and what was said about them."""

    session: Limits = Limits()
    """Where the session has none of its own."""
    day: Limits = Limits()
    start: Decimal | None = None
    """`--max-cost`; hard."""
    spenders: list[Spender] = field(default_factory=list[Spender])
    lifted: set[tuple[Scope, str]] = field(default_factory=set[tuple[Scope, str]])
    """Hard limits that the user has lifted, with what they are of (`key_of`)."""
    warned: set[tuple[Scope, str]] = field(default_factory=set[tuple[Scope, str]])
    unpriced_allowed: set[str] = field(default_factory=set[str])
    """Models without a price that may be asked all the same."""

    def of_session(self, parameters: Parameters) -> Limits:
        """The session's own limits, and those of the settings where it has none."""
        return Limits(
            _own(parameters.budget_soft, self.session.soft),
            _own(parameters.budget_hard, self.session.hard),
        )

    def start_breach(self, amount: Decimal, besides: Spender) -> Breach | None:
        """Whether `amount` more would pass what this start may spend."""
        if self.start is None or self.is_lifted("start", ""):
            return None
        spent = sum((one.spent for one in self.spenders), Decimal(0))
        others = (one.under_way for one in self.spenders if one is not besides)
        under_way = sum(others, Decimal(0))
        if spent + under_way + amount <= self.start:
            return None
        return Breach("start", self.start, spent, under_way)

    def is_lifted(self, scope: Scope, session_id: str) -> bool:
        return (scope, key_of(scope, session_id)) in self.lifted

    def lift(self, scopes: Iterable[Scope], session_id: str) -> None:
        self.lifted |= {(scope, key_of(scope, session_id)) for scope in scopes}

    def first_warning(self, scope: Scope, session_id: str) -> bool:
        """Whether this limit was not warned of yet; from now on it was."""
        key = (scope, key_of(scope, session_id))
        if key in self.warned:
            return False
        self.warned.add(key)
        return True


def key_of(scope: Scope, session_id: str) -> str:
    """What a limit of that scope is of just now: the session, the day, or this start."""
    if scope == "session":
        return session_id
    return date.today().isoformat() if scope == "day" else ""


def parse_usd(text: str) -> Decimal:
    """`0.50` or `$0.50`, above 0. Raises ValueError in words."""
    try:
        amount = Decimal(text.strip().removeprefix("$"))
    except InvalidOperation:
        amount = Decimal(0)
    if not amount.is_finite() or not 0 < amount < 1_000_000:
        raise ValueError(f"{text.strip()!r} is no sum in USD; write it as 0.50.")
    return amount


def _own(written: str | None, of_settings: Decimal | None) -> Decimal | None:
    if written is None:
        return of_settings
    return parse_usd(written) if written else None
