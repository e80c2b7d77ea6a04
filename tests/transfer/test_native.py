"""chatglass's own JSONL: what is exported, imported and exported again has the same bytes."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chatglass.store.records import WholeSession
from chatglass.store.sqlite import SqliteStore
from chatglass.transfer import native
from chatglass.transfer.source import NOT_JSON, Skipped
from store.builders import message, session
from transfer.generated import whole_sessions
from transfer.imported import import_file

BOUNDED = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@BOUNDED
@given(found=st.lists(whole_sessions(), min_size=1, max_size=2))
async def test_export_import_export_gives_the_same_bytes(
    tmp_path: Path, found: list[WholeSession]
) -> None:
    first = SqliteStore(None)
    await first.open()
    for whole in found:
        assert await first.add_whole_session(whole)
    ids = [whole.session.id for whole in found]
    file = tmp_path / "sessions.jsonl"
    text = "".join([line for id_ in ids for line in native.lines(await first.whole_session(id_))])
    file.write_text(text, newline="")
    second = SqliteStore(None)
    await second.open()
    report = await import_file(second, file)
    assert (report.fault, report.skipped) == ("", Skipped())
    assert report.new == len(found)
    again = [line for id_ in ids for line in native.lines(await second.whole_session(id_))]
    assert "".join(again) == text
    assert [await second.get_session(id_) for id_ in ids] == [
        await first.get_session(id_) for id_ in ids
    ]
    repeated = await import_file(second, file)
    assert (repeated.unchanged, repeated.sessions) == (len(found), [])
    await first.close()
    await second.close()


@BOUNDED
@given(whole=whole_sessions())
async def test_nothing_of_a_session_is_lost_on_the_way(
    store: SqliteStore, whole: WholeSession
) -> None:
    """Beside the bytes: the rows are those that went in."""
    await store.add_whole_session(whole)
    kept = await store.whole_session(whole.session.id)
    assert kept.messages == whole.messages
    assert kept.requests == whole.requests
    assert kept.tool_calls == whole.tool_calls
    assert (kept.results, kept.compactions) == (whole.results, whole.compactions)
    assert (kept.queued, kept.blobs) == (whole.queued, whole.blobs)
    totals = {
        "messages", "requests", "unpriced_requests", "estimated_requests", "tool_calls", "total_tokens", "cost",
    }  # fmt: skip
    derived = {name: getattr(kept.session, name) for name in (*totals, "last_status", "excerpt")}
    assert kept.session == replace(whole.session, **derived)


def a_session(**fields: Any) -> list[str]:
    row = session(**{"updated_at": 5_000} | fields)
    first = message(row.id, content="Why?")
    second = message(row.id, first.id, content="Once more")
    whole = WholeSession(session=replace(row, leaf_id=second.id), messages=(first, second))
    return list(native.lines(whole))


def changed(line: str, **fields: Any) -> str:
    return json.dumps({**json.loads(line), **fields}) + "\n"


async def test_fields_at_their_default_are_left_out() -> None:
    line = json.loads(a_session()[1])
    assert set(line) == {"type", "id", "parent_id", "turn_id", "role", "content", "created_at"}


async def test_what_is_unknown_or_torn_is_skipped_and_counted(
    store: SqliteStore, tmp_path: Path
) -> None:
    file = tmp_path / "s.jsonl"
    head, *rest = a_session()
    file.write_text(head + '{"type": "hologram"}\n' + "".join(rest) + '{"type": "mess')
    report = await import_file(store, file)
    assert report.messages == 2
    assert report.skipped.counts == {"hologram": 1, NOT_JSON: 1}
    assert not report.failed


async def test_a_file_that_was_cut_off_says_so_and_goes_on_later(
    store: SqliteStore, tmp_path: Path
) -> None:
    file = tmp_path / "s.jsonl"
    lines = a_session()
    file.write_text("".join(lines[:2]))
    report = await import_file(store, file)
    ((kind, count),) = report.skipped.counts.items()
    assert (count, report.messages, report.failed) == (1, 1, False)
    assert kind.startswith("message of session")
    assert kind.endswith("cut off")
    file.write_text("".join(lines))
    report = await import_file(store, file)
    assert (report.messages, report.grown) == (1, 1)
    (session_id,) = report.sessions
    assert list(native.lines(await store.whole_session(session_id))) == lines


@pytest.mark.parametrize(
    ("place", "fields", "said"),
    [
        (0, {"chatglass": 2}, "another version"),
        (0, {"id": "../x"}, "is no id"),
        (0, {"created_at": 2**63}, "too large a number"),
        (0, {"parameters": {"temperature": "hot"}}, "parameters.temperature"),
        (1, {"role": "wizard"}, "role"),
        (1, {"id": "a b"}, "is no id"),
        (1, {"content": 5}, "content"),
        (1, {"content": "no parts", "content_is_json": True}, "can't be read"),
        (1, {"content": "[]", "content_is_json": True}, "content parts"),
        (1, {"tool_calls": '[{"id": "x"}]'}, "tool calls"),
        (2, {"parent_id": "nowhere"}, "nowhere"),
    ],
)
async def test_a_session_that_makes_no_sense_is_refused_and_the_next_one_read(
    store: SqliteStore, tmp_path: Path, place: int, fields: dict[str, Any], said: str
) -> None:
    file = tmp_path / "s.jsonl"
    lines = a_session()
    lines[place] = changed(lines[place], **fields)
    file.write_text("".join([*lines, *a_session(title="the next")]))
    report = await import_file(store, file)
    (fault,) = report.skipped.faults
    assert said in fault
    assert report.failed
    (whole,) = [await store.whole_session(id_) for id_ in report.sessions]
    assert whole.session.title == "the next"


async def test_lines_without_their_session_are_counted(store: SqliteStore, tmp_path: Path) -> None:
    file = tmp_path / "s.jsonl"
    lines = a_session()
    file.write_text("".join([lines[1], *lines]))
    report = await import_file(store, file)
    assert report.skipped.counts == {"message before the first session": 1}
    assert report.new == 1
