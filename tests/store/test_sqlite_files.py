"""The file: private, never overwritten, and every refusal in words."""

# ruff: noqa: ASYNC240 - nothing else waits for the event loop of a test

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
import stat
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from chatglass.store.protocol import StoreError
from chatglass.store.records import ToolResult
from chatglass.store.sqlite import SqliteStore
from chatglass.store.sqlite.errors import explain
from chatglass.store.sqlite.files import make_private
from chatglass.store.sqlite.schema import APPLICATION_ID, MIGRATIONS
from store.builders import ALL, message, new_session, talk, tool_call, whole_session

NEWER = MIGRATIONS[-1].version + 1


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "data" / "deep" / "sessions.sqlite3"


async def fill(file: Path, sessions: int = 1) -> None:
    store = SqliteStore(file)
    await store.open()
    for _ in range(sessions):
        await whole_session(store)
    await store.close()


async def refusal(file: Path) -> str:
    """What opening it says; nothing beside it may have changed."""
    before = contents(file.parent)
    store = SqliteStore(file)
    with pytest.raises(StoreError) as caught:
        await store.open()
    assert contents(file.parent) == before
    return str(caught.value)


def contents(folder: Path) -> dict[str, bytes]:
    return {each.name: each.read_bytes() for each in folder.iterdir() if each.is_file()}


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


async def test_files_are_for_their_owner_alone(file: Path) -> None:
    umask = os.umask(0)
    try:
        store = SqliteStore(file)
        await store.open()
        await whole_session(store)
    finally:
        os.umask(umask)
    names = {each.name: mode(each) for each in file.parent.iterdir()}
    assert names == {
        "sessions.sqlite3": 0o600,
        "sessions.sqlite3-wal": 0o600,
        "sessions.sqlite3-shm": 0o600,
    }
    assert mode(file.parent) == 0o700
    await store.close()
    assert [each.name for each in file.parent.iterdir()] == ["sessions.sqlite3"]


def test_the_file_is_private_from_the_first_moment(file: Path) -> None:
    make_private(file)
    assert mode(file) == 0o600
    assert mode(file.parent) == mode(file.parent.parent) == 0o700


async def test_rights_of_others_are_taken_away(file: Path) -> None:
    await fill(file)
    file.chmod(0o664)
    store = SqliteStore(file)
    await store.open()
    assert mode(file) == 0o600
    await store.close()


async def test_what_was_kept_is_there_again(file: Path) -> None:
    await fill(file, sessions=2)
    store = SqliteStore(file)
    await store.open()
    first, second = await store.list_sessions(ALL)
    assert len(await store.path(first.id, first.leaf_id)) == 2
    assert await store.search("message 1")
    assert second.messages == 2
    await store.close()


async def test_it_is_durable_and_checks_references(file: Path) -> None:
    store = SqliteStore(file)
    await store.open()

    def pragmas(db: sqlite3.Connection) -> list[object]:
        names = ("journal_mode", "synchronous", "foreign_keys", "application_id", "user_version")
        return [db.execute(f"PRAGMA {name}").fetchone()[0] for name in names]

    assert await store._db.write(pragmas) == ["wal", 2, 1, APPLICATION_ID, MIGRATIONS[-1].version]
    await store.close()


async def test_in_memory_nothing_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in (None, ":memory:"):
        store = SqliteStore(name)
        await store.open()
        await whole_session(store)
        await store.close()
        assert "memory" in store.location
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["a store?#%20.db", "ünï code.sqlite3"])
async def test_any_file_name_will_do(tmp_path: Path, name: str) -> None:
    await fill(tmp_path / name)
    assert [each.name for each in tmp_path.iterdir()] == [name]
    assert SqliteStore(tmp_path / name).location == str(tmp_path / name)


class TestDamage:
    async def test_not_a_database(self, file: Path) -> None:
        file.parent.mkdir(parents=True)
        file.write_text("dear diary\n" * 50)
        said = await refusal(file)
        assert str(file) in said
        assert "does not begin as an SQLite database" in said
        assert "Move it away" in said

    async def test_cut_short(self, file: Path) -> None:
        await fill(file, sessions=30)
        whole = file.read_bytes()
        for size in (50, 4096, len(whole) // 2 // 4096 * 4096):
            file.write_bytes(whole[:size])
            said = await refusal(file)
            assert str(file) in said
            assert "damaged" in said

    async def test_overwritten_header(self, file: Path) -> None:
        await fill(file)
        whole = file.read_bytes()
        file.write_bytes(whole[:16] + b"\xff" * 4080 + whole[4096:])
        assert str(file) in await refusal(file)

    async def test_overwritten_pages_are_said_when_read(self, file: Path) -> None:
        await fill(file, sessions=30)
        whole = file.read_bytes()
        file.write_bytes(whole[:4096] + b"\xa5" * (len(whole) - 4096))
        store = SqliteStore(file)

        async def use() -> None:
            await store.open()
            await store.list_sessions(ALL)

        with pytest.raises(StoreError, match=f"{file}.*damaged"):
            await use()
        await store.close()
        assert file.read_bytes()[4096:] == b"\xa5" * (len(whole) - 4096)

    async def test_a_backup_is_named(self, file: Path) -> None:
        await fill(file)
        file.write_text("x" * 200)
        (file.parent / "sessions.sqlite3.bak-v1").touch()
        assert "sessions.sqlite3.bak-v1" in await refusal(file)

    async def test_a_log_without_its_file_is_kept(self, file: Path) -> None:
        file.parent.mkdir(parents=True)
        file.with_name(file.name + "-wal").write_bytes(b"x" * 5000)
        assert "sessions.sqlite3-wal" in await refusal(file)
        file.touch()
        assert "sessions.sqlite3-wal" in await refusal(file)

    async def test_an_empty_file_becomes_a_store(self, file: Path) -> None:
        file.parent.mkdir(parents=True)
        file.touch(0o644)
        await fill(file)
        assert mode(file) == 0o600


class TestForeign:
    @pytest.mark.parametrize("application", [0, 0x1234])
    async def test_a_database_of_another_program(self, file: Path, application: int) -> None:
        file.parent.mkdir(parents=True)
        with sqlite3.connect(file) as other:
            other.execute("CREATE TABLE recipes (name)")
            other.execute(f"PRAGMA application_id = {application}")
        other.close()
        assert "another program" in await refusal(file)

    @pytest.mark.parametrize("in_the_log", [False, True])
    async def test_a_newer_store(self, file: Path, tmp_path: Path, in_the_log: bool) -> None:
        await fill(file)
        newer = sqlite3.connect(file)
        newer.execute(f"PRAGMA user_version = {NEWER}")
        newer.commit()
        if in_the_log:
            # As a killed process leaves it: the version stands only in the -wal.
            shutil.copytree(file.parent, tmp_path / "left")
            newer.close()
            left = tmp_path / "left" / file.name
            (tmp_path / "left" / (file.name + "-shm")).unlink()
            store = SqliteStore(left)
            before = left.read_bytes()
            with pytest.raises(StoreError, match=rf"newer chatglass \(version {NEWER}"):
                await store.open()
            assert left.read_bytes() == before
            assert left.with_name(file.name + "-wal").stat().st_size
            return
        newer.close()
        said = await refusal(file)
        assert f"version {NEWER} of the store; this one knows up to {NEWER - 1}" in said
        assert "Update chatglass" in said


AS_NOBODY = """
    import asyncio, os, sys
    from pathlib import Path
    from chatglass.store.protocol import StoreError
    from chatglass.store.sqlite import SqliteStore
    from chatglass.store.sqlite.store import SessionRow
    import concurrent.futures.thread, encodings.idna  # before the rights to read them are gone

    async def main(file):
        store = SqliteStore(file)
        try:
            await store.open()
        except StoreError as error:
            print(error)

    if os.getuid() == 0:
        os.setgid(65534)
        os.setuid(65534)
    asyncio.run(main(Path(sys.argv[1])))
"""


class TestUnusable:
    """As a user without rights, since root may do anything."""

    @pytest.fixture
    def open_to_all(self, tmp_path: Path) -> Path:
        for each in (tmp_path, *tmp_path.parents):
            if not each.stat().st_mode & 0o001 and each.owner() == Path("/proc/self").owner():
                each.chmod(0o755)
        return tmp_path

    def said(self, file: Path) -> str:
        done = subprocess.run(
            [sys.executable, "-c", textwrap.dedent(AS_NOBODY), str(file)],
            capture_output=True, text=True, timeout=30, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    def test_a_folder_that_can_not_be_made(self, open_to_all: Path) -> None:
        open_to_all.chmod(0o555)
        said = self.said(open_to_all / "data" / "s.sqlite3")
        assert f"{open_to_all}/data: can't be used (Permission denied)" in said
        assert "--data-dir" in said

    async def test_a_file_that_can_not_be_read(self, open_to_all: Path) -> None:
        file = open_to_all / "s.sqlite3"
        await fill(file)
        file.chmod(0o000)
        assert f"{file}: can't be used" in self.said(file)

    async def test_a_file_that_can_not_be_written(self, open_to_all: Path) -> None:
        file = open_to_all / "s.sqlite3"
        await fill(file)
        file.chmod(0o444)
        before = file.read_bytes()
        said = self.said(file)
        assert f"{file}: can't be opened for writing" in said
        assert "--data-dir" in said
        assert file.read_bytes() == before

    async def test_a_path_through_a_file(self, tmp_path: Path) -> None:
        (tmp_path / "data").touch()
        store = SqliteStore(tmp_path / "data" / "s.sqlite3")
        with pytest.raises(StoreError, match=r"data.*can't be used"):
            await store.open()

    async def test_a_folder_in_place_of_the_file(self, tmp_path: Path) -> None:
        store = SqliteStore(tmp_path)
        with pytest.raises(StoreError, match=r"can't be used \(Is a directory\)"):
            await store.open()


def test_a_disk_without_room_for_the_index_of_the_log_is_full(file: Path) -> None:
    error = sqlite3.OperationalError("disk I/O error")
    error.sqlite_errorcode, error.sqlite_errorname = 4874, "SQLITE_IOERR_SHMSIZE"
    assert "the disk is full" in str(explain(error, file))


async def test_a_full_disk(file: Path) -> None:
    """SQLite's own limit of pages gives the same error as a full disk."""
    store = SqliteStore(file)
    await store.open()
    row = await new_session(store)
    (first,) = await talk(store, row.id, 1)
    call = tool_call(row.id)
    await store.add_tool_calls([call])

    def limit(db: sqlite3.Connection, pages: int) -> None:
        db.execute(f"PRAGMA max_page_count = {pages}")

    pages = await store._db.read(lambda db: db.execute("PRAGMA page_count").fetchone()[0])
    await store._db.write(limit, pages + 4)
    large = ToolResult("x" * 1_000_000, "")
    outcomes = await asyncio.gather(
        store.set_draft(row.id, "small, before"),
        store.update_tool_call(call, large),
        store.append_message(message(row.id, first.id, content="small, after")),
        return_exceptions=True,
    )
    assert outcomes[0] is None
    assert isinstance(outcomes[1], StoreError)
    assert str(file) in str(outcomes[1])
    assert "the disk is full" in str(outcomes[1])
    assert outcomes[2] is None
    assert await store.tool_result(call.id) is None
    after = await store.get_session(row.id)
    assert (after.draft, after.messages) == ("small, before", 2)

    await store._db.write(limit, 1_000_000)
    await store.update_tool_call(call, large)
    assert await store.tool_result(call.id) == large
    await store.close()
