"""What servers ask of the model: sent, priced, counted, bounded, and never part of the context."""

from __future__ import annotations

import asyncio
import json
from decimal import Decimal

import pytest

from chat.harness import Bench, ask, echo, tool
from chatglass.chat.ports import Proceed, RequestPlan, Stop
from chatglass.chat.sampling import MOST_ANSWER_TOKENS, SamplingRefused
from chatglass.chat.sent_body import rebuild_body
from chatglass.models.demo.script import Reply

WANTED = {
    "messages": [{"role": "user", "content": {"type": "text", "text": "Say hello."}}],
    "systemPrompt": "Be brief.",
    "maxTokens": 50,
    "temperature": 0.5,
}


async def test_it_is_a_request_of_its_own_and_counts_in_full(here: Bench) -> None:
    engine = await here.engine(here.session("dear"), tools=[tool("echo", echo)])
    here.demo.script("first")
    await ask(engine)
    before = engine.context.requests.figures.cost
    size = engine.context.next_request_tokens()
    here.demo.script("Hello.")
    plan = engine.sampler.plan(WANTED)
    assert (plan.model, plan.most_tokens) == ("dear", 50)
    assert plan.cost
    assert plan.cost > Decimal("0.0007"), "50 tokens of answer at $15.75 a million"
    answer = await engine.sampler.answer(plan)
    assert (answer.text, answer.finish_reason) == ("Hello.", "stop")
    row = (await here.requests(engine))[-1]
    assert (row.purpose, row.status, row.message_id) == ("sampling", "complete", None)
    assert row.turn_id == "", "the turn before is over, and what it cost is said"
    assert row.cost
    assert row.usage
    assert row.usage.source == "reported"
    sent = json.loads(here.demo.requests[-1].body)
    assert await rebuild_body(here.store, row) == sent
    assert [message["role"] for message in sent["messages"]] == ["system", "user"]
    assert sent["temperature"] == 0.5
    assert "tools" not in sent
    assert engine.context.requests.figures.cost == before + row.cost
    stats = await engine.context.get_token_stats()
    assert stats.total_tokens == here.reported_tokens, "the ledger has it too"
    assert engine.context.next_request_tokens() == size, "and the context has nothing of it"
    assert len(await here.rows(engine)) == 2
    reopened = await here.reopened(engine)
    assert reopened.context.requests.figures.cost == before + row.cost


async def test_budgets_hold(here: Bench) -> None:
    plans: list[RequestPlan] = []

    async def before(plan: RequestPlan) -> Proceed | Stop:
        plans.append(plan)
        return Stop("Enough.")

    engine = await here.engine(here.session("dear"), before=before)
    plan = engine.sampler.plan(WANTED)
    with pytest.raises(SamplingRefused, match=r"Enough\."):
        await engine.sampler.answer(plan)
    assert plans[0].cost_with_answer == plan.cost
    assert not here.demo.requests


async def test_errors_and_cancelling_are_stored(here: Bench) -> None:
    engine = await here.engine()
    here.demo.script(Reply(status=400))
    with pytest.raises(SamplingRefused):
        await engine.sampler.answer(engine.sampler.plan(WANTED))
    here.demo.script(Reply(text="a b c d e f", gates={2: asyncio.Event()}))
    sending = asyncio.create_task(engine.sampler.answer(engine.sampler.plan(WANTED)))
    async with asyncio.timeout(10):
        while len(here.demo.requests) < 2:  # noqa: ASYNC110 - a server that is another task
            await asyncio.sleep(0.01)
    sending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sending
    rows = await here.requests(engine)
    assert [row.status for row in rows] == ["error", "interrupted"]
    assert rows[0].usage is None
    assert rows[1].usage, "what was sent may be billed"


async def test_what_it_thought_counts_where_nothing_is_reported(here: Bench) -> None:
    engine = await here.engine(here.session("dear"))
    thought = "Much is thought here before little is said. " * 20
    here.demo.script(Reply(text="Hi.", reasoning=thought, usage_place="none"))
    answer = await engine.sampler.answer(engine.sampler.plan(WANTED))
    usage = answer.row.usage
    assert usage is not None
    assert usage.source == "estimated"
    assert usage.completion_tokens > usage.reasoning_tokens > 100


@pytest.mark.parametrize(
    ("wanted", "cause"),
    [
        ({}, "no messages"),
        ({"messages": [{"role": "tool", "content": {"type": "text", "text": "x"}}]}, "role 'tool'"),
        ({"messages": [{"role": "user", "content": {"type": "audio"}}]}, "audio content"),
        ({"messages": [{"role": "user", "content": {"type": "text", "text": "x y " * 400_000}}]},
         "the limit is"),
        ({"messages": [WANTED["messages"][0]] * 201}, "201 messages"),
    ],
)  # fmt: skip
async def test_what_is_not_sent(here: Bench, wanted: dict[str, object], cause: str) -> None:
    engine = await here.engine()
    with pytest.raises(SamplingRefused, match=cause):
        engine.sampler.plan(wanted)


async def test_the_answer_is_bounded_and_images_go_the_endpoints_way(here: Bench) -> None:
    engine = await here.engine()
    image = {"type": "image", "data": "aGk=", "mimeType": "image/png"}
    text = {"type": "text", "text": "What is it?"}
    plan = engine.sampler.plan({"messages": [{"role": "user", "content": [text, image]}], "maxTokens": 10**9})  # fmt: skip
    assert plan.most_tokens == MOST_ANSWER_TOKENS
    assert plan.messages[0]["content"][1] == {
        "type": "image_url", "image_url": {"url": "data:image/png;base64,aGk="},
    }  # fmt: skip
