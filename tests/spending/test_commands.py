"""`chatglass usage` and `chatglass prices`."""

from __future__ import annotations

import asyncio
import csv
import io
import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from chatglass.models import price_list
from chatglass.store.sqlite import SqliteStore
from chatglass.values.usage import Usage
from commands.conftest import Run
from store.builders import new_session, request, tool_call

NOON = 1_741_521_600_000
"""2025-03-09 12:00 UTC."""


async def fill(file: Path) -> str:
    file.parent.mkdir(parents=True)
    store = SqliteStore(file)
    await store.open()
    session = await new_session(store, title="A \x1b[2Jtitle")
    for days, model, cost in ((0, "gpt-5", "0.5"), (1, "gpt-5", None), (2, "o3", "0.25")):
        row = request(
            session.id, model=model, endpoint="openai", started_at=NOON + days * 86_400_000
        )
        await store.add_request(row)
        await store.finish_request(
            replace(
                row,
                status="complete",
                usage=Usage(prompt_tokens=90, completion_tokens=10, cached_tokens=20),
                cost=None if cost is None else Decimal(cost),
                prompt_cost=None if cost is None else Decimal(cost) / 2,
                tool_tokens=(("read_file", 45),),
            )
        )
    await store.add_tool_calls([tool_call(session.id, proposed_at=NOON)])
    await store.close()
    return session.id


@pytest.fixture
def session_id(data: Path) -> str:
    return asyncio.run(fill(data / "sessions.sqlite3"))


def test_by_day_for_people(run: Run, session_id: str) -> None:
    done = run("usage")
    lines = done.out.splitlines()
    assert done.code == 0
    assert lines[0].split() == ["day", "requests", "in", "cached", "out", "reasoning", "cost"]
    assert lines[1].split() == ["2025-03-09", "1", "90", "20", "10", "0", "$0.5000"]
    assert lines[2].split()[-1] == "—"
    assert lines[-1].split() == ["total", "3", "270", "60", "30", "0", "$0.7500+"]
    assert run("usage", "--by", "session").out.count("\x1b") == 0


def test_json(run: Run, session_id: str) -> None:
    said = run("usage", "--json", "--by", "model", "--since", "2025-03-10").json()
    assert (said["since"], said["until"], said["by"]) == ("2025-03-10", None, "model")
    assert [(row["model"], row["cost_usd"]) for row in said["rows"]] == [
        ("o3", 0.25), ("gpt-5", None),
    ]  # fmt: skip
    assert said["total"]["total_tokens"] == 200


@pytest.mark.parametrize("by", ["day", "model", "tool", "session"])
def test_csv_of_everything(run: Run, session_id: str, by: str) -> None:
    done = run("usage", "--csv", "--by", by)
    rows = list(csv.DictReader(io.StringIO(done.out, newline="")))
    assert done.code == 0
    total = Decimal("0.1875") if by == "tool" else Decimal("0.75")
    assert sum(Decimal(row["cost_usd"] or 0) for row in rows) == total
    if by == "tool":
        assert rows[0]["calls"] == "1"
    if by == "session":
        assert rows[0]["session_id"] == session_id


def test_an_empty_range(run: Run, session_id: str) -> None:
    done = run("usage", "--until", "2001-01-01")
    assert (done.code, done.out) == (0, "")
    assert "No requests (until 2001-01-01)" in done.err
    assert run("usage", "--until", "2001-01-01", "--json").json()["rows"] == []


def test_wrong_usage(run: Run, session_id: str) -> None:
    done = run("usage", "--since", "whenever")
    assert done.code == 2
    assert "'whenever' is no date; write it as 2025-03-09" in done.err
    assert run("usage", "--json", "--csv").code == 2
    assert "Did you mean session?" in run("usage", "--by", "sesion").err


def test_no_store_yet(run: Run) -> None:
    done = run("usage")
    assert done.code == 1
    assert "there is no store yet" in done.err


def test_prices_of_a_model(run: Run, tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text('[prices."gpt-5"]\ninput = 9\noutput = 90\n')
    done = run("prices", "show", "gpt-5", "--config", config)
    lines = done.out.splitlines()
    assert done.code == 0
    assert lines[1].split() == ["settings:", "gpt-5", "9", "—", "—", "90"]
    assert lines[2].split() == ["openai/gpt-5", "1.25", "0.125", "—", "10", "400,000"]
    assert "USD per million tokens, by genai-prices" in done.err
    said = run("prices", "show", "gpt-5", "--config", config, "--json").json()
    assert said["settings"]["input"] == 9.0
    assert said["listed"][0]["cached_input"] == 0.125


def test_an_unknown_model_names_the_nearest(run: Run, tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.touch()
    done = run("prices", "show", "gtp-5", "--config", config)
    assert done.code == 1
    assert "No price is known for gtp-5. There are: gpt-5" in done.err


def test_an_update_that_fails_is_said_and_changes_nothing(
    run: Run, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    update = price_list.update
    nowhere = "http://127.0.0.1:9/data.json"
    monkeypatch.setattr(price_list, "update", lambda target: update(target, url=nowhere))
    done = run("prices", "update")
    assert done.code == 1
    assert "127.0.0.1 can't be reached" in done.err
    assert "try again where there is a network" in done.err
    assert json.dumps([each.name for each in data.iterdir()]) == "[]"
