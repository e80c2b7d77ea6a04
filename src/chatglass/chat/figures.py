"""RequestFigures: sums over the request rows of a session, kept as requests finish."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from chatglass.chat.compaction.versions import Efforts
from chatglass.chat.ledger import LedgerTotals
from chatglass.store.records import RequestRow
from chatglass.values.usage import Spent, Usage, UsageSum

_TURNS_SHOWN = 30


class RequestFigures:
    """What the requests of a session used, in all, by turn, by model and by tool. A row is counted
    once it has usage."""

    def __init__(self, rows: Iterable[RequestRow] = ()) -> None:
        self.requests = 0
        self.last: RequestRow | None = None
        """The newest request for an answer."""
        self.longest_answer = 0
        """Completion tokens."""
        self.efforts = Efforts()
        """Of the compactions."""
        self._all = UsageSum()
        self._by_turn: dict[str, _Counted] = {}
        """The last turns."""
        self._by_model: dict[tuple[str, str], _Counted] = {}
        self._by_tool: dict[str, _Counted] = {}
        for row in rows:
            self.add(row)

    @property
    def usage(self) -> Usage:
        return self._all.usage

    @property
    def cost(self) -> Decimal:
        """Of what could be priced."""
        return self._all.cost

    @property
    def unpriced(self) -> int:
        return self._all.unpriced

    def add(self, row: RequestRow) -> None:
        """Count a request that is over."""
        if row.status == "running":
            return
        self.requests += 1
        self.efforts.add(row)
        turn = self._by_turn.setdefault(row.turn_id, _Counted())
        turn.requests += 1
        if len(self._by_turn) > _TURNS_SHOWN:
            del self._by_turn[next(iter(self._by_turn))]
        if row.usage is None:
            return
        if row.purpose == "answer":
            self.last = row
            self.longest_answer = max(self.longest_answer, row.usage.completion_tokens)
        model = self._by_model.setdefault((row.endpoint, row.model), _Counted())
        model.requests += 1
        for each in (self._all, turn.sum, model.sum):
            each.add(row.usage, row.cost)
        for share in row.tool_shares():
            tool = self._by_tool.setdefault(share.name, _Counted())
            tool.requests += 1
            sent = Usage(prompt_tokens=share.tokens, source="estimated")
            tool.sum.add(sent, share.cost)

    def turn(self, turn_id: str | None) -> Spent:
        """What one of the last turns used."""
        return self._by_turn.get(turn_id or "", _Counted()).spent()

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
        return tuple(turn.sum.cost for turn in self._by_turn.values())

    def known_cost(self) -> Decimal | None:
        """The sum of what could be priced; None where there is nothing that could."""
        return self._all.known_cost

    def tokens_per_second(self) -> float | None:
        """Completion tokens a second of the last request, from its first token on; from its start
        where it reasoned, since most servers keep that to themselves until the answer begins."""
        row = self.last
        if row is None or row.usage is None or not row.first_token_at or not row.finished_at:
            return None
        began = row.started_at if row.usage.reasoning_tokens else row.first_token_at
        milliseconds = row.finished_at - began
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


class _Counted:
    """A sum, and the number of all requests, those without usage too."""

    __slots__ = ("requests", "sum")

    def __init__(self) -> None:
        self.requests = 0
        self.sum = UsageSum()

    def spent(self, name: str = "") -> Spent:
        return self.sum.spent(self.requests, name)


def _dearest_first(sums: Iterable[Spent]) -> tuple[Spent, ...]:
    return tuple(sorted(sums, key=lambda one: (-(one.cost or 0), -one.tokens, one.name)))
