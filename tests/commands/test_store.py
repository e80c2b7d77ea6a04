"""`chatglass store check` and `backup`."""

# ruff: noqa: ASYNC240 - nothing else waits for the event loop of a test

from __future__ import annotations

import re
import sqlite3
import stat
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from chatglass.store.protocol import StoreError
from chatglass.store.sqlite import SqliteStore
from chatglass.store.sqlite.check import check
from chatglass.store.sqlite.copying import back_up
from chatglass.store.sqlite.functions import define
from chatglass.store.sqlite.schema import MIGRATIONS
from commands.conftest import Run
from store.builders import ALL, answer, message, new_session, talk, whole_session


@contextmanager
def edited(data: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(data / "sessions.sqlite3")) as db:
        define(db)
        yield db
        db.commit()


def test_a_sound_store_is_said_to_be_so(run: Run, ids: list[str], data: Path) -> None:
    before = (data / "sessions.sqlite3").read_bytes()
    ran = run("store", "check")
    assert ran.code == 0
    assert "sound. 2 sessions, 25 messages, 4 tool calls" in ran.err
    assert re.search(r"of which the search index [\d.]+ kB\.$", ran.err.strip())
    found = run("store", "check", "--json").json()
    assert (found["faults"], found["notes"], found["messages"]) == ([], [], 25)
    assert (data / "sessions.sqlite3").read_bytes() == before


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("UPDATE sessions SET leaf_id = 'gone'", "the end of its shown path"),
        ("UPDATE sessions SET messages = messages + 1", "messages, and has"),
        ("UPDATE sessions SET cost = 5", "a cost of 5"),
        ("UPDATE messages SET content = content || ' x'", "search index does not fit"),
        ("DELETE FROM search_rows WHERE kind = 'title'", "the title of session"),
        ("UPDATE messages SET tool_calls = '[{' WHERE tool_calls IS NOT NULL", "can't be read"),
        ("UPDATE sessions SET parameters = 'x'", "can't be read"),
        ("DELETE FROM messages WHERE parent_id IS NULL", "refers to a row of messages"),
        (
            "UPDATE messages SET number = number + 1000 WHERE parent_id IS NULL",
            "was written after it",
        ),
        ("UPDATE requests SET tools_hash = 'abcd'", "its blob abcd is missing"),
        ("UPDATE requests SET part_tail = '[['", "what it sent can't be read"),
        ("UPDATE tool_calls SET message_id = 'gone'", "its message gone"),
    ],
)
def test_damage_is_found_and_named(
    run: Run, ids: list[str], data: Path, sql: str, said: str
) -> None:
    with edited(data) as db:
        db.execute(sql)
    ran = run("store", "check")
    assert ran.code == 1
    assert said in ran.err
    assert "chatglass store backup" in ran.err


def test_a_page_that_was_overwritten_is_found(run: Run, ids: list[str], data: Path) -> None:
    file = data / "sessions.sqlite3"
    whole = bytearray(file.read_bytes())
    for at in range(4096 * 3, len(whole), 4096 * 2):
        whole[at : at + 2000] = b"\xff" * 2000
    file.write_bytes(whole)
    ran = run("store", "check")
    assert ran.code == 1
    assert str(file) in ran.err


def test_a_file_that_is_no_store(run: Run, data: Path) -> None:
    data.mkdir()
    (data / "sessions.sqlite3").write_text("hello" * 100)
    ran = run("store", "check")
    assert ran.code == 1
    assert "damaged or not a store of chatglass" in ran.err
    assert run("store", "backup", data / "x").code == 1


async def test_a_list_that_will_be_mended_is_a_note(data: Path, tmp_path: Path) -> None:
    from argparse import Namespace

    from chatglass.commands.store import run_store

    store = SqliteStore(data / "sessions.sqlite3")
    await store.open()
    row = await new_session(store)
    first = message(row.id)
    calls = '[{"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}]'
    await store.append_message(first)
    await store.append_message(answer(row.id, first.id, tool_calls=calls))
    await store.close()
    report = check(data / "sessions.sqlite3")
    assert report.faults == []
    found = Namespace(action="check", json=False, data_dir=str(data))
    assert run_store(found) == 0


async def test_a_store_of_an_earlier_version_is_not_upgraded_by_checking(data: Path) -> None:
    store = SqliteStore(data / "sessions.sqlite3", migrations=MIGRATIONS[:1])
    await store.open()
    await store.close()
    report = check(data / "sessions.sqlite3")
    assert report.faults == []
    assert "of version 1" in report.notes[0]
    with edited(data) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (1,)


async def test_a_store_in_use_is_checked_while_it_is_written_to(data: Path) -> None:
    store = SqliteStore(data / "sessions.sqlite3")
    await store.open()
    row = await whole_session(store)
    await store.claim(row.id)
    found: list[object] = []
    thread = threading.Thread(target=lambda: found.append(check(data / "sessions.sqlite3")))
    thread.start()
    await talk(store, (await new_session(store)).id, 50)
    thread.join()
    (report,) = found
    assert report.faults == []  # type: ignore[attr-defined]
    assert {each.name for each in data.iterdir()} <= {
        "sessions.sqlite3", "sessions.sqlite3-wal", "sessions.sqlite3-shm",
    }  # fmt: skip
    await store.close()


def test_a_backup_is_a_whole_store(run: Run, ids: list[str], tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    copy.mkdir()
    assert run("store", "backup", copy).code == 0
    file = copy / "sessions.sqlite3"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [each.name for each in copy.iterdir()] == ["sessions.sqlite3"]
    assert run("export", "--all", "--data-dir", copy).out == run("export", "--all").out
    again = run("store", "backup", file)
    assert again.code == 1
    assert "is there already" in again.err
    assert "No such file" in run("store", "backup", tmp_path / "gone" / "x").err


async def test_a_backup_in_use_is_of_one_moment(data: Path, tmp_path: Path) -> None:
    store = SqliteStore(data / "sessions.sqlite3")
    await store.open()
    row = await new_session(store)
    rows = await talk(store, row.id, 2)
    failed: list[BaseException] = []

    def copy_often() -> None:
        try:
            for number in range(5):
                back_up(data / "sessions.sqlite3", tmp_path / f"{number}.sqlite3")
        except StoreError as error:
            failed.append(error)

    thread = threading.Thread(target=copy_often)
    thread.start()
    written = 0
    while thread.is_alive() or written < 10:
        rows.append(answer(row.id, rows[-1].id, content=f"message {written}"))
        await store.append_message(rows[-1])
        written += 1
    thread.join()
    assert failed == []
    await store.close()
    for number in range(5):
        assert check(tmp_path / f"{number}.sqlite3").faults == []
        copy = SqliteStore(tmp_path / f"{number}.sqlite3")
        await copy.open()
        (there,) = await copy.list_sessions(ALL)
        assert len(await copy.path(there.id, there.leaf_id)) == there.messages
        await copy.close()
