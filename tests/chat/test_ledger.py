"""The ledger against the library itself: its totals are the true ones, whatever happens."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from decimal import Decimal
from typing import Any

import pytest

from chat.harness import Bench, ask, calls, echo, tool
from chatglass.chat.ledger import LedgerTotals, SessionLedger


def totals(prompt: int, completion: int, cost: str = "0") -> LedgerTotals:
    return LedgerTotals(prompt_tokens=prompt, completion_tokens=completion, cost=Decimal(cost))


async def stats_of_library(ledger: SessionLedger) -> Any:
    return await ledger._manager.get_stats()  # pyright: ignore[reportPrivateUsage]


def kept_by_library() -> set[str]:
    from chuk_ai_session_manager.session_storage import get_backend

    backend = get_backend()
    return set(backend._cache)  # pyright: ignore[reportPrivateUsage]


@pytest.fixture
async def ledger() -> Any:
    made = SessionLedger()
    await made.initialize()
    yield made
    await made.close()


async def test_totals_over_several_segments(ledger: SessionLedger) -> None:
    prompt = completion = 0
    cost = Decimal(0)
    for number in range(90):
        await ledger.user_said(f"question {number} " * 20)
        await ledger.tool_used("echo", '{"x": 1}', "result")
        await ledger.assistant_said(f"answer {number} " * 30, "gpt-4o", "openai")
        prompt, completion = prompt + 1000 + number, completion + 7 * number
        cost += Decimal("0.000123456789")
        await ledger.true_up(totals(prompt, completion, str(cost)))
        if number % 10 == 0:
            seen = await stats_of_library(ledger)
            assert seen.total_tokens == prompt + completion
    seen = await stats_of_library(ledger)
    assert seen.session_segments > 2, "or this test tests nothing"
    assert seen.total_tokens == prompt + completion
    assert round(seen.estimated_cost, 12) == float(cost)
    assert seen.tool_calls == 90
    assert (seen.user_messages, seen.ai_messages) == (90, 90)
    stats = await ledger.stats(totals(prompt, completion, str(cost)))
    assert stats is not None
    assert stats.total_tokens == prompt + completion
    assert stats.estimated_cost == cost
    assert stats.tool_calls == 90
    assert ledger.degraded is None


async def test_deltas_may_be_negative(ledger: SessionLedger) -> None:
    """The library counts a text that the provider did not bill, and prices what is free."""
    await ledger.user_said("word " * 400)
    await ledger.assistant_said("word " * 400, "gpt-4o", "openai")
    before = await stats_of_library(ledger)
    assert before.total_tokens > 100
    assert before.estimated_cost > 0
    await ledger.true_up(totals(3, 2))
    after = await stats_of_library(ledger)
    assert after.total_tokens == 5
    assert round(after.estimated_cost, 12) == 0


@pytest.mark.parametrize("text", ["\ud800", "a\x00b", "\x1b[31m", "é" * 5000, "", "💥"])
async def test_any_text_goes_in(ledger: SessionLedger, text: str) -> None:
    await ledger.user_said(text)
    await ledger.assistant_said(text, text, text)
    await ledger.tool_used(text, text, text, text)
    assert ledger.degraded is None
    stats = await ledger.stats(totals(11, 22, "0.5"))
    assert stats is not None
    assert (stats.total_tokens, stats.estimated_cost, stats.tool_calls) == (33, Decimal("0.5"), 1)


async def test_it_begins_with_what_was_used_before() -> None:
    ledger = SessionLedger()
    await ledger.initialize(totals(100, 50, "1.25"), tool_calls=901)
    seen = await stats_of_library(ledger)
    assert (seen.total_tokens, seen.estimated_cost, seen.tool_calls) == (150, 1.25, 901)
    await ledger.user_said("on")
    await ledger.tool_used("echo", "{}", "r")
    await ledger.true_up(totals(120, 60, "1.5"))
    seen = await stats_of_library(ledger)
    assert (seen.total_tokens, seen.estimated_cost, seen.tool_calls) == (180, 1.5, 902)
    await ledger.close()


async def test_an_error_of_the_library_degrades_and_raises_nothing() -> None:
    from chuk_ai_session_manager.session_storage import ChukSessionsStore

    before = kept_by_library()
    ledger = SessionLedger()
    await ledger.initialize()
    for number in range(60):
        await ledger.user_said(str(number))
    [*_, newest] = await ledger._manager.get_session_chain()  # pyright: ignore[reportPrivateUsage]
    for session_id in await ledger._manager.get_session_chain():  # pyright: ignore[reportPrivateUsage]
        await ChukSessionsStore().delete(session_id)
    await ledger.true_up(totals(1, 1))
    assert ledger.degraded is not None
    assert "Error" in ledger.degraded
    assert await ledger.stats(totals(1, 1)) is None
    await ledger.user_said("more")
    assert newest not in kept_by_library()
    await ledger.close()
    assert kept_by_library() <= before


async def test_a_degraded_ledger_leaves_nothing_in_the_librarys_memory() -> None:
    before = kept_by_library()
    ledger = SessionLedger()
    await ledger.initialize(tool_calls=500)
    assert len(kept_by_library() - before) == 2
    ledger.degraded = "some error"
    await ledger.close()
    assert kept_by_library() <= before


async def test_the_turn_goes_on_with_figures_of_the_request_rows(here: Bench) -> None:
    from chuk_ai_session_manager.session_storage import ChukSessionsStore

    engine = await here.engine(here.session("dear"), tools=[tool("echo", echo)])
    here.demo.script("one")
    await ask(engine)
    manager = engine.context.ledger._manager  # pyright: ignore[reportPrivateUsage]
    manager._session_chain.clear()
    for session_id in await manager.get_session_chain():
        await ChukSessionsStore().delete(session_id)
    here.demo.script(calls(("echo", {"x": "1"})), "two")
    turn = await ask(engine)
    assert turn.status == "complete"
    stats = await engine.context.get_token_stats()
    assert stats.degraded is not None
    rows = await here.requests(engine)
    assert stats.total_tokens == sum(row.usage.total_tokens for row in rows if row.usage)
    assert stats.total_tokens == here.reported_tokens
    assert stats.estimated_cost == sum(row.cost for row in rows if row.cost)
    assert stats.tool_calls == 1


async def test_memory_is_freed_on_close_and_on_clear(here: Bench) -> None:
    before = kept_by_library()
    engine = await here.engine()
    here.demo.script("one")
    await ask(engine)
    assert len(kept_by_library() - before) == 1
    await engine.context.clear_conversation_history()
    assert len(kept_by_library() - before) == 1
    await engine.close()
    assert kept_by_library() <= before


async def test_what_is_fed_at_once_stays_in_order_and_whole(ledger: SessionLedger) -> None:
    import asyncio

    tasks = [asyncio.create_task(ledger.user_said(str(number))) for number in range(20)]
    await asyncio.sleep(0)
    for task in tasks[::2]:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await ledger.true_up(totals(1, 2))
    conversation = await ledger._manager.get_conversation()  # pyright: ignore[reportPrivateUsage]
    said = [turn["content"] for turn in conversation]
    assert said == sorted(said, key=int)
    assert (await stats_of_library(ledger)).total_tokens == 3
    assert ledger.degraded is None


IMPORT = """
import json, logging, os, sys, warnings
warnings.simplefilter("error")
before = dict(os.environ)
from chatglass.chat.ledger import preload
preload()
import chuk_ai_session_manager
from chuk_ai_session_manager.models import token_usage
logging.getLogger("chuk_ai_session_manager").error("must not be seen")
logging.getLogger("chuk_sessions.session_manager").error("must not be seen")
print(json.dumps({
    "environment": {k: v for k, v in os.environ.items() if before.get(k) != v},
    "lost": [k for k in before if k not in os.environ],
    "handlers": [repr(h) for h in logging.getLogger().handlers],
    "tiktoken": token_usage.TIKTOKEN_AVAILABLE,
    "imported": [m for m in ("tiktoken", "textual", "dotenv.main") if m in sys.modules],
}))
"""


def test_what_the_import_would_do_is_held_back(tmp_path: Any) -> None:
    """Its `.env`, CHUK_SANDBOX_ID, its handler on stderr, tiktoken."""
    (tmp_path / ".env").write_text("FROM_DOTENV=1\n")
    done = subprocess.run(
        [sys.executable, "-c", IMPORT],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=True,
        timeout=60,
    )
    assert done.stderr == ""
    found = json.loads(done.stdout)
    assert found["environment"] == {}
    assert found["lost"] == []
    assert found["handlers"] == []
    assert found["tiktoken"] is False
    assert "tiktoken" not in found["imported"]
    assert "textual" not in found["imported"]


def test_with_tiktoken_there_it_is_not_used(tmp_path: Any) -> None:
    """A tiktoken that can be imported and would hang or raise on its download."""
    (tmp_path / "tiktoken.py").write_text(
        "def encoding_for_model(name): raise OSError('no network')\n"
        "def get_encoding(name): raise OSError('no network')\n"
    )
    code = (
        "import asyncio\n"
        "from chatglass.chat.ledger import *\n"
        "async def main():\n"
        "    ledger = SessionLedger()\n"
        "    await ledger.initialize()\n"
        "    await ledger.user_said('hello')\n"
        "    await ledger.assistant_said('hi', 'gpt-4o', 'openai')\n"
        "    print(ledger.degraded)\n"
        "asyncio.run(main())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env={"PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path]), "PATH": "/usr/bin"},
        check=False,
        timeout=60,
    )
    assert (done.stdout.strip(), done.stderr) == ("None", "")


async def test_a_ledger_that_cannot_start_refuses_to_send(
    here: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    from chuk_ai_session_manager.session_storage import ChukSessionsStore

    from chat.harness import allow
    from chatglass.chat.engine import Engine
    from chatglass.chat.ledger import LedgerUnavailable

    async def broken(self: object, session: object) -> None:
        raise ConnectionError("the backend is gone")

    monkeypatch.setattr(ChukSessionsStore, "save", broken)
    engine = Engine(here.context(), decide_tool=allow)
    with pytest.raises(LedgerUnavailable, match="the backend is gone"):
        await engine.start()
    assert engine.state == "failed"
    prompt = await engine.submit("kept")
    assert [event async for event in engine.run()] == []
    assert engine.queue == [prompt]
    assert here.demo.received == 0
    await engine.close()
