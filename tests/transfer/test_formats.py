"""Finding out what a file is."""

from __future__ import annotations

import gzip
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from chatglass.store.sqlite import SqliteStore
from chatglass.transfer.formats import files_in, find_source
from chatglass.transfer.source import ImportFault
from transfer.imported import import_file


@pytest.mark.parametrize(
    ("name", "format_"),
    [
        ("claude_code.jsonl", "Claude Code session"),
        ("codex.jsonl", "Codex rollout"),
        ("codex_first.jsonl", "Codex rollout"),
        ("chatgpt.json", "ChatGPT export"),
        ("openai.jsonl", "OpenAI chat"),
    ],
)
@pytest.mark.parametrize("before", ["", "\n", "\ufeff", '{"type": "noise"}\n{torn\n'])
def test_each_format_is_found_by_what_is_in_it(
    tmp_path: Path, fixtures: Path, name: str, format_: str, before: str
) -> None:
    if name == "chatgpt.json" and "noise" in before:
        pytest.skip("one document, not lines")
    file = tmp_path / "any name"
    file.write_text(before + (fixtures / name).read_text())
    assert find_source(file).format == format_


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "empty"),
        (b" \n", "empty"),
        (b"hello", "not known"),
        (b"{}", "no known format"),
        (b"[1, 2]", "no known format"),
        (b"[" * 100_000, "not known"),
        (b'{"a": ' * 50_000, "not known"),
        (b"\xff\xfe\x00", "not known"),
        (gzip.compress(b"x", mtime=0), "gunzip"),
        (b"SQLite format 3\x00" + b"\0" * 100, "SQLite can't read it"),
    ],
)
def test_other_files_are_refused_with_what_they_should_be(
    tmp_path: Path, content: bytes, said: str
) -> None:
    file = tmp_path / "x"
    file.write_bytes(content)
    with pytest.raises(ImportFault, match=said):
        find_source(file)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ImportFault, match="No such file"):
        find_source(tmp_path / "gone")


def test_another_database_is_refused(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "x.db")) as db:
        db.execute("CREATE TABLE responses (id)")
        db.commit()
    with pytest.raises(ImportFault, match="no log of llm"):
        find_source(tmp_path / "x.db")


async def test_a_store_of_ours_names_the_way(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "sessions.sqlite3")
    await store.open()
    await store.close()
    report = await import_file(SqliteStore(None), tmp_path / "sessions.sqlite3")
    assert f"chatglass export --all --data-dir {tmp_path}" in report.fault


def test_a_folder_is_looked_through(tmp_path: Path) -> None:
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    for name in ("s.jsonl", "conversations.json", "notes.txt", "logs.db", "x.json"):
        (inner / name).touch()
    other = tmp_path / "named.txt"
    found = [path.name for path in files_in([tmp_path / "a", other])]
    assert found == ["conversations.json", "logs.db", "s.jsonl", "named.txt"]
