"""Budgets against the real engine, store and endpoint: what is sent, asked, refused, and reserved."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from chat.harness import Bench, Turn, allow, ask, calls, echo, tool, watch
from chatglass.chat.budget_guard import BudgetGuard
from chatglass.chat.engine import Engine
from chatglass.chat.events import RequestStarted, TurnFinished
from chatglass.chat.ports import Proceed, RequestPlan, Stop
from chatglass.models.demo.script import Reply, unauthorized
from chatglass.models.endpoints import ConfiguredEndpoint
from chatglass.models.wire import Endpoint, ModelRef
from chatglass.spending.budgets import (
    AskBudget,
    BudgetAnswer,
    BudgetQuestion,
    Budgets,
    Limits,
    parse_usd,
)
from chatglass.store.protocol import StoreError
from chatglass.store.records import Parameters, SessionRow

USAGE = {"prompt_tokens": 100_000, "completion_tokens": 1_000, "total_tokens": 101_000}
COST = Decimal("0.33075")
"""Of USAGE at the prices of `dear`."""
ANSWER = Reply(text="Dear.", usage=USAGE)


class Asked:
    """Gives the same answer to every question, and keeps them."""

    def __init__(self, answer: BudgetAnswer = "stop") -> None:
        self.answer: BudgetAnswer = answer
        self.questions: list[BudgetQuestion] = []
        self._news = asyncio.Condition()

    async def __call__(self, question: BudgetQuestion) -> BudgetAnswer:
        async with self._news:
            self.questions.append(question)
            self._news.notify_all()
        return self.answer

    async def until(self, count: int) -> None:
        async with asyncio.timeout(10), self._news:
            await self._news.wait_for(lambda: len(self.questions) >= count)


async def guarded(
    here: Bench,
    budgets: Budgets,
    question: AskBudget | None = None,
    *,
    session: SessionRow | None = None,
    model: str = "dear",
    **options: Any,
) -> Engine:
    context = here.context(session or here.session(model), **options)
    guard = BudgetGuard(context, budgets, question)
    engine = Engine(context, decide_tool=allow, before_request=guard.before_request)
    await engine.start()
    here.stack.push_async_callback(engine.close)
    return engine


async def spend(here: Bench, engine: Engine, times: int = 1) -> list[Turn]:
    turns: list[Turn] = []
    for _ in range(times):
        here.demo.script(ANSWER)
        turns.append(await ask(engine))
    here.demo._script.clear()  # pyright: ignore[reportPrivateUsage]
    return turns


def reserved(here: Bench) -> list[tuple[Any, ...]]:
    return here.read("SELECT session_id FROM reservations")


@pytest.mark.parametrize(
    "budgets",
    [
        Budgets(session=Limits(hard=Decimal("0.5"))),
        Budgets(day=Limits(hard=Decimal("0.5"))),
        Budgets(start=Decimal("0.5")),
    ],
    ids=["session", "day", "start"],
)
async def test_a_hard_limit_ends_the_turn_before_the_request_that_would_pass_it(
    here: Bench, budgets: Budgets
) -> None:
    engine = await guarded(here, budgets)
    # The first costs $0.33; the context of the next one is that long, so it would cost as much.
    first, second = await spend(here, engine, 2)
    assert (first.status, second.status) == ("complete", "limit")
    assert second.of(RequestStarted) == []
    assert "would pass the budget" in second.notices["limit"]
    assert "$0.3308 of $0.5000 spent" in second.notices["limit"]
    assert engine.context.requests.figures.cost == COST
    assert reserved(here) == []


async def test_the_limits_of_a_session_are_kept_with_it(here: Bench) -> None:
    budgets = Budgets(session=Limits(hard=Decimal("0.001")))
    asked = Asked()
    session = replace(here.session("dear"), parameters=Parameters(budget_hard=""))
    engine = await guarded(here, budgets, asked, session=session)
    assert [turn.status for turn in await spend(here, engine)] == ["complete"]
    await engine.context.set_parameters(Parameters(budget_hard="0.4"))
    stored = await here.store.get_session(engine.session_id)
    await engine.close()
    again = await guarded(here, Budgets(), asked, session=stored)
    assert [turn.status for turn in await spend(here, again)] == ["limit"]
    (question,) = asked.questions
    (breach,) = question.breaches
    assert (breach.scope, breach.limit, breach.spent) == ("session", Decimal("0.4"), COST)


async def test_answers_to_the_question(here: Bench) -> None:
    asked = Asked("once")
    budgets = Budgets(
        day=Limits(hard=Decimal("0.2")), session=Limits(hard=Decimal("0.2")), start=Decimal("0.2")
    )
    engine = await guarded(here, budgets, asked)
    await spend(here, engine, 3)
    assert engine.context.requests.figures.cost == 3 * COST
    # Twice: the first request was small as far as one knew.
    assert len(asked.questions) == 2
    assert {breach.scope for breach in asked.questions[-1].breaches} == {"start", "session", "day"}
    assert "≈ $0.3" in asked.questions[-1].words
    asked.answer = "lift"
    await spend(here, engine, 3)
    assert len(asked.questions) == 3
    assert reserved(here) == []


async def test_soft_limits_warn_once(here: Bench) -> None:
    soft = Limits(soft=Decimal("0.3"))
    engine = await guarded(here, Budgets(session=soft, day=soft))
    turns = await spend(here, engine, 4)
    warnings = [turn.notices["budget"] for turn in turns if "budget" in turn.notices]
    assert len(warnings) == 1
    assert "this session: $0.3308 of $0.3000 spent" in warnings[0]
    assert "today: $0.3308 of $0.3000 spent" in warnings[0]
    assert [turn.status for turn in turns] == ["complete"] * 4


async def test_every_request_of_a_turn_is_held(here: Bench) -> None:
    engine = await guarded(
        here, Budgets(session=Limits(hard=Decimal("0.5"))), tools=[tool("echo", echo)]
    )
    here.demo.script(calls(("echo", {}), usage=USAGE), ANSWER)
    turn = await ask(engine)
    assert turn.status == "limit"
    assert len(turn.of(RequestStarted)) == 1
    assert turn.of(TurnFinished)[0].requests == 1


async def test_sessions_of_a_start_share_its_limit_while_they_work(here: Bench) -> None:
    budgets = Budgets(start=Decimal("0.05"))
    asked = Asked()
    engines = [await guarded(here, budgets, asked) for _ in range(6)]
    # Each sets $0.0158 aside for an answer of 1,000 tokens: three at once, no more.
    gate = asyncio.Event()
    here.demo.script(*[Reply(text="slow", gates={2: gate}) for _ in engines])
    watched = [await watch(engine) for engine in engines]
    await asked.until(3)
    gate.set()
    statuses = [(await one.turn()).status for one in watched]
    assert sorted(statuses) == ["complete"] * 3 + ["limit"] * 3


async def test_sessions_share_the_day_while_they_work(here: Bench) -> None:
    budgets = [Budgets(day=Limits(hard=Decimal("0.05"))) for _ in range(6)]
    asked = Asked()
    engines = [await guarded(here, each, asked) for each in budgets]
    gate = asyncio.Event()
    here.demo.script(*[Reply(text="slow", gates={2: gate}) for _ in engines])
    watched = [await watch(engine) for engine in engines]
    await asked.until(3)
    assert len(reserved(here)) == 3
    gate.set()
    statuses = [(await one.turn()).status for one in watched]
    assert sorted(statuses) == ["complete"] * 3 + ["limit"] * 3
    assert reserved(here) == []


async def test_what_a_server_asks_for_meanwhile_does_not_take_what_was_set_aside(
    here: Bench,
) -> None:
    budgets = Budgets(day=Limits(hard=Decimal(10)))
    context = here.context(here.session("dear"))
    guard = BudgetGuard(context, budgets, None)
    engine = Engine(context, decide_tool=allow, before_request=guard.before_request)
    await engine.start()
    here.stack.push_async_callback(engine.close)
    gate = asyncio.Event()
    here.demo.script(Reply(text="slow", gates={2: gate}), "sampled")
    watched = await watch(engine)
    await here.demo.wait_received(1)
    message = {"role": "user", "content": {"type": "text", "text": "Say hello."}}
    sampling = asyncio.create_task(
        engine.sampler.answer(engine.sampler.plan({"messages": [message]}))
    )
    await asyncio.wait([sampling], timeout=0.2)
    assert reserved(here) == [(engine.session_id,)]
    assert len(here.demo.requests) == 1
    gate.set()
    assert (await watched.turn()).status == "complete"
    assert (await sampling).text == "sampled"
    assert reserved(here) == []


@pytest.mark.parametrize("ending", ["error", "interrupted", "while asking"])
async def test_what_was_set_aside_comes_back_however_it_ends(here: Bench, ending: str) -> None:
    budgets = Budgets(day=Limits(hard=Decimal(10)))
    never: asyncio.Event = asyncio.Event()

    async def wait(question: BudgetQuestion) -> BudgetAnswer:
        engine.stop()
        await never.wait()
        return "once"

    if ending == "while asking":
        budgets.day = Limits(hard=Decimal("0.001"))
    engine = await guarded(here, budgets, wait)
    here.demo.script(unauthorized() if ending == "error" else Reply(text="x", gates={1: never}))

    def stop(event: object) -> None:
        if ending == "interrupted" and isinstance(event, RequestStarted):
            engine.stop()

    turn = await ask(engine, on_event=stop)
    assert turn.status == ("error" if ending == "error" else "interrupted")
    assert reserved(here) == []


async def test_models_without_a_price(here: Bench) -> None:
    asked = Asked()
    engine = await guarded(here, Budgets(day=Limits(hard=Decimal(1))), asked, model="other")
    (turn,) = await spend(here, engine)
    assert turn.status == "limit"
    assert "No price is known for other" in turn.notices["limit"]
    assert asked.questions[0].breaches == ()
    asked.answer = "lift"
    await spend(here, engine, 2)
    assert len(asked.questions) == 2
    headless = await guarded(here, Budgets(start=Decimal(1)), model="other")
    assert (await spend(here, headless))[0].status == "limit"
    soft = await guarded(here, Budgets(session=Limits(soft=Decimal(1))), model="other")
    turns = await spend(here, soft, 2)
    assert ["budget" in turn.notices for turn in turns] == [True, False]


async def test_what_costs_nothing_needs_no_budget(here: Bench) -> None:
    asked = Asked()
    demo = here.demo
    local = Endpoint(name="mine", base_url=demo.base_url, key=demo.token, free=True)
    here.models._configured["mine"] = ConfiguredEndpoint(endpoint=local)  # pyright: ignore[reportPrivateUsage]
    session = replace(here.session(), endpoint="mine")
    tight = Limits(hard=Decimal("0.000001"))
    engine = await guarded(here, Budgets(tight, tight, Decimal("0.000001")), asked, session=session)
    assert [turn.status for turn in await spend(here, engine, 2)] == ["complete"] * 2
    assert asked.questions == []
    await engine.context.set_model(ModelRef("here", "dear"))
    assert (await spend(here, engine))[0].status == "limit"


@pytest.mark.parametrize(
    ("text", "amount"), [("0.50", "0.50"), (" $2 ", "2"), ("1e-3", "0.001"), ("999999", "999999")]
)
def test_sums(text: str, amount: str) -> None:
    assert parse_usd(text) == Decimal(amount)


@pytest.mark.parametrize("text", ["", "0", "-1", "nan", "inf", "1e9", "one", "$"])
def test_what_is_no_sum_is_refused_in_words(text: str) -> None:
    with pytest.raises(ValueError, match="write it as"):
        parse_usd(text)


async def test_what_was_set_aside_for_a_request_that_is_not_made_is_given_back(
    here: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    budgets = Budgets(day=Limits(hard=Decimal(5)), start=Decimal(5))
    engine = await guarded(here, budgets)
    (guard,) = budgets.spenders
    set_aside: list[tuple[Any, ...]] = []

    async def full(_: object) -> None:
        set_aside.extend(reserved(here))
        assert guard.under_way
        raise StoreError("The disk is full.")

    with monkeypatch.context() as broken:
        broken.setattr(here.store, "add_request", full)
        turn = await ask(engine)
    assert turn.notices["store"] == "The disk is full."
    assert set_aside == [(engine.session_id,)]
    assert reserved(here) == []
    assert not guard.under_way


async def test_a_server_may_ask_in_a_session_that_has_sent_nothing(here: Bench) -> None:
    engine = await guarded(here, Budgets(day=Limits(hard=Decimal(5))))
    here.demo.script("Hello.")
    question = {"role": "user", "content": {"type": "text", "text": "Say hello."}}
    answer = await engine.sampler.answer(engine.sampler.plan({"messages": [question]}))
    assert answer.text == "Hello."
    assert reserved(here) == []


async def test_a_question_of_a_server_that_is_stopped_before_it_is_sent_gives_back_what_it_set_aside(
    here: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = here.context(here.session("dear"))
    guard = BudgetGuard(context, Budgets(day=Limits(hard=Decimal(5))), None)
    was_set_aside, ever = asyncio.Event(), asyncio.Event()

    async def before(plan: RequestPlan) -> Proceed | Stop:
        answer = await guard.before_request(plan)
        was_set_aside.set()
        await ever.wait()
        return answer

    engine = Engine(context, decide_tool=allow, before_request=before)
    await engine.start()
    here.stack.push_async_callback(engine.close)
    question = {"role": "user", "content": {"type": "text", "text": "Say hello."}}
    asking = asyncio.create_task(
        engine.sampler.answer(engine.sampler.plan({"messages": [question]}))
    )
    async with asyncio.timeout(10):
        await was_set_aside.wait()
    assert reserved(here) == [(engine.session_id,)]
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert reserved(here) == []
    assert not guard.under_way
