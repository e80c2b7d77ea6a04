"""llm's log in both of its layouts. The fixtures were written by llm 0.27.1 and 0.36."""

# ruff: noqa: ASYNC240 - nothing else waits for the event loop of a test

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest

from chatglass.store.records import WholeSession
from chatglass.store.sqlite import SqliteStore
from transfer.imported import faults_of_lists, import_file, shown


@pytest.fixture
def log(tmp_path: Path, fixtures: Path) -> Path:
    """A log with both layouts: begun by 0.27.1 and continued by 0.36."""
    return made(tmp_path / "log" / "logs.db", fixtures, "llm_upgraded.sql")


def made(path: Path, fixtures: Path, name: str) -> Path:
    """The log of a fixture, in WAL mode as llm's own."""
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA journal_mode = WAL")
        db.executescript((fixtures / name).read_text())
    return path


async def sessions(store: SqliteStore, path: Path) -> dict[str, WholeSession]:
    report = await import_file(store, path)
    assert (report.fault, report.skipped.faults) == ("", [])
    found = [await store.whole_session(id_) for id_ in report.sessions]
    return {whole.session.title: whole for whole in found}


@pytest.mark.parametrize("name", ["llm_responses.sql", "llm_threads.sql"])
async def test_a_conversation_with_tools(
    store: SqliteStore, tmp_path: Path, fixtures: Path, name: str
) -> None:
    found = await sessions(store, made(tmp_path / "x" / "logs.db", fixtures, name))
    whole = found["How much is 2 and 3?"]
    said = shown(whole)
    assert said[:2] == [("user", "How much is 2 and 3?"), ("assistant", "Let me add these.")]
    assert ("tool", "5") in said
    assert said[-1] == ("assistant", "It is 5.")
    assert whole.session.parameters.system_prompt == "Be brief."
    assert faults_of_lists(whole) == []
    call = whole.tool_calls[0]
    assert (call.name, json.loads(call.arguments), call.state) == ("add", {"a": 2, "b": 3}, "ok")
    used = [row.usage for row in whole.requests]
    assert [(each.prompt_tokens, each.cached_tokens, each.completion_tokens) for each in used if each] == [(120, 64, 30)] * 2  # fmt: skip
    assert all(row.cost is None for row in whole.requests)
    assert whole.session.model == "own-model"


async def test_a_tool_that_failed(store: SqliteStore, tmp_path: Path, fixtures: Path) -> None:
    found = await sessions(store, made(tmp_path / "x" / "logs.db", fixtures, "llm_responses.sql"))
    call = found["How much is 2 and 3?"].tool_calls[1]
    assert (call.name, call.state) == ("broken", "error")


@pytest.mark.parametrize("name", ["llm_responses.sql", "llm_threads.sql"])
async def test_fragments_and_attachments_are_in_the_prompt(
    store: SqliteStore, tmp_path: Path, fixtures: Path, name: str
) -> None:
    found = await sessions(store, made(tmp_path / "x" / "logs.db", fixtures, name))
    (whole,) = [each for title, each in found.items() if title.startswith("A long fragment")]
    text, image = json.loads(whole.messages[0].content)
    assert text["text"].startswith("A long fragment of text.")
    assert text["text"].endswith("\nLook at this")
    assert image["image_url"]["url"].startswith("data:image/png;base64,iVBORw0KGgp4")


async def test_another_system_prompt_stands_where_it_began(
    store: SqliteStore, tmp_path: Path, fixtures: Path
) -> None:
    found = await sessions(store, made(tmp_path / "x" / "logs.db", fixtures, "llm_responses.sql"))
    (whole,) = [each for title, each in found.items() if title.startswith("A long fragment")]
    assert whole.session.parameters.system_prompt is None
    assert shown(whole)[2:4] == [("system", "Be rude."), ("user", "And now?")]


async def test_a_fork_has_what_it_shares_and_no_tokens_twice(
    store: SqliteStore, tmp_path: Path, fixtures: Path
) -> None:
    found = await sessions(store, made(tmp_path / "x" / "logs.db", fixtures, "llm_threads.sql"))
    fork = found["The other way"]
    assert len(fork.messages) == 2
    assert fork.messages[1].model == "own-model"
    assert sum(whole.session.total_tokens for whole in found.values()) == 4 * 150


async def test_once_more_adds_nothing(store: SqliteStore, log: Path) -> None:
    assert (await import_file(store, log)).new == 5
    report = await import_file(store, log)
    assert (report.unchanged, report.sessions) == (5, [])


def state(folder: Path) -> dict[str, tuple[str, int, int]]:
    return {
        each.name: (
            hashlib.sha256(each.read_bytes()).hexdigest(), each.stat().st_mtime_ns, each.stat().st_ino
        )
        for each in folder.iterdir()
    }  # fmt: skip


async def test_the_log_is_left_as_it_is(store: SqliteStore, log: Path) -> None:
    before = state(log.parent)
    assert set(before) == {"logs.db"}
    await import_file(store, log)
    assert state(log.parent) == before


async def test_what_a_crash_left_in_the_wal_is_read_and_left(
    store: SqliteStore, log: Path, tmp_path: Path
) -> None:
    with closing(sqlite3.connect(log)) as db:
        db.execute("INSERT INTO conversations VALUES ('c9', 'In the WAL', 'm')")
        db.execute(
            "INSERT INTO responses (id, model, prompt, response, conversation_id, datetime_utc) "
            "VALUES ('r9', 'm', 'Hello', 'Hi', 'c9', '2026-05-04T10:00:00')"
        )
        db.commit()
        crashed = tmp_path / "crashed"
        crashed.mkdir()
        for name in ("logs.db", "logs.db-wal"):
            (crashed / name).write_bytes((log.parent / name).read_bytes())
    before = state(crashed)
    assert "In the WAL" in await sessions(store, crashed / "logs.db")
    assert state(crashed) == before


async def test_a_log_in_a_folder_that_cant_be_written_to(store: SqliteStore, log: Path) -> None:
    log.chmod(stat.S_IRUSR)
    log.parent.chmod(stat.S_IRUSR | stat.S_IXUSR)
    try:
        assert (await import_file(store, log)).new == 5
    finally:
        log.parent.chmod(0o700)
    assert os.listdir(log.parent) == ["logs.db"]


async def test_a_damaged_log_is_refused(store: SqliteStore, log: Path) -> None:
    data = log.read_bytes()
    log.write_bytes(data[:5000])
    report = await import_file(store, log)
    assert "SQLite can't read it" in report.fault
