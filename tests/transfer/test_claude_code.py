"""Claude Code's sessions."""

from __future__ import annotations

import json
import os
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from chatglass.store.records import WholeSession
from chatglass.store.sqlite import SqliteStore
from transfer.imported import EVERY, branches, faults_of_lists, import_file, only_session, shown


@pytest.fixture
async def whole(store: SqliteStore, fixtures: Path) -> WholeSession:
    return await only_session(store, fixtures / "claude_code.jsonl")


def lines_of(path: Path) -> list[str]:
    return path.read_text().splitlines(keepends=True)


async def test_the_lines_of_one_answer_are_one_message_with_its_results(
    whole: WholeSession,
) -> None:
    answer = whole.messages[2]
    assert answer.content == "I look at both files."
    assert answer.reasoning == "The test reads bytes."
    assert [call["id"] for call in json.loads(answer.tool_calls or "")] == ["toolu_1", "toolu_2"]
    first, second = whole.messages[3:5]
    assert (first.role, first.tool_call_id, first.parent_id) == ("tool", "toolu_1", answer.id)
    assert (second.tool_call_id, second.parent_id) == ("toolu_2", first.id)
    assert second.content == "no such file"
    assert faults_of_lists(whole) == ["message 11: an assistant message with nothing in it"]


async def test_calls_have_their_outcome(whole: WholeSession) -> None:
    read, log, edit = whole.tool_calls
    assert (read.name, read.state, read.server) == ("Read", "ok", "")
    assert json.loads(read.arguments) == {"file_path": "/home/ada/parser/tests/test_parse.py"}
    assert (log.state, log.server, edit.state) == ("error", "git", "denied")
    assert whole.results[read.id].produced == "     1\tdef test_parse():"
    assert read.request_id == whole.requests[0].id
    # When the call began to run is not in the file; how long it took is not made up.
    assert (read.finished_at, read.duration_ms) == (1777885206000, None)


async def test_usage_counts_once_a_request(whole: WholeSession) -> None:
    assert len(whole.requests) == 6
    first = whole.requests[0]
    assert first.usage is not None
    assert (first.usage.prompt_tokens, first.usage.completion_tokens) == (1012, 140)
    assert (first.usage.cached_tokens, first.usage.cache_write_tokens) == (800, 200)
    assert json.loads(first.usage.raw or "")["output_tokens"] == 140
    assert whole.session.total_tokens == sum(
        row.usage.total_tokens for row in whole.requests if row.usage
    )
    assert (first.cost, first.price_source) == (None, "unknown")
    assert whole.session.unpriced_requests == 6
    assert (first.finish_reason, first.model) == ("tool_use", "claude-sonnet-4-5")


async def test_the_shown_path_is_the_last_one_and_the_others_are_branches(
    whole: WholeSession,
) -> None:
    said = shown(whole)
    assert said[1] == ("user", "Why does test_parse fail on Windows?")
    assert said[-1] == ("assistant", "Mended.")
    assert ("user", "And on macOS?") not in said
    assert branches(whole) == [
        [("user", "And on macOS?"), ("assistant", "There it passes.")],
        [("user", "Look for other tests."), ("assistant", "There are none.")],
    ]


async def test_what_the_program_told_the_model_is_no_prompt(whole: WholeSession) -> None:
    assert whole.messages[0].role == "system"
    assert whole.messages[0].content.startswith("Caveat")
    assert whole.session.excerpt == "Why does test_parse fail on Windows?"


async def test_title_times_and_folder_are_kept(whole: WholeSession) -> None:
    row = whole.session
    assert (row.title, row.root) == ("Newlines in test_parse", "/home/ada/parser")
    assert (row.created_at, row.updated_at) == (1777885200000, 1777885252000)
    assert (row.endpoint, row.model) == ("Claude Code", "claude-sonnet-4-5")


async def test_a_compaction_is_one_of_ours(whole: WholeSession) -> None:
    (fold,) = whole.compactions
    by_id = {row.id: row for row in whole.messages}
    assert by_id[fold.anchor_id].content == "[Request interrupted by user for tool use]"
    assert by_id[fold.first_kept_id].content == "Go on."
    assert fold.summary.startswith("This session goes on")
    assert fold.tokens_before == 15000
    assert not any(row.content.startswith("This session goes on") for row in whole.messages)


async def test_an_error_of_the_api_is_no_answer(whole: WholeSession) -> None:
    (failed,) = [row for row in whole.messages if row.status == "error"]
    assert (failed.content, failed.error) == ("", "API Error: 529 Overloaded")


async def test_an_image_goes_with_its_prompt(whole: WholeSession) -> None:
    (row,) = [row for row in whole.messages if row.content_is_json]
    text, image = json.loads(row.content)
    assert text["text"] == "Then mend it."
    assert image["image_url"]["url"] == "data:image/png;base64,iVBORw0KGgo="


async def test_other_lines_are_counted(store: SqliteStore, fixtures: Path) -> None:
    report = await import_file(store, fixtures / "claude_code.jsonl")
    assert report.format == "Claude Code session"
    assert report.skipped.counts == {
        "file-history-snapshot": 1, "queue-operation": 1, "progress": 1, "last-prompt": 1,
        "system turn_duration": 1,
    }  # fmt: skip


async def test_a_file_that_grew_adds_what_is_new_at_every_line(
    store: SqliteStore, fixtures: Path, tmp_path: Path
) -> None:
    lines = lines_of(fixtures / "claude_code.jsonl")
    file = tmp_path / "growing.jsonl"
    for count in range(3, len(lines) + 1):
        file.write_text("".join(lines[:count]))
        report = await import_file(store, file)
        assert not report.failed
        assert report.new + report.grown + report.unchanged == 1
    (row,) = await store.list_sessions(EVERY)
    grown = await store.whole_session(row.id)
    fresh = SqliteStore(None)
    await fresh.open()
    at_once = await only_session(fresh, file)
    assert {each.id for each in at_once.messages} <= {each.id for each in grown.messages}
    assert shown(grown) == shown(at_once)
    assert grown.session.total_tokens == at_once.session.total_tokens
    await fresh.close()


def line(uuid: str, parent: str | None, **fields: Any) -> str:
    made = {"type": "user", "uuid": uuid, "parentUuid": parent, "sessionId": "s",
            "timestamp": "2026-05-04T09:00:00Z", "message": {"role": "user", "content": uuid}}  # fmt: skip
    return json.dumps(made | fields) + "\n"


def answer(uuid: str, parent: str | None, **fields: Any) -> str:
    message = {"id": uuid, "role": "assistant", "model": "m", "content": [{"type": "text", "text": uuid}],
               "usage": {"input_tokens": 1, "output_tokens": 2}}  # fmt: skip
    return line(uuid, parent, type="assistant", message=message, **fields)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (line("a", "b") + line("b", "a"), {"a", "b"}),
        (line("a", "gone") + line("b", "a"), {"a", "b"}),
        (line("b", "a") + line("a", None), {"a", "b"}),
        (line("a", None) + line("a", None) + line("b", "a"), {"a", "b"}),
        (line("a", "a"), {"a"}),
    ],
    ids=["ring", "parent missing", "out of order", "repeated", "its own parent"],
)
async def test_links_that_are_wrong_lose_no_message(
    store: SqliteStore, tmp_path: Path, text: str, said: set[str]
) -> None:
    file = tmp_path / "s.jsonl"
    file.write_text(text)
    whole = await only_session(store, file)
    assert {row.content for row in whole.messages} == said


async def test_a_subagent_of_its_own_file_is_a_session_of_its_own(
    store: SqliteStore, tmp_path: Path
) -> None:
    main, agent = tmp_path / "s.jsonl", tmp_path / "agent-x.jsonl"
    main.write_text(line("a", None))
    agent.write_text(line("b", None, isSidechain=True, agentId="x"))
    first, second = await only_session(store, main), await only_session(store, agent)
    assert first.session.id != second.session.id
    assert second.messages[0].content == "b"


async def test_a_cost_that_the_file_says_is_kept(store: SqliteStore, tmp_path: Path) -> None:
    file = tmp_path / "s.jsonl"
    file.write_text(line("a", None) + answer("b", "a", costUSD=0.0123, durationMs=2000))
    # Files of that age never say why an answer stopped; it is whole if nobody writes any more.
    os.utime(file, (1, 1))
    whole = await only_session(store, file)
    (request,) = whole.requests
    assert (request.cost, request.price_source) == (Decimal("0.0123"), "Claude Code")
    assert whole.messages[-1].status == "complete"


def call(uuid: str, parent: str | None, call_id: str) -> str:
    message = {"id": "m1", "role": "assistant", "model": "m", "stop_reason": "tool_use",
               "content": [{"type": "tool_use", "id": call_id, "name": "f", "input": {}}]}  # fmt: skip
    return line(uuid, parent, type="assistant", message=message)


def result(uuid: str, parent: str | None, call_id: str) -> str:
    blocks = [{"type": "tool_result", "tool_use_id": call_id, "content": f"of {call_id}"}]
    return line(uuid, parent, message={"role": "user", "content": blocks})


async def test_what_follows_a_result_follows_its_call(store: SqliteStore, tmp_path: Path) -> None:
    file = tmp_path / "s.jsonl"
    # Nothing says that the line of a result hangs on its call.
    file.write_text(
        line("a", None) + call("b", "a", "c1") + result("r", "gone", "c1") + line("d", "r")
    )
    whole = await only_session(store, file)
    assert [text for _, text in shown(whole)] == ["a", "", "of c1", "d"]


async def test_a_result_waits_for_those_before_it(store: SqliteStore, tmp_path: Path) -> None:
    file = tmp_path / "s.jsonl"
    calls = line("a", None) + call("b", "a", "c1") + call("c", "b", "c2")
    file.write_text(calls + result("r2", "c", "c2"))
    assert [text for _, text in shown(await only_session(store, file))] == ["a", ""]
    file.write_text(calls + result("r2", "c", "c2") + result("r1", "b", "c1"))
    whole = await only_session(store, file)
    assert [text for _, text in shown(whole)] == ["a", "", "of c1", "of c2"]
    assert faults_of_lists(whole) == []
    assert {row.state for row in whole.tool_calls} == {"ok"}
