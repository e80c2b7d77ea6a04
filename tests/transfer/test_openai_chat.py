"""OpenAI's chat JSONL, read and written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from chatglass.chat.messages import violations
from chatglass.store.sqlite import SqliteStore
from store.builders import answer, message, new_session
from transfer.imported import exported, faults_of_lists, import_file, shown


async def test_the_conversations_of_a_file(store: SqliteStore, fixtures: Path) -> None:
    report = await import_file(store, fixtures / "openai.jsonl")
    assert report.skipped.counts == {"tool message without a call": 1, "line without messages": 1}
    first, second = [await store.whole_session(id_) for id_ in report.sessions]
    assert first.session.parameters.system_prompt == "Be brief."
    assert (first.session.model, first.session.title) == ("gpt-5-mini", "How much is 2 and 3?")
    assert shown(first) == [
        ("user", "How much is 2 and 3?"), ("assistant", ""), ("tool", "5"), ("assistant", "It is 5."),
    ]  # fmt: skip
    (call,) = first.tool_calls
    assert (call.call_id, call.state) == ("c1", "ok")
    assert json.loads(second.messages[0].content)[1]["image_url"]["url"].endswith("cat.png")
    assert shown(second)[1] == ("assistant", "A cat.")
    assert not faults_of_lists(first) + faults_of_lists(second)


async def test_the_same_again_adds_nothing(store: SqliteStore, fixtures: Path) -> None:
    await import_file(store, fixtures / "openai.jsonl")
    report = await import_file(store, fixtures / "openai.jsonl")
    assert (report.unchanged, report.sessions) == (2, [])


async def test_what_is_exported_is_read_as_the_same(
    store: SqliteStore, fixtures: Path, tmp_path: Path
) -> None:
    await import_file(store, fixtures / "openai.jsonl")
    file = tmp_path / "again.jsonl"
    file.write_text(await exported(store, "openai"))
    given = [json.loads(line) for line in file.read_text().splitlines()]
    assert {len(each["messages"]) for each in given} == {5, 2}
    assert all(not violations(each["messages"]) for each in given)
    report = await import_file(store, file)
    assert report.new + report.unchanged == 2
    again = await store.whole_session(report.sessions[-1])
    assert not faults_of_lists(again)


async def test_only_the_shown_path_is_exported_and_it_is_valid(store: SqliteStore) -> None:
    row = await new_session(store)
    first = message(row.id)
    calls = '[{"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}]'
    left = answer(row.id, first.id, content="left")
    shown_answer = answer(row.id, first.id, content="", tool_calls=calls)
    for each in (first, left, shown_answer):
        await store.append_message(each)
    (line,) = (await exported(store, "openai")).splitlines()
    messages = json.loads(line)["messages"]
    assert [each["role"] for each in messages] == ["user", "assistant", "tool"]
    assert not violations(messages)


@pytest.mark.parametrize(
    "document",
    [
        {"messages": [{"role": "user", "content": "Why?"}]},
        [{"messages": [{"role": "user", "content": "Why?"}]}],
        [{"role": "user", "content": "Why?"}, {"role": "assistant", "content": "Since …"}],
    ],
    ids=["object", "array", "messages"],
)
async def test_a_document_of_several_lines_is_read_too(
    store: SqliteStore, tmp_path: Path, document: Any
) -> None:
    file = tmp_path / "chat.json"
    file.write_text(json.dumps(document, indent=2))
    report = await import_file(store, file)
    whole = await store.whole_session(report.sessions[0])
    assert shown(whole)[0] == ("user", "Why?")


@pytest.mark.parametrize(
    "messages",
    [
        [{"role": "wizard", "content": "x"}, {"role": "user", "content": "Why?"}],
        [{"role": "user", "content": None}, {"role": "user", "content": ["Why?"]}],
        [{"role": "assistant", "tool_calls": [{"id": 5, "function": {"name": "f"}}, None]}],
        [{"role": "assistant", "content": "", "function_call": {"name": "f", "arguments": "{"}},
         {"role": "function", "name": "f", "content": "r"}],
        [{"role": "tool", "tool_call_id": "x", "content": "r"}, {"role": "user", "content": "\ud800"}],
        [{"role": "assistant", "content": "a", "tool_calls": [
            {"id": "x", "function": {"name": "f", "arguments": "1"}},
            {"id": "x", "function": {"name": "g", "arguments": "2"}}]},
         {"role": "tool", "tool_call_id": "x", "content": "1"},
         {"role": "tool", "tool_call_id": "x", "content": "2"}],
    ],
    ids=["role", "content", "call", "function", "orphan", "same id"],
)  # fmt: skip
async def test_odd_messages_become_lists_that_can_be_sent(
    store: SqliteStore, tmp_path: Path, messages: list[dict[str, Any]]
) -> None:
    file = tmp_path / "odd.jsonl"
    file.write_text(json.dumps({"messages": messages}) + "\n")
    report = await import_file(store, file)
    assert not report.failed
    for id_ in report.sessions:
        faults_of_lists(await store.whole_session(id_))
