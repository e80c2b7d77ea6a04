"""`chatglass sessions`."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from chatglass.chat.forking import fork_session
from chatglass.store import holders
from chatglass.store.sqlite import SqliteStore
from commands.conftest import Run
from store.builders import answer, message, new_session


def test_the_list_is_for_people_and_for_programs(run: Run, ids: list[str]) -> None:
    listed = run("sessions", "list")
    assert listed.code == 0
    first, second = listed.out.splitlines()
    assert first.startswith(ids[1])
    assert first.endswith("*Primes below 100")
    assert "claude-sonnet-4-5" in second
    assert " — " in second
    rows = run("sessions", "list", "--json").json()
    assert [row["id"] for row in rows] == ids[::-1]
    assert rows[1]["title"] == "Newlines in test_parse"
    assert (rows[1]["cost_usd"], rows[1]["unpriced_requests"]) == ("0", 6)
    assert len(run("sessions", "list", "--json", "--limit", 1).json()) == 1
    assert run("sessions", "list", "--json", "--here").json() == [rows[0]]


def test_without_a_word_they_are_listed(run: Run, ids: list[str]) -> None:
    listed = run("sessions", "list")
    assert run("sessions").out == listed.out
    assert [row["id"] for row in run("sessions", "--json").json()] == ids[::-1]
    assert "rename" in run("sessions", "--help").out
    assert run("sessions", "lst").code == 2


def test_a_fork_names_its_origin(run: Run, ids: list[str], data: Path) -> None:
    async def fork() -> str:
        store = SqliteStore(data / "sessions.sqlite3")
        await store.open()
        try:
            leaf_id = (await store.get_session(ids[1])).leaf_id
            assert leaf_id is not None
            return (await fork_session(store, ids[1], leaf_id)).session.id
        finally:
            await store.close()

    fork_id = asyncio.run(fork())
    shown = run("sessions", "show", fork_id).out
    assert shown.startswith("# Primes below 100 (fork)\n")
    assert f"- Forked from: session {ids[1]} at message " in shown
    row = run("sessions", "show", fork_id, "--json").json()
    assert row["forked_from"][0] == ids[1]
    assert row["cost_usd"] == "0"
    assert row["path"][2]["tool_calls"][0]["result"] == "25"


def test_search_finds_messages_tools_and_titles(run: Run, ids: list[str]) -> None:
    hits = run("sessions", "search", "text", "mode", "--json").json()
    assert [(hit["session_id"], hit["kind"]) for hit in hits] == [(ids[0], "message")]
    assert "text mode" in hits[0]["line"]
    assert ids[1] in run("sessions", "search", "primes(100)").out
    nothing = run("sessions", "search", "nowhere to be found")
    assert (nothing.code, nothing.out) == (0, "")


def test_a_session_is_shown_by_the_end_of_its_id(run: Run, ids: list[str]) -> None:
    shown = run("sessions", "show", ids[1][-6:])
    assert shown.out.startswith("# Primes below 100\n")
    assert "There are **25**." in shown.out
    path = run("sessions", "show", ids[1], "--json").json()["path"]
    assert [each["role"] for each in path][:3] == ["system", "user", "assistant"]
    assert path[2]["tool_calls"][0]["result"] == "25"


def test_renaming(run: Run, ids: list[str]) -> None:
    assert run("sessions", "rename", ids[0], "Anders").code == 0
    assert run("sessions", "show", ids[0], "--json").json()["title"] == "Anders"


def test_deleting_takes_all_or_none(run: Run, ids: list[str]) -> None:
    failed = run("sessions", "rm", ids[0], "nobody")
    assert failed.code == 1
    assert "'nobody'" in failed.err
    assert len(run("sessions", "list", "--json").json()) == 2
    assert run("sessions", "rm", *ids, ids[0], "--json").json() == {"deleted": ids}
    assert run("sessions", "list", "--json").json() == []


@pytest.mark.parametrize(
    "arguments",
    [
        ("sessions", "lst"), ("sessions", "show"), ("sessions", "list", "--limit", "0"),
        ("export",), ("export", "x", "--all"), ("export", "--all", "--format", "pdf"), ("import",),
        ("store", "backup"), ("sessions", "list", "--colour"),
    ],
)  # fmt: skip
def test_wrong_usage_exits_with_2_and_names_the_help(run: Run, arguments: tuple[str, ...]) -> None:
    ran = run(*arguments)
    assert (ran.code, ran.out) == (2, "")
    assert "chatglass" in ran.err


def test_the_nearest_word_is_named(run: Run) -> None:
    assert "Did you mean list?" in run("sessions", "lst").err
    assert "Did you mean sessions?" in run("sesions").err
    assert "Did you mean --limit?" in run("sessions", "list", "--limt").err


@pytest.mark.parametrize(
    "arguments",
    [("sessions", "list"), ("export", "--all"), ("store", "check"), ("store", "backup", "x")],
)
def test_without_a_store_none_is_made(run: Run, data: Path, arguments: tuple[str, ...]) -> None:
    ran = run(*arguments)
    assert ran.code == 1
    assert str(data) in ran.err
    assert not data.exists()


def test_a_data_folder_that_cant_be_is_a_matter_of_usage(run: Run, fixtures: Path) -> None:
    ran = run("import", fixtures / "openai.jsonl", "--data-dir", "/dev/null/x")
    assert ran.code == 2
    assert "/dev/null/x" in ran.err


async def test_a_session_that_is_open_elsewhere_is_not_deleted(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from argparse import Namespace

    from chatglass.commands.sessions import run_sessions
    from chatglass.store.protocol import StoreError

    store = SqliteStore(data / "sessions.sqlite3")
    await store.open()
    row = await new_session(store)
    first = message(row.id)
    await store.append_message(first)
    await store.append_message(answer(row.id, first.id))
    await store.claim(row.id)
    # To the command this is another process.
    monkeypatch.setattr(holders, "is_same_process", lambda one, other: False)
    found = Namespace(action="rm", ids=[row.id], yes=True, json=False, data_dir=str(data))
    with pytest.raises(StoreError, match="is open in another chatglass"):
        await run_sessions(found)
    assert await store.get_session(row.id)
    await store.close()
