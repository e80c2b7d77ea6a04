"""Budgets and figures of `chatglass -p`."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from contextlib import closing

import pytest

from chatglass.models.demo.script import Reply
from headless.program import Done, Program

USAGE = {"prompt_tokens": 10_000, "completion_tokens": 1_000, "total_tokens": 11_000}
DEAR = ("--model", "dear", "--output-format", "json")
"""$0.045 for USAGE."""


async def spend(chatglass: Program, *flags: str) -> Done:
    chatglass.demo.script(Reply(text="Dear.", usage=USAGE))
    done = await chatglass.here("-p", "hello", *DEAR, *flags)
    chatglass.demo._script.clear()  # pyright: ignore[reportPrivateUsage]
    return done


async def test_max_cost_ends_it_before_the_request_with_exit_code_3(chatglass: Program) -> None:
    # 1,000 tokens of answer are set aside: $0.015.
    done = await spend(chatglass, "--max-cost", "0.01")
    assert done.code == 3
    assert done.json["status"] == "limit"
    assert done.json["requests"] == 0
    assert "this start: $0.00 of $0.01 spent" in done.err
    assert not chatglass.demo.requests
    allowed = await spend(chatglass, "--max-cost", "$1")
    assert (allowed.code, allowed.json["cost_usd"]) == (0, 0.045)
    # What the session had cost before is not of this start; the request's own length is.
    again = await spend(chatglass, "-c", "--max-cost", "0.06")
    assert again.code == 0
    assert (await spend(chatglass, "-c", "--max-cost", "0.04")).code == 3


@pytest.mark.parametrize("scope", ["session_hard", "day_hard"])
async def test_budgets_of_the_settings(chatglass: Program, scope: str) -> None:
    config = chatglass.folder / "config.toml"
    config.write_text(f"{config.read_text()}\n[budget]\n{scope} = 0.06\n")
    assert (await spend(chatglass)).code == 0
    again = await spend(chatglass, "-c")
    assert again.code == 3
    assert "$0.0450 of $0.0600 spent" in again.err
    if scope == "day_hard":
        assert (await spend(chatglass)).code == 3  # another session, the same day
        with closing(sqlite3.connect(chatglass.db)) as db:
            yesterday = int(time.time() * 1000) - 86_400_000
            db.execute("UPDATE requests SET started_at = ?", (yesterday,))
            db.commit()
        assert (await spend(chatglass, "-c")).code == 0


async def test_the_demo_is_free_and_needs_none(chatglass: Program) -> None:
    done = await chatglass.here(
        "-p", "hi", "--demo", "--model", "demo-fast", "--max-cost", "0.000001"
    )
    assert done.code == 0


@pytest.mark.parametrize("written", ["0", "-1", "much", "nan", ""])
async def test_what_is_no_sum_is_wrong_usage(
    chatglass: Program, capsys: pytest.CaptureFixture[str], written: str
) -> None:
    done = await chatglass.here("-p", "hi", "--max-cost", written)
    assert done.code == 2
    assert "is not a sum in USD above 0" in done.err


async def test_a_faulty_budget_in_the_settings_names_the_nearest(chatglass: Program) -> None:
    config = chatglass.folder / "config.toml"
    config.write_text(f"{config.read_text()}\n[budget]\nday_hart = 4\n")
    done = await chatglass.here("-p", "hi")
    assert done.code == 2
    assert "Did you mean day_hard?" in done.err


async def test_what_was_killed_is_estimated_and_counted_once(chatglass: Program) -> None:
    text = "A long answer of many words. " * 9
    chatglass.demo.script(Reply(text=text, split=200, gates={2: asyncio.Event()}))
    process = await chatglass.start("-p", "hello", "--model", "dear")
    assert process.stdin is not None
    process.stdin.close()
    async with asyncio.timeout(20):
        await chatglass.demo.wait_received(1)
        while not _has_partial_text(chatglass):  # noqa: ASYNC110 - what is on disk says it
            await asyncio.sleep(0.02)
        process.kill()
        await process.wait()
    chatglass.demo._script.clear()  # pyright: ignore[reportPrivateUsage]
    for _ in range(2):
        assert (await spend(chatglass, "-c")).code == 0
    with closing(sqlite3.connect(chatglass.db)) as db:
        first, *rest = db.execute(
            "SELECT usage_source, prompt_tokens, completion_tokens, cost FROM requests ORDER BY number"
        ).fetchall()
        (total,) = db.execute("SELECT cost FROM sessions").fetchone()
    assert first[0] == "estimated"
    assert first[1] > 0
    assert first[2] > 5
    assert total == first[3] + sum(row[3] for row in rest)


def _has_partial_text(chatglass: Program) -> bool:
    if not chatglass.db.exists():
        return False
    with closing(sqlite3.connect(chatglass.db)) as db:
        sql = "SELECT 1 FROM messages WHERE status = 'partial' AND content <> ''"
        return db.execute(sql).fetchone() is not None
