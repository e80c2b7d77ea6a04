"""Every figure of spending agrees with every other, over random conversations.

Several sessions of one store work at once against the demo server over HTTP: with branches, retries,
cancelled and failed requests, unreported usage, switches of model, resumption, and compaction by
every strategy, by hand too, edited and undone; with answers that MCP servers ask for, forks, and
another store that gets all of it by import.
"""

from __future__ import annotations

import asyncio
import csv
import io
import random
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from chat.harness import Bench, ask, calls, collect, echo, tool
from chatglass.chat.compaction.log import CompactionChoice
from chatglass.chat.compaction.strategies import WHAT
from chatglass.chat.compaction.versions import made
from chatglass.chat.engine import Engine
from chatglass.chat.events import Compacting, Event, RequestStarted, TextDelta
from chatglass.chat.forking import fork_session
from chatglass.chat.sampling import SamplingRefused
from chatglass.config.options import Options
from chatglass.headless.printer import Printer
from chatglass.models.demo import DemoServer
from chatglass.models.demo.script import Reply, context_overflow, server_error, unauthorized
from chatglass.models.wire import Endpoint, ModelRef
from chatglass.spending.report import as_csv, as_json, cost_of_session
from chatglass.spending.totals import known_cost, spent_today, sum_of
from chatglass.store.records import RequestRow, SessionQuery
from chatglass.store.sqlite import SqliteStore
from chatglass.store.usage_records import UsageQuery, UsageRow
from chatglass.tui.meter.rows import meter_rows
from chatglass.tui.reading import session_rows
from chatglass.tui.session_view import SessionView
from chatglass.tui.topline.top_line import top_line
from chatglass.tui.transcript.from_rows import turn_footers
from chatglass.tui.transcript.items import AnswerItem
from chatglass.values import figures
from chatglass.values.usage import Usage

MODELS = ("dear", "other", "demo-fast")


def replies(rng: random.Random, name: str) -> tuple[list[Reply | str], type[Event] | None]:
    """What the server says to one prompt, and at which event the turn is stopped."""
    text = f"{name} " + "word " * rng.randrange(120)
    match rng.randrange(10):
        case 0:
            return [server_error(), Reply(text=text)], None
        case 1:
            return [unauthorized()], None
        case 2:
            return [context_overflow(), text, "spare"], None
        case 3 | 4:
            both = calls(("echo", {"x": text}), ("work", {"x": name}))
            return [both, calls(("echo", {"x": "again"})), text], None
        case 5:
            return [Reply(text=text, split=5, gates={3: asyncio.Event()})], TextDelta
        case 6:
            return [Reply(text="never", gates={-1: asyncio.Event()})], RequestStarted
        case 7:
            return [Reply(text=text, usage_place="none")], None
        case 8:
            return [Reply(text=text, split=4, cut_before=3)], None
        case _:
            usage = {"prompt_tokens": 700, "completion_tokens": 30}
            details = {"prompt_tokens_details": {"cached_tokens": rng.randrange(700)}}
            return [Reply(text=text, usage=usage | details)], None


async def converse(here: Bench, seed: int, steps: int) -> Engine:
    """A session with a server of its own, so that no other takes what is said to it."""
    rng = random.Random(seed)
    demo = await here.stack.enter_async_context(DemoServer(models=MODELS, rate=0))
    name = f"server-{seed}"
    endpoint = Endpoint(name=name, base_url=demo.base_url, key=demo.token, models=MODELS)
    here.models.add(endpoint)
    tools = [tool("echo", echo), tool("work", echo, verdict="ask")]
    strategy = list(WHAT)[seed % len(WHAT)]
    options: dict[str, Any] = {
        "tools": tools,
        "threshold": 1800,
        "compaction": CompactionChoice(strategy=strategy, summary_model=rng.choice(("", "dear"))),
    }
    session = replace(here.session(rng.choice(MODELS)), endpoint=name)
    engine = await here.engine(session, **options)
    for step in range(steps):
        said, stop_at = replies(rng, f"{seed}.{step}")

        def on_event(event: Event, kind: type[Event] | None = stop_at) -> None:
            if kind is not None and isinstance(event, (kind, Compacting)):
                engine.stop()  # noqa: B023 - called before the loop goes on

        demo._script.clear()  # pyright: ignore[reportPrivateUsage]
        demo.script(*said)
        turn = await ask(engine, f"prompt {step}", on_event)
        await check_turn(engine, turn.events[0].turn_id)
        if rng.randrange(5) == 0 and await engine.branch_before_answer():
            demo._script.clear()  # pyright: ignore[reportPrivateUsage]
            demo.script("another answer")
            await collect(engine.go_on())
        await recompact(engine, demo, rng)
        if rng.randrange(4) == 0:
            await sample(engine, demo, rng)
        match rng.randrange(7):
            case 0:
                await engine.context.set_model(ModelRef(name, rng.choice(MODELS)))
            case 1:
                engine = await here.reopened(engine, **options)
            case 2:
                await engine.context.clear_conversation_history()
            case _:
                pass
    return engine


async def recompact(engine: Engine, demo: DemoServer, rng: random.Random) -> None:
    """What a user may do to what is sent: compact, edit a summary, undo a compaction."""
    demo._script.clear()  # pyright: ignore[reportPrivateUsage]
    row = engine.context.compaction.in_force()
    match rng.randrange(6):
        case 0 if len(engine.context.path):
            demo.script(rng.choice([Reply(text="in short"), unauthorized()]))
            events = await collect(engine.compact("briefly"))
            await check_turn(engine, events[0].turn_id)
        case 1 if row is not None:
            await engine.context.compaction.edit(row.id, f"edited {rng.random()}")
        case 2 if row is not None:
            await engine.context.compaction.undo(row.id)
        case _:
            pass


async def sample(engine: Engine, demo: DemoServer, rng: random.Random) -> None:
    """What an MCP server asks the model, which may fail or be stopped."""
    reply = [
        Reply(text="sampled " * 20),
        Reply(text="unreported " * 20, usage_place="none"),
        unauthorized(),
        Reply(text="never", gates={-1: asyncio.Event()}),
    ][rng.randrange(4)]
    demo._script.clear()  # pyright: ignore[reportPrivateUsage]
    demo.script(reply)
    message = {"role": "user", "content": {"type": "text", "text": "What now?"}}
    before = demo.received
    asked = asyncio.create_task(
        engine.sampler.answer(engine.sampler.plan({"messages": [message], "maxTokens": 50}))
    )
    if reply.text == "never":
        await demo.wait_received(before + 1)
        asked.cancel()
    with suppress(SamplingRefused, asyncio.CancelledError):
        await asked


async def check_turn(engine: Engine, turn_id: str) -> None:
    """`-p --output-format json`, the footer and the meter say the same of a turn."""
    rows = await engine.context.store.requests(engine.session_id)
    mine = [row for row in rows if row.turn_id == turn_id]
    printer = Printer(Options(output_format="json"), engine, out=io.StringIO())
    printer.turn_id = turn_id
    said = await printer._summary()  # pyright: ignore[reportPrivateUsage]
    usage, cost, unpriced = by_hand(mine)
    assert said["usage"]["total_tokens"] == usage.total_tokens
    assert said["usage"]["cached_tokens"] == usage.cached_tokens
    assert said["usage"]["source"] == usage.source
    assert said["cost_usd"] == (None if unpriced else float(cost))
    spent = engine.context.requests.figures.turn(turn_id)
    assert (spent.tokens, spent.unpriced, spent.requests) == (
        usage.total_tokens, unpriced, len(mine),
    )  # fmt: skip
    assert (spent.cost or 0) == cost
    if usage.total_tokens:
        footer = turn_footers(mine)[turn_id]
        assert f"{usage.total_tokens:,} tokens" in footer
        known = None if unpriced and not cost else cost
        written = figures.cost(known, about=usage.source == "estimated", unpriced=unpriced)
        assert f" · {written} · " in footer


def by_hand(rows: Sequence[RequestRow]) -> tuple[Usage, Decimal, int]:
    """The sums, without any code that the program sums with."""
    usage = Usage()
    for row in rows:
        if row.usage is not None:
            usage = usage + row.usage
    cost = sum((row.cost for row in rows if row.cost is not None), Decimal(0))
    return usage, cost, sum(row.usage is not None and row.cost is None for row in rows)


def same(total: UsageRow, rows: Sequence[RequestRow]) -> None:
    usage, cost, unpriced = by_hand(rows)
    assert total.requests == len(rows)
    assert total.prompt_tokens == usage.prompt_tokens
    assert total.completion_tokens == usage.completion_tokens
    assert total.cached_tokens == usage.cached_tokens
    assert total.reasoning_tokens == usage.reasoning_tokens
    assert total.total_tokens == usage.total_tokens
    assert (total.cost, total.unpriced_requests) == (cost, unpriced)


async def check_session(here: Bench, engine: Engine) -> list[RequestRow]:
    rows = await here.requests(engine)
    usage, cost, unpriced = by_hand(rows)
    stats = await engine.context.get_token_stats()
    assert stats.degraded is None
    assert stats.pending == 0
    assert (stats.total_tokens, stats.requests) == (usage.total_tokens, len(rows))
    assert (stats.input_tokens, stats.output_tokens) == (
        usage.prompt_tokens, usage.completion_tokens,
    )  # fmt: skip
    assert (stats.estimated_cost or 0, stats.unpriced_requests) == (cost, unpriced)
    assert sum(model.tokens for model in stats.by_model) == usage.total_tokens
    assert stats.segments == 1 + made(engine.context.compactions)
    assert sum((model.cost or Decimal(0)) for model in stats.by_model) == cost

    (listed,) = [
        row for row in await here.store.list_sessions(SessionQuery()) if row.id == engine.session_id
    ]
    assert (listed.cost, listed.total_tokens) == (cost, usage.total_tokens)
    assert (listed.requests, listed.unpriced_requests) == (len(rows), unpriced)
    estimated = [row for row in rows if row.usage and row.usage.source == "estimated"]
    assert listed.estimated_requests == len(estimated)
    words = stats.cost_words
    assert cost_of_session(listed) == words
    assert words.startswith("≈ ") == (bool(estimated) and words not in ("—", "free"))
    line = "".join(text for text, _ in top_line("t", "m", "e", stats, 120))
    assert line.endswith(f" {words} ")
    meter = "\n".join(row.text for row in meter_rows(stats, 60, 100))
    assert re.search(rf"^session .* {re.escape(words)}$", meter, re.MULTILINE)
    for count in (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens):
        assert f"{count:,}" in meter

    for by in ("day", "model", "session"):
        sums = await here.store.usage(UsageQuery(by=by, session_id=engine.session_id))
        same(sum_of(sums), rows)
    tools = await here.store.usage(UsageQuery(by="tool", session_id=engine.session_id))
    assert {(tool.name, tool.prompt_tokens, tool.cost) for tool in tools if tool.requests} == {
        (tool.name, tool.tokens, tool.cost or Decimal(0)) for tool in stats.by_tool
    }
    assert sum(tool.cost for tool in tools) <= cost
    assert sum(tool.calls for tool in tools) == stats.tool_calls == listed.tool_calls

    view = SessionView()
    view.load(await session_rows(here.store, engine))
    footers = turn_footers(rows)
    shown = [item.footer for item in view.items if isinstance(item, AnswerItem) and item.footer]
    assert set(shown) <= set(footers.values())
    return rows


async def check_store(here: Bench, rows: Sequence[RequestRow]) -> None:
    for by in ("day", "model", "session"):
        sums = await here.store.usage(UsageQuery(by=by))
        same(sum_of(sums), rows)
        said = as_json(by, sums)
        assert said["total"]["total_tokens"] == sum(row["total_tokens"] for row in said["rows"])
        cost = known_cost(sum_of(sums))
        assert said["total"]["cost_usd"] == (None if cost is None else float(cost))
        table = list(csv.DictReader(io.StringIO(as_csv(by, sums))))
        assert sum(Decimal(row["cost_usd"] or 0) for row in table) == by_hand(rows)[1]
        assert sum(int(row["total_tokens"]) for row in table) == by_hand(rows)[0].total_tokens
    today = await spent_today(here.store)
    assert today is not None
    assert (today.requests, today.tokens) == (len(rows), by_hand(rows)[0].total_tokens)
    assert (today.cost or 0, today.unpriced) == by_hand(rows)[1:]
    assert today.estimated == (by_hand(rows)[0].source == "estimated")


async def check_import(here: Bench, engines: Sequence[Engine], rows: Sequence[RequestRow]) -> None:
    """Another store that gets the sessions, each twice, sums up the same."""
    other = SqliteStore(here.folder / "other.sqlite3")
    await other.open()
    here.stack.push_async_callback(other.close)
    for engine in (*engines, *engines):
        await other.add_whole_session(await here.store.whole_session(engine.session_id))
    for by in ("day", "model", "session"):
        same(sum_of(await other.usage(UsageQuery(by=by))), rows)
    mine, theirs = [
        {row.id: cost_of_session(row) for row in rows}
        for rows in (
            await here.store.list_sessions(SessionQuery()),
            await other.list_sessions(SessionQuery()),
        )
    ]
    assert mine == theirs


async def check_fork(here: Bench, engine: Engine) -> None:
    """What was spent before a fork stays where it was spent."""
    before = sum_of(await here.store.usage(UsageQuery(by="day")))
    leaf = engine.context.session.leaf_id
    if leaf is None:
        return
    forked = await fork_session(here.store, engine.session_id, leaf)
    stats = await (await here.engine(forked.session)).context.get_token_stats()
    assert (stats.total_tokens, stats.requests, stats.cost_words) == (0, 0, "—")
    assert sum_of(await here.store.usage(UsageQuery(by="day"))) == before


async def agree(here: Bench, seed: int, sessions: int, steps: int) -> None:
    engines = await asyncio.gather(
        *(converse(here, seed * 100 + number, steps) for number in range(sessions))
    )
    rows: list[RequestRow] = []
    for engine in engines:
        rows += await check_session(here, engine)
    await check_store(here, rows)
    assert len(rows) > sessions
    assert {row.purpose for row in rows} == {"answer", "compaction", "sampling"}
    await check_import(here, engines, rows)
    for engine in engines:
        same_rows = await check_session(here, await here.reopened(engine))
        assert same_rows == [row for row in rows if row.session_id == engine.session_id]
    await check_fork(here, engines[0])


@pytest.mark.parametrize("seed", [1, 2])
async def test_figures_agree_everywhere(here: Bench, seed: int) -> None:
    await agree(here, seed, sessions=4, steps=8)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(10, 22))
async def test_figures_agree_everywhere_for_long(here: Bench, seed: int) -> None:
    await agree(here, seed, sessions=4, steps=30)
