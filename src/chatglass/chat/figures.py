"""RequestFigures: sums over the request rows of a session, kept as requests finish."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from chatglass.chat.ledger import LedgerTotals
from chatglass.store.records import RequestRow
from chatglass.values.usage import Usage

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
        self._by_turn: dict[str, _TurnFigures] = {}
        for row in rows:
            self.add(row)

    def add(self, row: RequestRow) -> None:
        """Count a request that is over."""
        if row.status == "running":
            return
        self.requests += 1
        turn = self._by_turn.setdefault(row.turn_id, _TurnFigures())
        turn.requests += 1
        if row.usage is None:
            return
        self.last = row
        self.usage = self.usage + row.usage
        turn.tokens += row.usage.total_tokens
        if row.cost is None:
            self.unpriced += 1
        else:
            self.cost += row.cost
            turn.cost = (turn.cost or Decimal(0)) + row.cost
        self.free = self.free and row.price_source in _FREE

    def turn(self, turn_id: str | None) -> tuple[int, int, Decimal | None]:
        """Requests, tokens and cost of one turn."""
        figures = self._by_turn.get(turn_id or "", _TurnFigures())
        return figures.requests, figures.tokens, figures.cost

    def cost_by_turn(self) -> tuple[Decimal, ...]:
        """The costs of the last turns, oldest first."""
        recent = list(self._by_turn.values())[-_TURNS_SHOWN:]
        return tuple(turn.cost or Decimal(0) for turn in recent)

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


class _TurnFigures:
    __slots__ = ("cost", "requests", "tokens")

    def __init__(self) -> None:
        self.requests = 0
        self.tokens = 0
        self.cost: Decimal | None = None
