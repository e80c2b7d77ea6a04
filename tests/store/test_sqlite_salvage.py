"""What can be read of a session whose pages or rows are damaged."""

# ruff: noqa: ASYNC240 - nothing else waits for the event loop of a test

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest

from chatglass.store.protocol import StoreError
from chatglass.store.sqlite import SqliteStore
from store.builders import ALL, new_session, talk, whole_session


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "s.sqlite3"


@pytest.fixture
async def store(file: Path) -> AsyncIterator[SqliteStore]:
    store = SqliteStore(file)
    await store.open()
    yield store
    await store.close()


def edit(file: Path, sql: str) -> None:
    with closing(sqlite3.connect(file)) as db:
        db.execute("PRAGMA foreign_keys = OFF")
        db.execute(sql)
        db.commit()


async def test_a_sound_session_is_whole(store: SqliteStore) -> None:
    session = await whole_session(store)
    salvaged = await store.salvage(session.id)
    whole = await store.whole_session(session.id)
    assert salvaged.lost == {}
    assert salvaged.whole.messages == whole.messages
    assert salvaged.whole.tool_calls == whole.tool_calls
    assert salvaged.whole.results == whole.results


async def test_a_page_of_messages_that_is_lost(file: Path) -> None:
    store = SqliteStore(file)
    await store.open()
    session = await new_session(store)
    rows = await talk(store, session.id, 1_000)
    await store.close()
    # Pages of the table itself; its indexes lie elsewhere.
    with closing(sqlite3.connect(file)) as db:
        (page_size,) = db.execute("PRAGMA page_size").fetchone()
        pages = db.execute(
            "SELECT pageno FROM dbstat WHERE name = 'messages' AND pagetype = 'leaf' ORDER BY pageno"
        ).fetchall()
    with file.open("r+b") as raw:
        (page,) = pages[len(pages) // 2]
        raw.seek((page - 1) * page_size)
        raw.write(b"\xff" * page_size)
    before = file.read_bytes()

    again = SqliteStore(file)
    await again.open()
    with pytest.raises(StoreError, match="damaged"):
        await again.path(session.id, rows[-1].id)
    salvaged = await again.salvage(session.id)
    kept = salvaged.whole.messages
    assert 900 < len(kept) < 1_000
    assert salvaged.lost == {"messages": 1_000 - len(kept)}
    assert {row.id for row in kept} <= {row.id for row in rows}
    memory = SqliteStore(None)
    await memory.open()
    await memory.add_whole_session(salvaged.whole)
    assert len(await memory.path(session.id, salvaged.whole.session.leaf_id)) == len(kept)
    await memory.close()
    await again.close()
    assert file.read_bytes() == before


@pytest.mark.parametrize("column", ["parameters", "tags", "cost"])
async def test_a_row_of_its_own_that_is_damaged(
    store: SqliteStore, file: Path, column: str
) -> None:
    session = await whole_session(store)
    sound = await whole_session(store)
    edit(file, f"UPDATE sessions SET {column} = '{{' WHERE id = '{session.id}'")
    with pytest.raises(StoreError, match="is damaged"):
        await store.get_session(session.id)
    # It hides no other, and stays in the list itself.
    assert {row.id for row in await store.list_sessions(ALL)} == {session.id, sound.id}
    salvaged = await store.salvage(session.id)
    assert len(salvaged.whole.messages) == 2
    assert salvaged.whole.session.title == session.title


async def test_a_shown_path_whose_end_is_gone(store: SqliteStore, file: Path) -> None:
    session = await new_session(store)
    rows = await talk(store, session.id, 6)
    edit(file, f"DELETE FROM messages WHERE id IN ('{rows[2].id}', '{rows[5].id}')")
    salvaged = await store.salvage(session.id)
    assert [row.id for row in salvaged.whole.messages] == [rows[at].id for at in (0, 1, 3, 4)]
    assert salvaged.whole.messages[2].parent_id == rows[1].id
    assert salvaged.whole.session.leaf_id == rows[4].id
