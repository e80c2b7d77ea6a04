"""TurnSpans beside a real engine: MCP tools, faults, turns that are stopped; and the app."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from chat.harness import Bench, allow, ask, bench, calls, echo, tool, watch
from chatglass.chat.engine import Engine
from chatglass.chat.events import TextDelta
from chatglass.models.demo import DemoServer
from chatglass.models.demo.script import Reply
from chatglass.telemetry.turn_spans import TurnSpans
from telemetry.receiver import receiver
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
