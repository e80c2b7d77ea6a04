"""`get_token_stats()` equals the request rows, over random conversations."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
import subprocess
import sys
from decimal import Decimal
from typing import Any

import pytest

from chat.harness import Bench, Turn, ask, calls, collect, echo, tool
from chatglass.chat.compaction.log import CompactionChoice
from chatglass.chat.compaction.strategies import WHAT
from chatglass.chat.compaction.versions import made
from chatglass.chat.engine import Engine
from chatglass.chat.events import Compacting, Event, RequestStarted, TextDelta
from chatglass.models.demo.script import Reply, context_overflow, server_error, unauthorized
from chatglass.models.wire import ModelRef
from chatglass.values.usage import Usage


async def check(here: Bench, engine: Engine) -> None:
    stats = await engine.context.get_token_stats()
    rows = await here.requests(engine)
    usage = sum((row.usage for row in rows if row.usage), Usage())
    priced = [row.cost for row in rows if row.cost is not None]
    unpriced = [row for row in rows if row.usage and row.cost is None]
    assert stats.degraded is None
    assert stats.total_tokens == usage.total_tokens
    assert stats.input_tokens == usage.prompt_tokens
    assert stats.output_tokens == usage.completion_tokens
    assert stats.cached_tokens == usage.cached_tokens
    assert stats.reasoning_tokens == usage.reasoning_tokens
    assert stats.requests == len(rows)
    assert stats.unpriced_requests == len(unpriced)
    assert stats.source == usage.source
    assert stats.tool_calls == len(await here.calls(engine))
    assert stats.segments == 1 + made(await here.store.compactions(engine.session_id))
    assert stats.pending == 0
    if not usage.total_tokens or (unpriced and not any(priced)):
        assert stats.estimated_cost is None
    else:
        assert stats.estimated_cost == sum(priced, Decimal(0))
    library = await engine.context.ledger._manager.get_stats()  # pyright: ignore[reportPrivateUsage]
    assert library.total_tokens == usage.total_tokens
    assert round(library.estimated_cost, 12) == float(sum(priced, Decimal(0)))
    row = await here.store.get_session(engine.session_id)
    assert row.total_tokens == usage.total_tokens
    assert row.cost == sum(priced, Decimal(0))
    assert row.requests == len(rows)


async def talk(here: Bench, seed: int, steps: int) -> None:
    rng = random.Random(seed)
    tools = [tool("echo", echo), tool("work", echo, verdict="ask")]
    strategy = list(WHAT)[seed % len(WHAT)]
    options: dict[str, Any] = {
        "tools": tools, "threshold": 2500, "compaction": CompactionChoice(strategy=strategy),
    }  # fmt: skip
    engine = await here.engine(here.session(rng.choice(["dear", "other"])), **options)
    for step in range(steps):
        here.demo._script.clear()  # pyright: ignore[reportPrivateUsage]
        text = "word " * rng.randrange(200)
        stop_at: type[Event] | None = None
        match rng.randrange(10):
            case 0:
                here.demo.script(server_error(), Reply(text=f"retried {text}"))
            case 1:
                here.demo.script(unauthorized())
            case 2:
                here.demo.script(context_overflow(), f"smaller {text}", "spare")
            case 3:
                here.demo.script(
                    calls(("echo", {"x": text}), ("work", {"x": str(step)})), f"looked {text}"
                )
            case 4:
                here.demo.script(Reply(text=f"stopped {text}", split=5, gates={3: asyncio.Event()}))
                stop_at = TextDelta
            case 5:
                here.demo.script(Reply(text="never", gates={-1: asyncio.Event()}))
                stop_at = RequestStarted
            case 6:
                here.demo.script(Reply(text=f"unreported {text}", usage_place="none"))
            case 7:
                here.demo.script(Reply(text=f"cut {text}", split=4, cut_before=3))
            case _:
                here.demo.script(Reply(text=f"answer {text}", reasoning="hm " * rng.randrange(9)))

        def on_event(event: Event, kind: type[Event] | None = stop_at) -> None:
            if kind is not None and isinstance(event, (kind, Compacting)):
                engine.stop()  # noqa: B023 - called before the loop goes on

        await ask(engine, f"prompt {step}", on_event)
        await check(here, engine)
        match rng.randrange(8):
            case 0:
                ref = ModelRef("here", rng.choice(["dear", "other", "demo-fast"]))
                await engine.context.set_model(ref)
            case 1:
                if await engine.branch_before_answer():
                    here.demo._script.clear()  # pyright: ignore[reportPrivateUsage]
                    here.demo.script("another answer")
                    Turn(await collect(engine.go_on()))
            case 2:
                engine = await here.reopened(engine, **options)
            case 3:
                await engine.context.clear_conversation_history()
                assert engine.context.get_conversation_length() == 0
            case _:
                pass
        await check(here, engine)
    assert not here.demo.violations


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
async def test_random_conversations(here: Bench, seed: int) -> None:
    await talk(here, seed, 14)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(10, 30))
async def test_long_random_conversations(here: Bench, seed: int) -> None:
    await talk(here, seed, 60)


async def test_more_messages_than_a_segment_holds(here: Bench) -> None:
    engine = await here.engine(here.session("dear"), tools=[tool("echo", echo)])
    for number in range(28):
        here.demo.script(calls(("echo", {"x": str(number)})), f"answer {number}")
        await ask(engine, f"prompt {number}")
    library = await engine.context.ledger._manager.get_stats()  # pyright: ignore[reportPrivateUsage]
    assert library.session_segments >= 2
    await check(here, engine)
    assert library.total_tokens == here.reported_tokens
    engine = await here.reopened(engine)
    await check(here, engine)


RESUME = """
import asyncio, json, sys
from pathlib import Path
from chatglass.chat.chat_context import ChatContext
from chatglass.models.model_manager import Models
from chatglass.store.sqlite import SqliteStore
from chatglass.tools.tool_manager import ToolManager

async def main():
    store = SqliteStore(Path(sys.argv[1]))
    await store.open()
    context = ChatContext(tool_manager=ToolManager(), model_manager=Models({}), store=store,
                          session=await store.get_session(sys.argv[2]))
    await context.initialize()
    stats = await context.get_token_stats()
    print(json.dumps([stats.total_tokens, str(stats.estimated_cost), stats.tool_calls,
                      stats.requests, context.get_conversation_length()]))
    await context.close()
    await store.close()

asyncio.run(main())
"""


async def test_a_new_process_shows_the_same(here: Bench) -> None:
    engine = await here.engine(here.session("dear"), tools=[tool("echo", echo)])
    for number in range(3):
        here.demo.script(calls(("echo", {"x": str(number)})), f"answer {number}")
        await ask(engine, f"prompt {number}")
    stats = await engine.context.get_token_stats()
    length = engine.context.get_conversation_length()
    await engine.close()
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-c", RESUME, str(here.db), engine.session_id],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
        env={**os.environ},
    )
    assert json.loads(done.stdout) == [
        stats.total_tokens,
        str(stats.estimated_cost),
        stats.tool_calls,
        stats.requests,
        length,
    ]


async def test_pending_is_there_while_a_request_is_under_way_and_never_added(here: Bench) -> None:
    gate = asyncio.Event()
    here.demo.script("first", Reply(text="second", gates={-1: gate}))
    engine = await here.engine()
    await ask(engine)
    before = await engine.context.get_token_stats()
    await engine.submit("again")
    reading = asyncio.create_task(collect(engine.run()))
    await here.demo.wait_received(2)
    during = await engine.context.get_token_stats()
    assert during.total_tokens == before.total_tokens
    assert during.pending > 0
    assert during.context_tokens == during.pending
    gate.set()
    await reading
    after = await engine.context.get_token_stats()
    assert after.pending == 0
    assert after.total_tokens == here.reported_tokens


async def test_figures_are_of_one_moment(here: Bench) -> None:
    """Asked again and again while turns run, the ledger's total is that of the rows beside it."""
    engine = await here.engine(tools=[tool("echo", echo)])

    async def look() -> None:
        while True:
            stats = await engine.context.get_token_stats()
            assert stats.total_tokens == stats.input_tokens + stats.output_tokens
            await asyncio.sleep(0)

    looking = asyncio.create_task(look())
    for number in range(6):
        here.demo.script(calls(("echo", {"x": str(number)})), f"answer {number}")
        await ask(engine)
    looking.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await looking
    await check(here, engine)


async def test_the_context_follows_what_was_reported(here: Bench) -> None:
    engine = await here.engine()
    here.demo.script(Reply(text="x", usage={"prompt_tokens": 5000, "completion_tokens": 40}))
    await ask(engine)
    assert engine.context.next_request_tokens() == 5040
    before = engine.context.next_request_tokens()
    assert engine.context.next_request_tokens("word " * 100) > before + 50
    await engine.context.clear_conversation_history()
    assert engine.context.next_request_tokens() == 0
