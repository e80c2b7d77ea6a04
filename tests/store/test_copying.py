"""Copying sessions between stores of any engines, both ways."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from chatglass.cli import whole_parser
from chatglass.commands.run import run_command
from chatglass.store.copying import Copied, copy_sessions
from chatglass.store.protocol import SessionStore
from chatglass.store.redis import RedisStore
from chatglass.store.sqlite import SqliteStore
from store.builders import ALL, answer, message, new_session, talk
from store.redis_server import RedisServer
from store.whole_conformance import full_session

pytestmark = pytest.mark.needs("redis")


@pytest.fixture
async def sqlite(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    store = SqliteStore(tmp_path / "sessions.sqlite3")
    await store.open()
    yield store
    await store.close()


@pytest.fixture(params=["to redis", "from redis"])
def both(
    request: pytest.FixtureRequest, sqlite: SqliteStore, redis_store: RedisStore
) -> tuple[SessionStore, SessionStore]:
    pair = (sqlite, redis_store)
    return pair if request.param == "to redis" else pair[::-1]


async def copied(source: SessionStore, target: SessionStore) -> list[Copied]:
    return [each async for each in copy_sessions(source, target)]


async def test_a_session_is_the_same_on_the_other_side(
    both: tuple[SessionStore, SessionStore],
) -> None:
    source, target = both
    whole = await full_session(source)
    awkward = await new_session(source, title="\x00 \u2028 ünï 日本語", draft="half")
    rows = await talk(source, awkward.id, 3)
    await source.append_message(
        answer(awkward.id, rows[0].id, content="a\x00b\r\n\t", reasoning="\x1b[0m")
    )
    await source.set_leaf(awkward.id, rows[2].id)
    assert [each.added.is_new for each in await copied(source, target) if each.added] == [True] * 2
    for session_id in (whole.session.id, awkward.id):
        assert await target.whole_session(session_id) == await source.whole_session(session_id)
        assert await target.forks(session_id) == await source.forks(session_id)
    assert await target.list_sessions(ALL) == await source.list_sessions(ALL)
    assert not any(each.added for each in await copied(source, target)), "once more adds nothing"


async def test_there_and_back_again(
    sqlite: SqliteStore, redis_store: RedisStore, tmp_path: Path
) -> None:
    whole = await full_session(sqlite)
    await copied(sqlite, redis_store)
    third = SqliteStore(None)
    await third.open()
    await copied(redis_store, third)
    assert await third.whole_session(whole.session.id) == whole
    await third.close()


async def test_a_session_that_grew_goes_on(both: tuple[SessionStore, SessionStore]) -> None:
    source, target = both
    row = await new_session(source)
    rows = await talk(source, row.id, 2)
    await copied(source, target)
    await source.append_message(message(row.id, rows[-1].id, content="more"))
    (again,) = await copied(source, target)
    assert again.added is not None
    assert (again.added.is_new, again.added.messages) == (False, 1)
    assert await target.whole_session(row.id) == await source.whole_session(row.id)


async def test_one_that_does_not_fit_keeps_no_other_from_going(
    both: tuple[SessionStore, SessionStore],
) -> None:
    source, target = both
    clash, fine = await new_session(source), await new_session(source)
    (row,) = await talk(source, clash.id, 1)
    await talk(source, fine.id, 1)
    taken = await new_session(target)
    await target.append_message(replace(row, session_id=taken.id))
    outcome = {each.session_id: each for each in await copied(source, target)}
    assert row.id in outcome[clash.id].fault
    assert outcome[fine.id].added
    assert {each.id for each in await target.list_sessions(ALL)} == {taken.id, fine.id}


async def test_a_large_session_is_shown_when_it_is_whole(
    sqlite: SqliteStore, redis_store: RedisStore, server: RedisServer
) -> None:
    row = await new_session(sqlite)
    parent: str | None = None
    for number in range(40):
        each = message(row.id, parent, content=f"{number} " + "word " * 20_000)
        await sqlite.append_message(each)
        parent = each.id
    # What a copy that was broken off left.
    whole = await sqlite.whole_session(row.id)
    from chatglass.store.redis import steps

    left = [*steps.create(row, hidden=True), *steps.append(whole.messages[0])]
    opened = redis_store._opened  # pyright: ignore[reportPrivateUsage]
    assert opened is not None
    await opened.write(row.id, left, lambda m: m.size())
    assert await redis_store.list_sessions(ALL) == []
    (outcome,) = await copied(sqlite, redis_store)
    assert outcome.added is not None
    assert (outcome.added.is_new, outcome.added.messages) == (True, 40)
    assert await redis_store.whole_session(row.id) == whole


def test_the_command_copies_and_says_what(
    server: RedisServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import asyncio

    async def fill() -> str:
        store = SqliteStore(tmp_path / "from" / "sessions.sqlite3")
        await store.open()
        row = await new_session(store)
        await talk(store, row.id, 2)
        await store.close()
        return row.id

    id_ = asyncio.run(fill())
    data = ["--data-dir", str(tmp_path / "data")]
    copy = ["store", "copy", str(tmp_path / "from"), server.url, "--json", *data]
    assert run_command(copy, whole_parser) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["new"], told["failed"], list(told["sessions"])) == (1, {}, [id_])
    back = str(tmp_path / "back.sqlite3")
    assert run_command(["store", "copy", server.url, back, *data], whole_parser) == 0
    assert "1 new" in capsys.readouterr().err
    assert run_command(["store", "copy", server.url, back, *data], whole_parser) == 0
    assert "1 unchanged" in capsys.readouterr().err
    nowhere = ["store", "copy", str(tmp_path / "none"), server.url, *data]
    assert run_command(nowhere, whole_parser) == 1
    assert "no store" in capsys.readouterr().err
    assert run_command(["store", "copy", back, back, *data], whole_parser) == 1
