"""TurnSpans beside a real engine: MCP tools, faults, turns that are stopped; and the app."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from chat.harness import Bench, allow, ask, bench, calls, collect, echo, tool, watch
from chatglass.chat.compaction.log import CompactionChoice
from chatglass.chat.engine import Engine
from chatglass.chat.events import TextDelta
from chatglass.chat.sampling import SamplingRefused
from chatglass.chat.wire_record import decode_record
from chatglass.models.demo import DemoServer
from chatglass.models.demo.script import Reply, rate_limited, unauthorized
from chatglass.telemetry.configured import Wanted
from chatglass.telemetry.sending import Sending
from chatglass.telemetry.turn_spans import TurnSpans
from telemetry.receiver import Received, Span, receiver
from tui.stage import staged


class Kept:
    """Instruments that keep spans in memory."""

    def __init__(self) -> None:
        self._exporter = InMemorySpanExporter()
        provider = TracerProvider(shutdown_on_exit=False)
        provider.add_span_processor(SimpleSpanProcessor(self._exporter))
        meter = MeterProvider(shutdown_on_exit=False).get_meter("test")
        self.tracer: Any = provider.get_tracer("test")
        self.token_usage = meter.create_histogram("tokens")
        self.duration = meter.create_histogram("duration")

    @property
    def spans(self) -> dict[str, ReadableSpan]:
        return {span.name: span for span in self._exporter.get_finished_spans()}


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[Bench]:
    async with bench(tmp_path) as made:
        yield made


async def watched(here: Bench, kept: Kept, *tools: Any) -> Engine:
    context = here.context(tools=tools)
    spans = TurnSpans(context, kept, "1.0", None)
    engine = Engine(context, decide_tool=allow, observe=spans.take)
    await engine.start()
    here.stack.push_async_callback(engine.close)
    return engine


@asynccontextmanager
async def sending(here: Bench, *, strategy: str = "trim") -> AsyncIterator[tuple[Engine, Received]]:
    """An engine whose telemetry goes to a real receiver, which has it all afterwards."""
    with receiver() as received:
        asked = Wanted(received.url, capture_content=True)
        sends = Sending(asked, lambda: frozenset({here.demo.token}))
        context = here.context(here.session("dear"), compaction=CompactionChoice(strategy=strategy))
        engine = Engine(context, decide_tool=allow, observe=sends.observer(context))
        await engine.start()
        try:
            yield engine, received
        finally:
            await engine.close()
            await sends.close()


def said(span: Span) -> Any:
    return json.loads(span.attributes["gen_ai.output.messages"])


async def test_a_summary_is_a_request_inside_its_turn(here: Bench) -> None:
    async with sending(here, strategy="summarise") as (engine, received):
        for number in range(4):
            here.demo.script(f"answer {number} " + "word " * 200)
            await ask(engine, f"prompt {number}")
        here.demo.script(rate_limited("0.01"), "They spoke of numbers.")
        await collect(engine.compact())
    # One turn each, and that of the compaction.
    turns = received.named("invoke_agent")
    assert len(turns) == 5
    *answers, summary = received.named("chat")
    assert {span.attributes["chatglass.request.purpose"] for span in answers} == {"answer"}
    assert summary.parent == turns[-1].id
    about = summary.attributes
    assert about["chatglass.request.purpose"] == "compaction"
    assert about["gen_ai.operation.name"] == "chat"
    assert about["gen_ai.request.model"] == about["gen_ai.response.model"] == "dear"
    assert about["gen_ai.response.finish_reasons"] == ["stop"]
    assert about["gen_ai.conversation.id"] == engine.session_id
    assert about["gen_ai.request.max_tokens"] > 0
    assert about["chatglass.usage.source"] == "reported"
    row = (await here.requests(engine))[-1]
    assert row.usage is not None
    assert about["gen_ai.usage.input_tokens"] == row.usage.prompt_tokens
    assert about["chatglass.cost.usd"] == pytest.approx(float(row.cost or 0))
    assert turns[-1].attributes["gen_ai.usage.input_tokens"] == row.usage.prompt_tokens
    assert turns[-1].events == ["chatglass.compacted"]
    assert summary.events == ["chatglass.retry"]
    assert said(summary)[0]["parts"][0]["content"] == "They spoke of numbers."
    assert "prompt 0" in about["gen_ai.input.messages"]


async def test_a_summary_that_fails_says_why_on_its_span(here: Bench) -> None:
    async with sending(here, strategy="summarise") as (engine, received):
        for number in range(4):
            here.demo.script(f"answer {number} " + "word " * 200)
            await ask(engine, f"prompt {number}")
        here.demo.script(unauthorized())
        await collect(engine.compact())
    summary = received.named("chat")[-1]
    assert (summary.status, summary.attributes["error.type"]) == (2, "auth")
    assert received.named("invoke_agent")[-1].status == 0, "excerpts stand for it"


async def test_what_a_server_asks_of_the_model_is_a_request_too(here: Bench) -> None:
    async with sending(here) as (engine, received):
        here.demo.script(rate_limited("0.01"), "Hello.", unauthorized())
        question = {"role": "user", "content": {"type": "text", "text": "Say hello."}}
        plan = engine.sampler.plan({"messages": [question], "temperature": 0.5})
        answer = await engine.sampler.answer(plan)
        with pytest.raises(SamplingRefused):
            await engine.sampler.answer(plan)
    first, second = received.named("chat")
    assert first.parent == b"", "no turn was running"
    assert first.attributes["chatglass.request.purpose"] == "sampling"
    assert first.attributes["gen_ai.request.temperature"] == 0.5
    assert answer.row.usage is not None
    assert first.attributes["gen_ai.usage.output_tokens"] == answer.row.usage.completion_tokens
    assert first.events == ["chatglass.retry"]
    assert said(first)[0]["parts"][0]["content"] == "Hello."
    assert (second.status, second.attributes["error.type"]) == (2, "auth")
    # And what went over the wire is kept, as of any request.
    good, bad = await here.requests(engine)
    assert good.attempts == 2
    for row, statuses in ((good, [429, 200]), (bad, [401])):
        assert row.wire_hash is not None
        attempts = decode_record(await here.store.get_blob(row.wire_hash))
        assert [attempt.status for attempt in attempts] == statuses


async def test_an_mcp_call_says_so_on_the_span_of_its_tool(here: Bench) -> None:
    made = tool("files__read", echo)
    made.spec = replace(made.spec, server="files")
    kept = Kept()
    engine = await watched(here, kept, made)
    here.demo.script(calls(("files__read", {"x": "1"})), "Done.")
    await ask(engine)
    attributes = kept.spans["execute_tool files__read"].attributes
    assert attributes is not None
    assert attributes["mcp.method.name"] == "tools/call"
    assert attributes["chatglass.mcp.server"] == "files"
    assert "gen_ai.tool.call.arguments" not in attributes


async def test_a_call_to_no_tool_and_one_that_fails(here: Bench) -> None:
    async def fail(arguments: Any) -> str:
        raise OSError("broken")

    kept = Kept()
    engine = await watched(here, kept, tool("bad", fail))
    here.demo.script(calls(("bad", {}), ("absent", {})), "Done.")
    turn = await ask(engine)
    assert turn.status == "complete"
    for name in ("bad", "absent"):
        attributes = kept.spans[f"execute_tool {name}"].attributes
        assert attributes is not None
        assert attributes["error.type"] == "tool_error"


async def test_a_stopped_turn_has_its_spans(here: Bench) -> None:
    kept = Kept()
    engine = await watched(here, kept)
    here.demo.script(Reply(text="one two three four", split=4, gates={3: asyncio.Event()}))
    reading = await watch(engine)
    await reading.until(TextDelta)
    engine.stop()
    assert (await reading.turn()).status == "interrupted"
    turn = kept.spans["invoke_agent chatglass"]
    request = kept.spans["chat demo-fast"]
    assert turn.attributes is not None
    assert request.attributes is not None
    assert turn.attributes["chatglass.turn.status"] == "interrupted"
    assert request.attributes["chatglass.request.status"] == "interrupted"
    assert turn.status.is_unset


async def test_a_fault_of_telemetry_does_not_touch_the_turn(here: Bench) -> None:
    kept = Kept()
    kept.tracer = None
    engine = await watched(here, kept, tool("echo", echo))
    here.demo.script(calls(("echo", {"x": "1"})), "Done.")
    turn = await ask(engine)
    assert (turn.status, turn.text) == ("complete", "Done.")


async def test_the_app_sends_what_it_did_when_it_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with DemoServer(rate=0) as demo:
        monkeypatch.setenv("OPENAI_BASE_URL", demo.base_url)
        monkeypatch.setenv("OPENAI_API_KEY", demo.token)
        monkeypatch.chdir(tmp_path)
        with receiver() as received:
            (tmp_path / "config.toml").write_text(f'[otel]\nendpoint = "{received.url}"\n')
            async with staged(tmp_path, demo) as stage:
                await stage.ask("hello", "Hello back.")
    assert received.one("chat").parent == received.one("invoke_agent").id
    assert b"Hello back" not in b"".join(received.bodies)
