"""Days, ranges, reports, what-if, shares of tools, and what a sum reads."""

from __future__ import annotations

import csv
import io
import sqlite3
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from chat.harness import PRICES, Bench, ask, calls, echo, tool
from chatglass.chat.tool_tokens import ToolTokens
from chatglass.models.endpoints import ConfiguredEndpoint
from chatglass.models.estimates import estimate_message
from chatglass.models.model_manager import Models
from chatglass.models.wire import Endpoint
from chatglass.spending import days
from chatglass.spending.report import as_csv, as_json, as_table, cost_of
from chatglass.spending.what_if import Candidate, find_candidates, what_if
from chatglass.store.sqlite import SqliteStore, spending
from chatglass.store.usage_records import UsageQuery, UsageRow
from chatglass.values.usage import Cost, Usage
from store.builders import request, whole_session

# -- days


@pytest.fixture
def berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def test_a_day_of_23_and_one_of_25_hours(berlin: None) -> None:
    for day, hours in (("2025-03-30", 23), ("2025-10-26", 25), ("2025-06-01", 24)):
        one = date.fromisoformat(day)
        span = days.Range(one, one)
        assert span.since is not None
        assert span.until is not None
        assert span.until - span.since == hours * 3_600_000
        assert days.day_bounds(span.since) == (span.since, span.until)
        assert days.day_bounds(span.until - 1) == (span.since, span.until)


def test_days_and_ranges_as_people_write_them() -> None:
    today = days.today()
    assert days.parse_day("yesterday") == today - timedelta(days=1)
    assert days.parse_day(" 30d ") == today - timedelta(days=30)
    assert days.parse_range("7") == days.Range(today - timedelta(days=6), today)
    assert days.parse_range("all") == days.parse_range("") == days.ALL
    one, other = date(2025, 3, 1), date(2025, 3, 9)
    for text in ("2025-03-01 2025-03-09", "2025-03-01..2025-03-09", "2025-03-01 … 2025-03-09"):
        assert days.parse_range(text) == days.Range(one, other)
    assert days.parse_range("2025-03-01") == days.Range(one, one)
    assert days.Range(one, other).words == "2025-03-01 … 2025-03-09"
    assert (days.ALL.since, days.ALL.until) == (None, None)


@pytest.mark.parametrize(
    "text",
    ["0", "soon", "2025-13-01", "0001-01-01", "2025-03-09 2025-03-01", "1 2 3", "9" * 30 + "d"],
)
def test_what_is_no_range_is_refused_in_words(text: str) -> None:
    with pytest.raises(ValueError, match=r"date|range"):
        days.parse_range(text)


# -- reports

ROWS = [
    UsageRow(name="=cmd()", endpoint="e", requests=2, prompt_tokens=1_500, completion_tokens=20,
             cached_tokens=7, cost=Decimal("0.1234567")),
    UsageRow(name='a "b"\n', endpoint="e", requests=1, unpriced_requests=1, prompt_tokens=10),
    UsageRow(name="free", endpoint="l", requests=1, free_requests=1, prompt_tokens=10),
]  # fmt: skip


def test_csv_is_exact_and_harmless() -> None:
    rows = list(csv.DictReader(io.StringIO(as_csv("model", ROWS), newline="")))
    assert [row["model"] for row in rows] == ["'=cmd()", 'a "b"\n', "free"]
    assert [row["cost_usd"] for row in rows] == ["0.1234567", "", "0"]
    assert rows[0]["total_tokens"] == "1520"


def test_json_and_table_have_the_same_rows_and_their_total() -> None:
    said = as_json("model", ROWS)
    assert [row["cost_usd"] for row in said["rows"]] == [0.1234567, None, 0.0]
    assert said["total"]["cost_usd"] == 0.1234567
    assert said["total"]["unpriced_requests"] == 1
    table = as_table("model", ROWS)
    assert [line[0] for line in table[1:]] == ["=cmd() · e", 'a "b"\n · e', "free · l", "total"]
    assert [line[-1] for line in table[1:]] == ["$0.1235", "—", "free", "$0.1235+"]


def test_costs_in_words() -> None:
    assert cost_of(UsageRow(name="nothing")) == ""
    assert cost_of(replace(ROWS[0], estimated_requests=1)) == "≈ $0.1235"


# -- what if


def test_the_same_tokens_at_other_prices() -> None:
    rows = [
        replace(request("s"), usage=usage, cost=Decimal("0.001"))
        for usage in (
            Usage(prompt_tokens=1_000, cached_tokens=400, completion_tokens=100, raw='{"cost": 9}'),
            Usage(prompt_tokens=2_000, completion_tokens=50),
        )
    ]
    rows.append(request("s"))  # failed: it has no usage
    endpoint = Endpoint(name="here", base_url="https://example.invalid/v1")
    models = Models({"here": ConfiguredEndpoint(endpoint=endpoint)}, price_settings=PRICES)
    found, missing = find_candidates(["dear", "openai/gpt-5", "nope", "here/x"], models, "here")
    assert missing == ["nope"]
    assert [one.name for one in found] == ["dear", "openai/gpt-5", "here/x"]
    by_name = {one.name: one for one in what_if(rows, found)}
    # Of 3,000 prompt tokens 400 were cached.
    dear = (2_600 * Decimal("3.15") + 400 * Decimal("0.3") + 150 * Decimal("15.75")) / 10**6
    assert by_name["dear"].cost == dear
    assert by_name["dear"].ratio == pytest.approx(float(dear / Decimal("0.002")))
    listed = (2_600 * Decimal("1.25") + 400 * Decimal("0.125") + 150 * Decimal(10)) / 10**6
    assert by_name["openai/gpt-5"].cost == listed
    assert by_name["here/x"].cost is None
    assert [one.name for one in what_if(rows, found)][-1] == "here/x"


def test_the_usual_models_are_in_the_list() -> None:
    found, missing = find_candidates([], Models({}), "here")
    assert missing == []
    assert len(found) >= 6


def test_nothing_to_compare_with() -> None:
    free = Candidate("free", lambda _usage, _at: Cost(Decimal(0), "local"))
    rows = [replace(request("s"), usage=Usage(prompt_tokens=1), cost=None)]
    (only,) = what_if(rows, [free])
    assert (only.cost, only.ratio) == (Decimal(0), None)
    assert what_if([], [free])[0].cost is None


# -- tools


async def test_results_cost_as_often_as_they_are_sent(here: Bench) -> None:
    async def much(arguments: dict[str, Any]) -> str:
        return "many words of a result, of which the model sees the first forty"

    engine = await here.engine(here.session("dear"), tools=[tool("much", much), tool("echo", echo)])
    here.demo.script(calls(("much", {}), ("echo", {"x": "1"})), "first", "second")
    await ask(engine)
    rows = await here.requests(engine)
    assert [row.tool_tokens for row in rows[:1]] == [()]
    sent = dict(rows[1].tool_tokens)
    assert sent["much"] > sent["echo"] > 0
    once = {one.name: one for one in engine.context.requests.figures.by_tool()}["much"]
    await ask(engine)
    rows = await here.requests(engine)
    twice = {one.name: one for one in engine.context.requests.figures.by_tool()}["much"]
    assert (once.requests, twice.requests) == (1, 2)
    assert twice.tokens == once.tokens + dict(rows[2].tool_tokens)["much"]
    for row in rows[1:]:
        # The demo caches nothing here that would make a share of the prompt's price unequal.
        assert row.usage is not None
        assert row.prompt_cost is not None
        share = next(share for share in row.tool_shares() if share.name == "much")
        by_price = row.prompt_cost * share.tokens / row.usage.prompt_tokens
        assert share.cost is not None
        assert abs(share.cost - by_price) < Decimal("1e-11")
    assert engine.context.requests.figures.cost > (twice.cost or 0) > (once.cost or 0) > 0


def test_each_result_is_counted_once_and_again_when_it_changes() -> None:
    counted = ToolTokens()
    call = {"id": "c", "function": {"name": "read", "arguments": "{}"}}
    result = {"role": "tool", "tool_call_id": "c", "content": "some text of it"}
    messages = [{"role": "assistant", "tool_calls": [call]}, result]
    assert counted.of(messages) == {"read": estimate_message(result)}
    stub = {**result, "content": "left out"}
    assert counted.of([messages[0], stub]) == {"read": estimate_message(stub)}
    assert counted.of([messages[0]]) == {}
    assert counted.of([result]) == {"unknown": estimate_message(result)}


# -- what is read


@pytest.mark.parametrize("by", ["day", "model", "tool", "session"])
async def test_sums_read_no_transcript(tmp_path: Path, by: Any) -> None:
    store = SqliteStore(tmp_path / "s.sqlite3")
    await store.open()
    row = await whole_session(store)
    await store.close()
    read: set[str] = set()

    def note(action: int, table: str | None, *_: object) -> int:
        if action == sqlite3.SQLITE_READ and table:
            read.add(table)
        return sqlite3.SQLITE_OK

    db = sqlite3.connect(tmp_path / "s.sqlite3")
    db.set_authorizer(note)
    spending.usage(db, UsageQuery(by=by, since=1, session_id=row.id, model=("demo", "demo-1")))
    spending.usage(db, UsageQuery(by=by))
    db.close()
    assert read
    assert read <= {"requests", "request_tools", "sessions", "tool_calls"}


async def test_a_day_is_found_by_the_index(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "s.sqlite3")
    await store.open()
    await store.close()
    db = sqlite3.connect(tmp_path / "s.sqlite3")
    asked: list[str] = []
    db.set_trace_callback(asked.append)
    spending.usage(db, UsageQuery(by="day", since=1, until=2))
    plan = db.execute(f"EXPLAIN QUERY PLAN {asked[0]}").fetchall()
    db.close()
    assert any("requests_by_time" in str(step) for step in plan)
