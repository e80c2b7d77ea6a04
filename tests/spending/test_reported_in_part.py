"""Usage that a provider reports in part, often, or late."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from chat.harness import Bench, ask, calls, echo, tool
from chatglass.chat.request_log import RequestLog
from chatglass.models.demo.script import Reply
from chatglass.models.endpoints import ConfiguredEndpoint
from chatglass.models.model_manager import Models
from chatglass.models.wire import Endpoint, ModelRef
from chatglass.store.records import RequestRow
from chatglass.values.usage import Usage

TEXT = "A few words are said here, and some more of them. " * 4


async def row_of(here: Bench, reply: Reply, **options: Any) -> RequestRow:
    engine = await here.engine(here.session("dear"), **options)
    here.demo.script(reply, "the end")
    await ask(engine)
    return (await here.requests(engine))[0]


@pytest.mark.parametrize(
    "reported",
    [
        {"prompt_tokens": 700},
        {"prompt_tokens": 700, "completion_tokens": 0, "total_tokens": 700},
        {"prompt_tokens": 700, "completion_tokens": None},
        {"prompt_tokens": 700, "completion_tokens": -1},
    ],
)
async def test_an_answer_that_was_not_counted_is_estimated(
    here: Bench, reported: dict[str, Any]
) -> None:
    row = await row_of(here, Reply(text=TEXT, usage=reported))
    assert row.usage is not None
    assert row.usage.prompt_tokens == 700
    assert 30 < row.usage.completion_tokens < 70
    assert row.usage.source == "estimated", "so that it is marked wherever it is shown"
    assert row.usage.raw, "what was reported is kept all the same"
    assert row.cost is not None
    assert row.cost > Decimal("0.002205"), "the prompt alone"


async def test_calls_that_were_not_counted_are_estimated(here: Bench) -> None:
    said = calls(("echo", {"x": TEXT}), usage={"prompt_tokens": 700})
    row = await row_of(here, said, tools=[tool("echo", echo)])
    assert row.usage is not None
    assert row.usage.completion_tokens > 30


async def test_a_prompt_that_was_not_counted_is_estimated(here: Bench) -> None:
    # As Ollama did where it had the prompt in its cache.
    row = await row_of(here, Reply(text=TEXT, usage={"prompt_tokens": 0, "completion_tokens": 44}))
    assert row.usage is not None
    assert row.usage.completion_tokens == 44
    assert row.usage.prompt_tokens == row.estimated_prompt_tokens > 0
    assert row.usage.source == "estimated"


async def test_what_is_reported_as_it_goes_on_is_not_added_up(here: Bench) -> None:
    # vLLM with continuous_usage_stats, xAI and Google: every chunk has the counts so far.
    so_far = [
        '{"choices": [{"index": 0, "delta": {"content": "more "}}],'
        f' "usage": {{"prompt_tokens": 700, "completion_tokens": {count}}}}}'
        for count in (1, 2, 3)
    ]
    inject = {number: f"data: {chunk}\n\n" for number, chunk in enumerate(so_far, 2)}
    usage = {"prompt_tokens": 700, "completion_tokens": 90, "total_tokens": 790}
    row = await row_of(here, Reply(text=TEXT, usage=usage, inject=inject))
    assert row.usage is not None
    assert (row.usage.prompt_tokens, row.usage.completion_tokens) == (700, 90)
    assert row.usage.source == "reported"


def test_an_estimate_fills_only_what_is_missing() -> None:
    estimate = Usage(prompt_tokens=10, completion_tokens=20, source="estimated")
    whole = Usage(prompt_tokens=1, completion_tokens=2)
    assert whole.filled(estimate) is whole
    assert whole.filled(None) is whole
    empty = Usage(prompt_tokens=1)
    assert empty.filled(Usage(prompt_tokens=10, source="estimated")) is empty


async def test_the_model_that_answered_says_what_it_costs_where_the_name_does_not(
    here: Bench,
) -> None:
    engine = await here.engine(here.session("other"))
    usage = {"prompt_tokens": 1_000_000, "completion_tokens": 0, "total_tokens": 1_000_000}
    message = {"role": "assistant", "content": "Hi."}
    answer = {"model": "dear", "choices": [{"message": message, "finish_reason": "stop"}]}
    here.demo.script(Reply(body=json.dumps(answer | {"usage": usage})))
    await ask(engine)
    (row,) = await here.requests(engine)
    assert row.model == "other"
    assert row.price_source == "settings"
    assert row.cost is not None
    assert Decimal("3.15") < row.cost < Decimal("3.16")


async def test_a_request_costs_what_it_cost_when_it_was_sent(here: Bench) -> None:
    # As of one that is settled long after the process was killed in it.
    deepseek = Endpoint(name="deepseek", base_url="https://api.deepseek.com/v1")
    models = Models({"deepseek": ConfiguredEndpoint(endpoint=deepseek)})
    engine = await here.engine()
    await engine.context.ensure_stored()
    log = RequestLog(here.store, models, engine.session_id)
    ref = ModelRef("deepseek", "deepseek-chat")
    costs: list[Decimal | None] = []
    for hour in (12, 20):
        began = int(datetime(2025, 7, 1, hour, tzinfo=UTC).timestamp() * 1000)
        row = replace(log.new(engine.context.session, None, None, model=ref), started_at=began)
        await log.begin(row)
        done = await log.finish(replace(row, status="complete"), Usage(prompt_tokens=1_000_000))
        assert done.prompt_cost == done.cost
        costs.append(done.cost)
    assert costs == [Decimal("0.27"), Decimal("0.135")]
