"""RequestFigures: sums over the request rows of a session, kept as requests finish."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from chatglass.chat.ledger import LedgerTotals
from chatglass.store.records import RequestRow
from chatglass.values.usage import Spent, Usage

_TURNS_SHOWN = 30
_FREE = frozenset({"local", "demo"})


class RequestFigures:
    """What the requests of a session used, in all and by turn. A row is counted once it has usage."""

    def __init__(self, rows: Iterable[RequestRow] = ()) -> None:
        self.usage = Usage()
        self.cost = Decimal(0)
        self.requests = 0
        self.unpriced = 0
        self.free = True
        self.last: RequestRow | None = None
        self.longest_answer = 0
        """Completion tokens."""
        self._by_turn: dict[str, _Sum] = {}
        self._by_model: dict[tuple[str, str], _Sum] = {}
        self._by_tool: dict[str, _Sum] = {}
        for row in rows:
            self.add(row)

    def add(self, row: RequestRow) -> None:
        """Count a request that is over."""
        if row.status == "running":
            return
        self.requests += 1
        turn = self._by_turn.setdefault(row.turn_id, _Sum())
        turn.requests += 1
        if row.usage is None:
            return
        self.last = row
        self.usage = self.usage + row.usage
        self.longest_answer = max(self.longest_answer, row.usage.completion_tokens)
        is_free = row.price_source in _FREE
        model = self._by_model.setdefault((row.endpoint, row.model), _Sum())
        model.requests += 1
        for each in (turn, model):
            each.add(row.usage.total_tokens, row.cost, is_free)
        for share in row.tool_shares():
            tool = self._by_tool.setdefault(share.name, _Sum())
            tool.requests += 1
            tool.add(share.tokens, share.cost, is_free)
        if row.cost is None:
            self.unpriced += 1
        else:
            self.cost += row.cost
        self.free = self.free and is_free

    def turn(self, turn_id: str | None) -> Spent:
        """What one turn used."""
        return self._by_turn.get(turn_id or "", _Sum()).spent()

    def by_model(self) -> tuple[Spent, ...]:
        """What each model used, dearest first; named with its endpoint where that tells two apart."""
        names = [model for _, model in self._by_model]
        return _dearest_first(
            each.spent(model if names.count(model) == 1 else f"{model} · {endpoint}")
            for (endpoint, model), each in self._by_model.items()
        )

    def by_tool(self) -> tuple[Spent, ...]:
        """What the results of each tool have cost so far, dearest first."""
        return _dearest_first(each.spent(name) for name, each in self._by_tool.items())

    def cost_by_turn(self) -> tuple[Decimal, ...]:
        """The costs of the last turns, oldest first."""
        recent = list(self._by_turn.values())[-_TURNS_SHOWN:]
        return tuple(turn.cost for turn in recent)

    def known_cost(self) -> Decimal | None:
        """The sum of what could be priced; None where nothing could."""
        return None if self.unpriced and not self.cost else self.cost

    def tokens_per_second(self) -> float | None:
        """Completion tokens a second of the last request, from its first token on."""
        row = self.last
        if row is None or row.usage is None or not row.first_token_at or not row.finished_at:
            return None
        milliseconds = row.finished_at - row.first_token_at
        return row.usage.completion_tokens * 1000 / milliseconds if milliseconds > 0 else None

    def first_token_ms(self) -> int | None:
        """How long the last request waited for its first token."""
        row = self.last
        return row.first_token_at - row.started_at if row and row.first_token_at else None

    def totals(self) -> LedgerTotals:
        return LedgerTotals(
            prompt_tokens=self.usage.prompt_tokens,
            completion_tokens=self.usage.completion_tokens,
            cost=self.cost,
        )


class _Sum:
    __slots__ = ("cost", "free", "requests", "tokens", "unpriced", "used")

    def __init__(self) -> None:
        self.requests = 0
        self.used = 0
        self.tokens = 0
        self.cost = Decimal(0)
        self.unpriced = 0
        self.free = True

    def add(self, tokens: int, cost: Decimal | None, is_free: bool) -> None:
        """Count the usage of a request."""
        self.used += 1
        self.tokens += tokens
        self.free = self.free and is_free
        if cost is None:
            self.unpriced += 1
        else:
            self.cost += cost

    def spent(self, name: str = "") -> Spent:
        return Spent(
            name=name,
            requests=self.requests,
            tokens=self.tokens,
            cost=None if not self.cost and (self.unpriced or not self.used) else self.cost,
            unpriced=self.unpriced,
            free=self.used > 0 and self.free,
        )


def _dearest_first(sums: Iterable[Spent]) -> tuple[Spent, ...]:
    return tuple(sorted(sums, key=lambda one: (-(one.cost or 0), -one.tokens, one.name)))
