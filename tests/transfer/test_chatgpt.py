"""ChatGPT's data export."""

from __future__ import annotations

import copy
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from chatglass.store.records import WholeSession
from chatglass.store.sqlite import SqliteStore
from transfer.imported import branches, faults_of_lists, import_file, only_session, shown


@pytest.fixture
async def whole(store: SqliteStore, fixtures: Path) -> WholeSession:
    return await only_session(store, fixtures / "chatgpt.json")


async def test_the_current_node_is_the_end_of_the_shown_path(whole: WholeSession) -> None:
    assert shown(whole) == [
        ("system", "I am Ada.\n\nBe brief."),
        ("user", "[image]\nHow many primes are below 100?"),
        ("assistant", ""),
        ("tool", "25"),
        ("assistant", "There are **25**."),
        ("user", "Thanks"),
        ("assistant", "You are wel"),
    ]
    assert faults_of_lists(whole) == []


async def test_every_other_answer_is_a_branch(whole: WholeSession) -> None:
    assert branches(whole) == [[("assistant", "25 of them.")]]
    (other,) = [row for row in whole.messages if row.content == "25 of them."]
    assert other.model == "gpt-4o"


async def test_a_tool_call_has_its_result_and_thoughts_their_answer(whole: WholeSession) -> None:
    (call,) = whole.tool_calls
    assert (call.name, call.arguments, call.state) == ("python", "len(primes(100))", "ok")
    answer = next(row for row in whole.messages if row.id == call.message_id)
    assert answer.reasoning == "Counting\n\nI count them."
    (cut,) = [row for row in whole.messages if row.status == "interrupted"]
    assert cut.content == "You are wel"


async def test_title_times_and_marks_are_kept_and_no_cost_is_made_up(whole: WholeSession) -> None:
    row = whole.session
    assert (row.title, row.model, row.pinned) == ("Primes below 100", "gpt-5", True)
    assert (row.created_at, row.updated_at) == (1777885200250, 1777885260250)
    assert whole.messages[1].created_at == 1777885201250
    assert (row.requests, row.total_tokens) == (0, 0)


async def test_what_is_left_out_is_counted(store: SqliteStore, fixtures: Path) -> None:
    report = await import_file(store, fixtures / "chatgpt.json")
    assert report.skipped.counts == {
        "image": 1, "content of type hologram": 1, "conversation without messages": 1,
    }  # fmt: skip


def zipped(path: Path, **files: str) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return path


async def test_the_zip_is_the_same_as_its_file(
    store: SqliteStore, fixtures: Path, tmp_path: Path
) -> None:
    text = (fixtures / "chatgpt.json").read_text()
    names = {"export/conversations.json": text, "export/user.json": "{}", "chat.html": "<html>"}
    await only_session(store, zipped(tmp_path / "export.zip", **names))
    report = await import_file(store, fixtures / "chatgpt.json")
    assert (report.unchanged, report.sessions) == (1, [])
    numbered = zipped(tmp_path / "new.zip", **{"conversations-000.json": text})
    assert (await import_file(store, numbered)).unchanged == 1


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"notes.txt": "x"}, "no conversations.json"),
        ({"conversations.json": "[{"}, "no JSON"),
    ],
)
async def test_a_zip_that_is_no_export_is_refused(
    store: SqliteStore, tmp_path: Path, files: dict[str, str], said: str
) -> None:
    assert said in (await import_file(store, zipped(tmp_path / "x.zip", **files))).fault


async def test_a_broken_zip_is_refused(store: SqliteStore, tmp_path: Path) -> None:
    whole = zipped(tmp_path / "x.zip", **{"conversations.json": "[]"}).read_bytes()
    (tmp_path / "half.zip").write_bytes(whole[: len(whole) // 2])
    assert "can't be unpacked" in (await import_file(store, tmp_path / "half.zip")).fault


async def test_a_conversation_that_grew_goes_on(
    store: SqliteStore, fixtures: Path, tmp_path: Path
) -> None:
    found: list[dict[str, Any]] = json.loads((fixtures / "chatgpt.json").read_text())
    first = copy.deepcopy(found)
    for id_ in ("q2", "a2"):
        del first[0]["mapping"][id_]
    first[0]["mapping"]["a1"]["children"] = []
    first[0]["current_node"] = "a1"
    file = tmp_path / "conversations.json"
    file.write_text(json.dumps(first))
    before = await only_session(store, file)
    file.write_text(json.dumps(found))
    report = await import_file(store, file)
    assert (report.grown, report.messages) == (1, 2)
    after = await store.whole_session(before.session.id)
    assert shown(after)[-1] == ("assistant", "You are wel")


@pytest.mark.parametrize(
    "change",
    [
        lambda nodes: nodes["q1"].update(parent="a1"),
        lambda nodes: nodes["ctx"].update(children=["q1", "q1", "gone", 5]),
        lambda nodes: nodes["q1"].update(children=[]),
        lambda nodes: nodes["q1"].update(message="text"),
        lambda nodes: nodes.update(odd=None),
        lambda nodes: nodes["root"].update(parent="gone"),
        lambda nodes: nodes["a1"]["message"].update(create_time="yesterday", author=None),
    ],
    ids=["ring", "odd children", "no children", "no message", "no node", "parent", "odd fields"],
)
async def test_a_tree_that_is_wrong_is_read_as_far_as_it_goes(
    store: SqliteStore, fixtures: Path, tmp_path: Path, change: Any
) -> None:
    found = json.loads((fixtures / "chatgpt.json").read_text())
    change(found[0]["mapping"])
    file = tmp_path / "conversations.json"
    file.write_text(json.dumps(found))
    whole = await only_session(store, file)
    assert shown(whole)[0] == ("system", "I am Ada.\n\nBe brief.")
    assert faults_of_lists(whole) == []
