"""Stores of earlier versions are brought up to date, after a backup, or left as they are."""

# ruff: noqa: ASYNC240 - nothing else waits for the event loop of a test

from __future__ import annotations

import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest

from chatglass.store.protocol import StoreError
from chatglass.store.sqlite import SqliteStore
from chatglass.store.sqlite.schema import MIGRATIONS, Migration
from store.builders import ALL, whole_session

NEWEST = MIGRATIONS[-1].version
NEXT = Migration(
    NEWEST + 1,
    "notes",
    """
    CREATE TABLE notes (session_id TEXT NOT NULL REFERENCES sessions (id), text TEXT NOT NULL);
    INSERT INTO notes SELECT id, 'from ' || title FROM sessions;
    CREATE TRIGGER no_empty_notes BEFORE INSERT ON notes WHEN new.text = '' BEGIN
        SELECT raise(ABORT, 'empty');
    END;
    """,
)
AFTER_NEXT = Migration(NEWEST + 2, "stars", "ALTER TABLE notes ADD COLUMN stars INTEGER;")
BROKEN = Migration(NEWEST + 2, "broken", "DELETE FROM sessions; INSERT INTO nowhere VALUES (1);")
DANGLING = Migration(NEWEST + 2, "dangling", "INSERT INTO notes VALUES ('nobody', 'x');")

# What a store of each version holds at least, in its own words.
SAMPLE_1 = """
    INSERT INTO sessions VALUES (
        'S1', 'A session of version 1', '/work', 'demo', 'demo-1', 1, 2, 0, 'M1', '{}', '', 0, 0,
        '[]', NULL, NULL, 1, 0, 0, 0, 0, 4100000000, 'complete', 'Why?', NULL);
    INSERT INTO messages VALUES (
        1, 'M1', 'S1', NULL, 'T1', 'user', 'Why?', 2, 'complete', 0, '', 0, NULL, NULL, NULL, NULL,
        NULL, NULL);
"""
SAMPLE_7 = SAMPLE_1.replace("'Why?', NULL);", "'Why?', NULL, 0);")
SAMPLES = {**dict.fromkeys((1, 2, 3, 4, 5, 6), SAMPLE_1), 7: SAMPLE_7}

# A call and its result, indexed as version 1 did it.
CALL_OF_1 = """
    INSERT INTO messages VALUES (
        2, 'M2', 'S1', 'M1', 'T1', 'tool', '测试结果 found', 3, 'complete', 0, '', 0, NULL, 'c',
        'read_file', NULL, NULL, NULL);
    INSERT INTO tool_calls VALUES (
        1, 'C1', 'S1', 'T1', 'R1', 'M1', 'c', 0, 'read_file', '{"path": "x"}', 3, '', 'ok', NULL,
        '', '', NULL, NULL, NULL, 1, 1, NULL);
    INSERT INTO tool_calls VALUES (
        2, 'C2', 'S1', 'T1', 'R1', 'M1', 'd', 1, 'read_file', 'a' || char(0) || 'b', 3, '', 'ok',
        NULL, '', '', NULL, NULL, NULL, 1, 1, NULL);
    INSERT INTO tool_results VALUES ('C1', '测试结果 found', NULL);
    INSERT INTO search_rows VALUES (1, 'title', 'S1', 'S1', NULL, NULL);
    INSERT INTO search_rows VALUES (2, 'message', 'M1', 'S1', NULL, NULL);
    INSERT INTO search_rows VALUES (3, 'arguments', 'C1', 'S1', NULL, NULL);
    INSERT INTO search_rows VALUES (4, 'arguments', 'C2', 'S1', NULL, 'a b');
    INSERT INTO search_rows VALUES (5, 'result', 'C1', 'S1', 65536, NULL);
    INSERT INTO search_rows VALUES (6, 'message', 'M2', 'S1', NULL, NULL);
    INSERT INTO search (rowid, text) SELECT id, text FROM search_texts;
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "s.sqlite3"


async def open_and_close(file: Path, *migrations: Migration) -> None:
    store = SqliteStore(file, migrations=(*MIGRATIONS, *migrations))
    try:
        await store.open()
    finally:
        await store.close()


async def fill(file: Path) -> None:
    store = SqliteStore(file)
    await store.open()
    await whole_session(store, title="kept")
    await store.close()


def ask(file: Path, sql: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(file)) as db:
        return db.execute(sql).fetchall()


def test_migrations_are_numbered_without_a_gap() -> None:
    assert [each.version for each in MIGRATIONS] == list(range(1, NEWEST + 1))
    assert set(SAMPLES) == set(range(1, NEWEST + 1))


@pytest.mark.parametrize("version", sorted(SAMPLES))
async def test_a_store_of_each_version_opens(file: Path, version: int) -> None:
    await open_empty(file, version)
    with closing(sqlite3.connect(file)) as db:
        db.executescript(SAMPLES[version])
    store = SqliteStore(file)
    await store.open()
    (row,) = await store.list_sessions(ALL)
    assert row.title.startswith("A session of version")
    assert str(row.cost) == "0.0041"
    (first,) = await store.path(row.id, row.leaf_id)
    assert first.content == "Why?"
    await store.close()


async def test_version_2_indexes_names_and_pairs(file: Path) -> None:
    await open_empty(file, 1)
    with closing(sqlite3.connect(file)) as db:
        db.executescript(SAMPLE_1 + CALL_OF_1)
    store = SqliteStore(file)
    await store.open()
    assert [hit.line for hit in await store.search("read_f")] == [
        "read_file a b",
        'read_file {"path": "x"}',
    ]
    assert [hit.kind for hit in await store.search("found")] == ["tool"], "and not twice"
    assert [hit.kind for hit in await store.search("结果")] == ["tool"]
    assert await store.sessions_using("tool", "read") == {"S1"}
    await store._db.write(
        lambda db: db.execute("INSERT INTO search (search, rank) VALUES ('integrity-check', 1)")
    )
    await store.close()


async def open_empty(file: Path, version: int) -> None:
    store = SqliteStore(file, migrations=MIGRATIONS[:version])
    await store.open()
    await store.close()


async def test_version_7_counts_what_was_estimated(file: Path) -> None:
    await open_empty(file, 6)
    named = (
        "id, session_id, turn_id, purpose, endpoint, base_url, model, status, started_at, attempts, "
        "estimated_prompt_tokens, price_source, part_chunks, part_tail, usage_source"
    )
    with closing(sqlite3.connect(file)) as db:
        db.executescript(SAMPLES[6])
        db.executescript(SAMPLES[6].replace("'S1'", "'S2'").replace("1, 'M1'", "2, 'M2'"))
        for number, (session, source) in enumerate(
            [("S1", "estimated"), ("S1", "reported"), ("S2", None)]
        ):
            db.execute(
                f"INSERT INTO requests ({named}) VALUES (?, ?, 'T1', 'answer', 'demo', '', 'm', "
                "'complete', 1, 1, 0, 'demo', '', '[]', ?)",
                (f"R{number}", session, source),
            )
        db.commit()
    store = SqliteStore(file)
    await store.open()
    rows = await store.list_sessions(ALL)
    assert {row.id: row.estimated_requests for row in rows} == {"S1": 1, "S2": 0}
    await store.close()


async def test_an_upgrade_backs_up_once_and_takes_every_step(file: Path) -> None:
    await fill(file)
    assert [each.name for each in file.parent.iterdir()] == [file.name]
    await open_and_close(file, NEXT, AFTER_NEXT)
    assert ask(file, "SELECT text, stars FROM notes") == [("from kept", None)]
    assert ask(file, "PRAGMA user_version") == [(NEWEST + 2,)]
    backup = file.with_name(f"{file.name}.bak-v{NEWEST}")
    assert sorted(each.name for each in file.parent.iterdir()) == [file.name, backup.name]
    assert stat.S_IMODE(backup.stat().st_mode) == 0o600

    store = SqliteStore(backup)
    await store.open()
    assert [row.title for row in await store.list_sessions(ALL)] == ["kept"]
    assert await store.search("message 1")
    await store.close()


async def test_a_store_that_is_up_to_date_is_not_backed_up(file: Path) -> None:
    await fill(file)
    await open_and_close(file)
    assert [each.name for each in file.parent.iterdir()] == [file.name]


async def test_an_earlier_backup_is_not_replaced(file: Path) -> None:
    await fill(file)
    earlier = file.with_name(f"{file.name}.bak-v{NEWEST}")
    earlier.write_text("precious")
    await open_and_close(file, NEXT)
    assert earlier.read_text() == "precious"
    assert ask(file.with_name(f"{earlier.name}-2"), "SELECT title FROM sessions") == [("kept",)]


@pytest.mark.parametrize("failing", [BROKEN, DANGLING], ids=["statement", "reference"])
async def test_a_failing_step_leaves_no_trace(file: Path, failing: Migration) -> None:
    await fill(file)
    with pytest.raises(StoreError) as caught:
        await open_and_close(file, NEXT, failing)
    said = str(caught.value)
    assert f"{file}: could not be upgraded to version {NEWEST + 2}" in said
    assert f"{file.name}.bak-v{NEWEST}" in said
    # The step before it stays; of the failing one there is nothing.
    assert ask(file, "PRAGMA user_version") == [(NEWEST + 1,)]
    assert ask(file, "SELECT title FROM sessions") == [("kept",)]
    assert ask(file, "SELECT text FROM notes") == [("from kept",)]


async def test_without_a_backup_there_is_no_upgrade(file: Path) -> None:
    await fill(file)
    # A folder where the copy would be written to.
    file.with_name(f"{file.name}.bak-v{NEWEST}.part").mkdir()
    with pytest.raises(StoreError, match=rf"bak-v{NEWEST}.part: can't be used"):
        await open_and_close(file, NEXT)
    assert ask(file, "PRAGMA user_version") == [(NEWEST,)]


async def test_this_version_refuses_what_the_next_one_made(file: Path) -> None:
    await fill(file)
    await open_and_close(file, NEXT)
    before = file.read_bytes()
    with pytest.raises(StoreError, match="newer chatglass"):
        await open_and_close(file)
    assert file.read_bytes() == before


def test_a_migration_that_ends_in_mid_statement_is_a_fault() -> None:
    with pytest.raises(ValueError, match="migration 9 ends in the middle"):
        list(Migration(9, "torn", "CREATE TABLE a (b);\nCREATE TABLE").statements())
