"""What every store must do with spending: sums over requests, and reservations."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chatglass.store.protocol import SessionGone, SessionStore
from chatglass.store.records import RequestRow
from chatglass.store.usage_records import UsageQuery, UsageRow
from chatglass.values.ids import new_id
from chatglass.values.usage import Usage
from store.builders import new_session, request, tool_call

DAY = 86_400_000
NOON = 1_741_521_600_000
"""2025-03-09 12:00 UTC."""


async def spend(
    store: SessionStore, session_id: str, cost: str | None = "0.01", **fields: Any
) -> RequestRow:
    """A finished request of 90 + 10 tokens."""
    begun = request(session_id, **({"started_at": NOON} | fields))
    await store.add_request(replace(begun, tool_tokens=(), prompt_cost=None))
    row = replace(
        begun,
        status="complete",
        finished_at=begun.started_at + 100,
        usage=begun.usage
        or Usage(
            prompt_tokens=90,
            completion_tokens=10,
            cached_tokens=40,
            cache_write_tokens=5,
            reasoning_tokens=3,
        ),
        cost=None if cost is None else Decimal(cost),
    )
    await store.finish_request(row)
    return row


async def names(store: SessionStore, **query: Any) -> list[str]:
    return [row.name for row in await store.usage(UsageQuery(**query))]


async def total(store: SessionStore, **query: Any) -> Decimal:
    return sum((row.cost for row in await store.usage(UsageQuery(**query))), Decimal(0))


class SpendingConformance:
    @pytest.fixture
    def berlin(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
        monkeypatch.setenv("TZ", "Europe/Berlin")
        time.tzset()
        yield
        monkeypatch.undo()
        time.tzset()

    async def test_nothing_was_spent_yet(self, store: SessionStore) -> None:
        for by in ("day", "model", "tool", "session"):
            assert await store.usage(UsageQuery(by=by)) == []

    async def test_a_request_is_summed_whole(self, store: SessionStore) -> None:
        session = await new_session(store, title="Ünïcode")
        await spend(store, session.id, "0.1")
        await spend(store, session.id, "0.000000000001", endpoint="openai", model="gpt-5")
        sums = {
            "requests": 1, "prompt_tokens": 90, "completion_tokens": 10, "cached_tokens": 40,
            "cache_write_tokens": 5, "reasoning_tokens": 3,
        }  # fmt: skip
        assert await store.usage(UsageQuery(by="model")) == [
            UsageRow(name="demo-1", endpoint="demo", cost=Decimal("0.1"), **sums),
            UsageRow(name="gpt-5", endpoint="openai", cost=Decimal("1e-12"), **sums),
        ]
        both = {name: 2 * count for name, count in sums.items()}
        assert await store.usage(UsageQuery(by="session")) == [
            UsageRow(name=session.id, title="Ünïcode", cost=Decimal("0.100000000001"), **both)
        ]

    async def test_what_is_unpriced_free_and_estimated_is_counted(
        self, store: SessionStore
    ) -> None:
        session = await new_session(store)
        await spend(store, session.id, None)
        await spend(store, session.id, "0", price_source="local")
        estimated = Usage(prompt_tokens=5, source="estimated")
        await spend(store, session.id, "0.5", usage=estimated, price_source="settings")
        failed = request(session.id, started_at=NOON)
        await store.add_request(failed)
        await store.finish_request(replace(failed, status="error"))
        await store.add_request(request(session.id, started_at=NOON))  # runs
        (row,) = await store.usage(UsageQuery(by="day"))
        assert (row.requests, row.unpriced_requests, row.free_requests) == (4, 1, 1)
        assert (row.estimated_requests, row.total_tokens, row.cost) == (1, 205, Decimal("0.5"))

    async def test_days_are_local_and_oldest_first(self, store: SessionStore, berlin: None) -> None:
        session = await new_session(store)
        before_midnight = NOON + 11 * 3_600_000 - 1  # 23:59:59.999 in Berlin
        for at in (before_midnight + 1, before_midnight, NOON - DAY):
            await spend(store, session.id, started_at=at)
        assert await names(store, by="day") == ["2025-03-08", "2025-03-09", "2025-03-10"]
        # Three weeks on, its clocks are one hour further.
        await spend(store, session.id, started_at=NOON + 22 * DAY + 10 * 3_600_000)
        assert (await names(store, by="day"))[-1] == "2025-04-01"

    async def test_a_range_holds_its_start_and_not_its_end(self, store: SessionStore) -> None:
        session = await new_session(store)
        for at, cost in ((10, "1"), (20, "2"), (30, "4")):
            await spend(store, session.id, cost, started_at=at)
        assert await total(store, by="session", since=20) == 6
        assert await total(store, by="session", until=20) == 1
        assert await total(store, by="session", since=10, until=30) == 3
        assert await total(store, by="session", since=31) == 0

    async def test_sums_of_one_session_or_model(self, store: SessionStore) -> None:
        one, other = await new_session(store), await new_session(store)
        await spend(store, one.id, "1", model="a")
        await spend(store, one.id, "2", model="b")
        await spend(store, other.id, "4", model="a", endpoint="elsewhere")
        assert await total(store, by="day", session_id=one.id) == 3
        assert await total(store, by="day", model=("demo", "a")) == 1
        assert await names(store, by="model", session_id=one.id) == ["b", "a"]
        assert await names(store, by="session") == [other.id, one.id]

    async def test_the_shares_of_tools(self, store: SessionStore) -> None:
        session = await new_session(store)
        held = {"tool_tokens": (("read", 30), ("run", 15)), "prompt_cost": Decimal("0.009")}
        await spend(store, session.id, **held)
        await spend(store, session.id, tool_tokens=(("read", 9),))
        call = tool_call(session.id, name="fetch", proposed_at=NOON)
        await store.add_tool_calls([call, replace(call, id=new_id(), name="run")])
        rows = {row.name: row for row in await store.usage(UsageQuery(by="tool"))}
        assert list(rows) == ["read", "run", "fetch"]
        read, run, fetch = rows.values()
        # 30 of 90 tokens of a prompt of $0.009; of the other one no price is known.
        assert (read.cost, read.prompt_tokens, read.total_tokens) == (Decimal("0.003"), 39, 39)
        assert (read.requests, read.unpriced_requests, read.calls) == (2, 1, 0)
        assert (run.cost, run.prompt_tokens, run.calls) == (Decimal("0.0015"), 15, 1)
        assert (fetch.requests, fetch.calls, fetch.cost) == (0, 1, 0)
        assert await total(store, by="session", tool="read") == Decimal("0.003")
        assert await names(store, by="day", tool="nothing") == []
        assert await names(store, by="tool", since=NOON + 1) == []
        assert await names(store, by="tool", model=("demo", "demo-1")) == ["read", "run"]
        assert await names(store, by="tool", session_id=new_id()) == []

    async def test_estimates_above_the_prompt_share_all_of_it(self, store: SessionStore) -> None:
        session = await new_session(store)
        held = {"tool_tokens": (("a", 100), ("b", 80)), "prompt_cost": Decimal("0.009")}
        await spend(store, session.id, **held)
        assert await total(store, by="tool") == Decimal("0.009")

    async def test_the_tools_of_a_request_come_back(self, store: SessionStore) -> None:
        session = await new_session(store)
        held = (("read", 30), ("run", 15))
        row = await spend(store, session.id, tool_tokens=held, prompt_cost=Decimal("0.5"))
        other = await spend(store, session.id)
        assert await store.requests(session.id) == [row, other]
        whole = await store.whole_session(session.id)
        await store.delete_session(session.id)
        assert await names(store, by="tool") == []
        await store.add_whole_session(whole)
        assert await store.requests(session.id) == [row, other]
        assert await total(store, by="tool") == Decimal("0.25")

    async def test_what_a_deleted_session_spent_goes_with_it(self, store: SessionStore) -> None:
        session = await new_session(store)
        await spend(store, session.id)
        await store.delete_session(session.id)
        assert await names(store, by="day") == []

    @settings(
        max_examples=15,
        deadline=None,
        suppress_health_check=[
            HealthCheck.function_scoped_fixture,
            HealthCheck.differing_executors,
        ],
    )
    @given(
        st.lists(
            st.tuples(
                st.integers(0, 2),
                st.sampled_from(["m", "n"]),
                st.integers(0, 3),
                st.none() | st.integers(0, 10**12).map(lambda p: str(Decimal(p).scaleb(-12))),
            ),
            max_size=12,
        )
    )
    async def test_every_way_to_sum_gives_the_same(
        self, store: SessionStore, spent: list[tuple[int, str, int, str | None]]
    ) -> None:
        mine = [await new_session(store) for _ in range(3)]
        for place, model, day, cost in spent:
            at = NOON + day * DAY
            await spend(store, mine[place].id, cost, model=model, started_at=at)
        for session in mine:
            row = await store.get_session(session.id)
            for by in ("day", "model", "session"):
                rows = await store.usage(UsageQuery(by=by, session_id=session.id))
                assert sum((each.cost for each in rows), Decimal(0)) == row.cost
                assert sum(each.requests for each in rows) == row.requests
                assert sum(each.unpriced_requests for each in rows) == row.unpriced_requests
                assert sum(each.total_tokens for each in rows) == row.total_tokens

    # -- reservations

    async def test_a_reservation_counts_for_the_others(self, store: SessionStore) -> None:
        one, other = await new_session(store), await new_session(store)
        await spend(store, one.id, "0.4")
        day = {"now": NOON + 5, "since": NOON - 10, "until": NOON + 10, "most": Decimal(1)}
        first = await store.reserve(one.id, Decimal("0.5"), **day)
        assert (first.made, first.spent, first.reserved) == (True, Decimal("0.4"), 0)
        second = await store.reserve(other.id, Decimal("0.2"), **day)
        assert (second.made, second.spent, second.reserved) == (
            False, Decimal("0.4"), Decimal("0.5"),
        )  # fmt: skip
        assert (await store.reserve(other.id, Decimal("0.1"), **day)).made
        # Of one session the newest counts, so that it is not in its own way.
        assert (await store.reserve(one.id, Decimal("0.5"), **day)).made
        assert not (await store.reserve(one.id, Decimal("0.51"), **day)).made
        assert (await store.reserve(one.id, Decimal(9), **(day | {"most": None}))).made

    async def test_it_ends_with_the_request_or_by_hand(self, store: SessionStore) -> None:
        one, other = await new_session(store), await new_session(store)
        day = {"now": NOON + 5, "since": NOON - 10, "until": NOON + 10, "most": Decimal(1)}
        await store.reserve(one.id, Decimal("0.9"), **day)
        await spend(store, one.id, "0.3")
        after = await store.reserve(other.id, Decimal("0.7"), **day)
        assert (after.made, after.spent, after.reserved) == (True, Decimal("0.3"), 0)
        await store.end_reservation(other.id)
        await store.end_reservation(other.id)
        assert (await store.reserve(one.id, Decimal("0.7"), **day)).made
        await store.delete_session(one.id)
        assert (await store.reserve(other.id, Decimal(1), **day)).made

    async def test_only_what_is_of_the_day_counts(self, store: SessionStore) -> None:
        one, other = await new_session(store), await new_session(store)
        await spend(store, one.id, "5", started_at=NOON - 1)
        await spend(store, one.id, "6", started_at=NOON + DAY)
        yesterday = {"now": NOON - 1, "since": NOON - DAY, "until": NOON, "most": None}
        await store.reserve(one.id, Decimal(7), **yesterday)
        today = {"now": NOON, "since": NOON, "until": NOON + DAY, "most": Decimal(1)}
        found = await store.reserve(other.id, Decimal(1), **today)
        assert (found.made, found.spent, found.reserved) == (True, 0, 0)

    async def test_many_at_once_never_pass_the_limit(self, store: SessionStore) -> None:
        mine = [await new_session(store) for _ in range(20)]
        day = {"now": NOON, "since": NOON, "until": NOON + DAY, "most": Decimal("1")}
        answers = await asyncio.gather(
            *(store.reserve(session.id, Decimal("0.3"), **day) for session in mine)
        )
        assert sum(answer.made for answer in answers) == 3

    async def test_only_for_a_session_that_is_there(self, store: SessionStore) -> None:
        nobody = new_id()
        with pytest.raises(SessionGone, match=nobody):
            await store.reserve(nobody, Decimal(1), now=1, since=0, until=2, most=None)
        await store.end_reservation(nobody)
