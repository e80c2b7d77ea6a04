"""A store that can't be used, or not any more: said plainly, and nothing in it is harmed."""

# ruff: noqa: ASYNC240 - nothing else waits for the event loop of a test

from __future__ import annotations

import os
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from chatglass.store.sqlite import SqliteStore
from chatglass.store.sqlite.check import check
from e2e.pty_program import PtyProgram
from store.builders import new_session, talk

Start = Callable[..., PtyProgram]


@pytest.fixture
def start(environment: dict[str, str], project: Path) -> Iterator[Start]:
    started: list[PtyProgram] = []

    def one(*flags: str, data: Path | None = None) -> PtyProgram:
        env = dict(environment)
        if data is not None:
            env["CHATGLASS_DATA_DIR"] = str(data)
        started.append(PtyProgram("--demo", *flags, cwd=project, env=env))
        return started[-1]

    yield one
    for program in started:
        program.close()


@pytest.fixture
async def file(environment: dict[str, str], project: Path) -> Path:
    """A store with a session of the project."""
    data = Path(environment["CHATGLASS_DATA_DIR"])
    data.mkdir(mode=0o700)
    store = SqliteStore(data / "sessions.sqlite3")
    await store.open()
    session = await new_session(store, root=str(project), model="demo", title="Of old")
    await talk(store, session.id, 60)
    await store.close()
    return data / "sessions.sqlite3"


def of_a_newer_version(file: Path) -> None:
    with closing(sqlite3.connect(file)) as db:
        db.execute("PRAGMA user_version = 99")


def cut(file: Path) -> None:
    os.truncate(file, file.stat().st_size // 3)


def overwritten(file: Path) -> None:
    file.write_bytes(b"This is not a database. " * 200)


def empty_beside_its_log(file: Path) -> None:
    file.with_name(file.name + "-wal").write_bytes(b"x" * 100)
    os.truncate(file, 0)


def has_said(program: PtyProgram, words: str) -> bool:
    """Wherever the terminal's edge has cut them."""
    return "".join(words.split()) in "".join(program.text.split())


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (of_a_newer_version, "newer chatglass"),
        (overwritten, "damaged or not a store"),
        (cut, "damaged or not a store"),
        (empty_beside_its_log, "it is empty, but"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_at_the_start(start: Start, file: Path, harm: Callable[[Path], None], said: str) -> None:
    harm(file)
    before = file.read_bytes()
    program = start()
    assert program.finish() == 1
    assert has_said(program, said)
    assert has_said(program, "chatglass --no-save starts without it")
    assert file.read_bytes() == before
    unsaved = start("--no-save")
    unsaved.sees("Write a message")
    unsaved.type("calculate 6*7\r")
    unsaved.sees("gives 42")
    unsaved.kill()
    assert file.read_bytes() == before


def test_a_damaged_session_is_shown_as_far_as_it_goes(start: Start, file: Path) -> None:
    with closing(sqlite3.connect(file)) as db:
        db.execute("UPDATE sessions SET parameters = '{'")
        db.commit()
    program = start("-c")
    program.sees("It is read-only.")
    program.sees("message 59")
    program.type("hello\r")
    program.sees("Nothing can be sent in this session")
    program.kill()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of two megabytes."""
    place = tmp_path / "small"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=2m,mode=700", "tmpfs", str(place)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("there is no mount here")
    if done.returncode:
        pytest.skip(f"mounting needs root: {done.stderr.strip()}")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


@pytest.mark.parametrize("has_store", [True, False])
def test_a_folder_that_can_only_be_read(start: Start, small_disk: Path, has_store: bool) -> None:
    if has_store:
        first = start(data=small_disk)
        first.sees("Write a message")
        first.type("calculate 6*7\r")
        first.sees("gives 42")
        first.kill()
    remount = ["mount", "-o", "remount,ro", str(small_disk)]
    subprocess.run(remount, check=True)
    program = start(data=small_disk)
    assert program.finish() == 2
    assert has_said(program, "Read-only file system")
    assert has_said(program, "--no-save")
    unsaved = start("--no-save", data=small_disk)
    unsaved.sees("Write a message")
    unsaved.type("calculate 6*7\r")
    unsaved.sees("gives 42")
    unsaved.kill()


def fill(place: Path) -> Path:
    filler = place / "filler"
    with filler.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"\0" * 4096)
        except OSError:
            return filler


def test_a_disk_that_is_full_in_the_middle(start: Start, small_disk: Path) -> None:
    program = start(data=small_disk)
    program.sees("Write a message")
    program.type("calculate 6*7\r")
    program.sees("gives 42")
    program.sees_no("working")
    filler = fill(small_disk)
    for number in range(20):
        # What is free in the pages that are there already goes first.
        program.sees_no("working")
        program.paste(f"calculate {number}+1")
        program.type("\r")
        ends = (f"{number}+1 gives {number + 1}", "without saving?", "may not be saved")
        program.until(lambda ends=ends: any(each in program.text for each in ends), "an end")
        if "without saving?" in program.text:
            break
    program.sees("Go on without saving?")
    program.sees("disk is full")
    program.type("y")
    program.sees("not saved")
    program.type("\r")
    program.sees(f"calculate {number}+1 gives {number + 1}")
    before = check(small_disk / "sessions.sqlite3")
    assert before.faults == []
    filler.unlink()
    program.sees_no("working")
    program.type("\x04")
    assert program.finish() == 0
    after = check(small_disk / "sessions.sqlite3")
    assert after.faults == []
    # There was room again at the end.
    assert after.counts["messages"] > before.counts["messages"]
