"""Codex rollouts."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from chatglass.store.records import WholeSession
from chatglass.store.sqlite import SqliteStore
from transfer.imported import EVERY, branches, faults_of_lists, import_file, only_session, shown


@pytest.fixture
async def whole(store: SqliteStore, fixtures: Path) -> WholeSession:
    return await only_session(store, fixtures / "codex.jsonl")


async def test_what_was_said_is_there_and_what_the_program_added_is_no_prompt(
    whole: WholeSession,
) -> None:
    said = shown(whole)
    assert [role for role, _ in said[:2]] == ["system", "system"]
    assert said[2] == ("user", "Why does test_parse fail on Windows?")
    assert said[3] == ("assistant", "I look at the test.")
    assert said[-2:] == [("user", "Go on."), ("assistant", "Done.")]
    assert faults_of_lists(whole) == []
    assert whole.session.title == "Why does test_parse fail on Windows?"
    assert whole.session.root == "/home/ada/parser"
    assert whole.session.model == "gpt-5-codex"


async def test_a_turn_that_was_taken_back_is_a_branch(whole: WholeSession) -> None:
    assert branches(whole) == [[("user", "Say it again."), ("assistant", "Again.")]]


async def test_calls_of_one_answer_are_answered_in_order(whole: WholeSession) -> None:
    shell, patch = whole.tool_calls
    assert (shell.name, shell.state) == ("shell", "ok")
    assert (patch.name, patch.arguments) == ("apply_patch", "*** Begin Patch\n*** End Patch")
    assert '"exit_code":0' in whole.results[shell.id].produced
    answer = next(row for row in whole.messages if row.id == shell.message_id)
    assert answer.reasoning == "**Looking**"
    assert shell.message_id == patch.message_id


async def test_the_tokens_of_a_request_are_the_difference_of_two_counts(
    whole: WholeSession,
) -> None:
    used = [row.usage for row in whole.requests]
    assert [(each.prompt_tokens, each.cached_tokens, each.completion_tokens, each.reasoning_tokens)
            for each in used if each] == [
        (1000, 400, 50, 20), (1300, 1000, 40, 5), (200, 100, 5, 0), (300, 100, 10, 0),
        # The count began anew.
        (300, 0, 5, 0),
    ]  # fmt: skip
    assert all(row.cost is None for row in whole.requests)
    assert [row.message_id is not None for row in whole.requests] == [True] * 5


async def test_a_compaction_is_one_of_ours(whole: WholeSession) -> None:
    (fold,) = whole.compactions
    by_id = {row.id: row.content for row in whole.messages}
    assert (by_id[fold.anchor_id], by_id[fold.first_kept_id]) == ("There it passes.", "Go on.")
    assert fold.summary == "The parser was looked at."


async def test_the_first_versions_are_read_too(store: SqliteStore, fixtures: Path) -> None:
    report = await import_file(store, fixtures / "codex_first.jsonl")
    assert report.format == "Codex rollout"
    assert report.skipped.counts == {"state": 1}
    whole = await store.whole_session(report.sessions[0])
    assert [text for _, text in shown(whole)] == ["How much is 2 and 3?", "", "5", "It is 5."]
    assert json.loads(whole.tool_calls[0].arguments)["command"] == ["expr", "2", "+", "3"]


async def test_other_records_are_counted(store: SqliteStore, fixtures: Path) -> None:
    report = await import_file(store, fixtures / "codex.jsonl")
    assert report.skipped.counts == {"exec_command_end": 1, "web_search_call": 1}


async def test_a_file_that_grew_adds_what_is_new_at_every_line(
    store: SqliteStore, fixtures: Path, tmp_path: Path
) -> None:
    lines = (fixtures / "codex.jsonl").read_text().splitlines(keepends=True)
    file = tmp_path / "rollout.jsonl"
    for count in range(3, len(lines) + 1):
        file.write_text("".join(lines[:count]))
        assert not (await import_file(store, file)).failed
    (row,) = await store.list_sessions(EVERY)
    grown = await store.whole_session(row.id)
    fresh = SqliteStore(None)
    await fresh.open()
    at_once = await only_session(fresh, file)
    assert shown(grown) == shown(at_once)
    assert grown.session.total_tokens == at_once.session.total_tokens
    assert [call.state for call in grown.tool_calls] == ["ok", "ok"]
    await fresh.close()


async def test_a_rollout_that_ends_in_mid_answer_is_whole_once_it_is_old(
    store: SqliteStore, fixtures: Path, tmp_path: Path
) -> None:
    lines = (fixtures / "codex.jsonl").read_text().splitlines(keepends=True)
    file = tmp_path / "rollout.jsonl"
    file.write_text("".join(lines[:11]))
    whole = await only_session(store, file)
    assert whole.messages[-1].status == "partial"
    os.utime(file, (1, 1))
    assert (await import_file(store, file)).messages == 1
    again = await store.whole_session(whole.session.id)
    assert again.messages[-1].status == "complete"
