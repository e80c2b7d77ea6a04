"""`chatglass export` and `chatglass import` from end to end."""

from __future__ import annotations

import io
import json
import stat
import sys
from pathlib import Path

import pytest

from commands.conftest import Run


def test_all_sessions_move_to_another_store_byte_for_byte(
    run: Run, ids: list[str], tmp_path: Path
) -> None:
    file, again = tmp_path / "all.jsonl", tmp_path / "again.jsonl"
    ran = run("export", "--all", "-o", file)
    assert (ran.code, ran.out) == (0, "")
    assert f"2 sessions to {file}" in ran.err
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    other = ("--data-dir", tmp_path / "other")
    ran = run("import", file, *other)
    assert "2 new sessions, 25 messages, 4 tool calls, 6 requests" in ran.err
    assert "nothing new" in run("import", file, *other).err
    assert run("export", "--all", "-o", again, *other).code == 0
    assert again.read_bytes() == file.read_bytes()
    assert run("store", "check", *other).code == 0


def test_stdout_and_stdin(
    run: Run, ids: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = run("export", ids[0]).out
    assert json.loads(text.splitlines()[0])["id"] == ids[0]
    stdin = io.TextIOWrapper(io.BytesIO(text.encode()))
    monkeypatch.setattr(sys, "stdin", stdin)
    ran = run("import", "-", "--data-dir", tmp_path / "other")
    assert ran.code == 0
    assert ran.err.startswith("stdin: chatglass: 1 new session")


@pytest.mark.parametrize(
    ("form", "ending"),
    [("jsonl", ".jsonl"), ("openai", ".jsonl"), ("markdown", ".md"), ("html", ".html")],
)
def test_a_folder_gets_a_file_for_each_session(
    run: Run, ids: list[str], tmp_path: Path, form: str, ending: str
) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    assert run("export", "--all", "--format", form, "-o", folder).code == 0
    assert sorted(each.name for each in folder.iterdir()) == sorted(
        [f"newlines-in-test-parse-{ids[0]}{ending}", f"primes-below-100-{ids[1]}{ending}"]
    )


def test_a_file_that_cant_be_written_leaves_the_old_one(
    run: Run, ids: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "x.md"
    file.write_text("precious")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device", str(file))

    monkeypatch.setattr("chatglass.transfer.markdown.closed", full)
    ran = run("export", ids[0], "--format", "markdown", "-o", file)
    assert ran.code == 1
    assert f"{file}: No space left on device" in ran.err
    assert file.read_text() == "precious"
    assert [each.name for each in tmp_path.iterdir() if each.is_file()] == ["x.md"]
    missing = run("export", ids[0], "-o", tmp_path / "gone" / "x")
    assert missing.code == 1
    assert "No such file" in missing.err


def test_one_bad_file_does_not_stop_the_others(run: Run, fixtures: Path, tmp_path: Path) -> None:
    bad = tmp_path / "notes.txt"
    bad.write_text("hello")
    ran = run("import", bad, tmp_path / "gone", fixtures / "openai.jsonl", "--json")
    assert ran.code == 1
    first, second, third = ran.json()
    assert "not known" in first["faults"][0]
    assert "No such file" in second["faults"][0]
    assert (third["new_sessions"], third["format"]) == (2, "OpenAI chat")
    assert third["skipped"] == {"tool message without a call": 1, "line without messages": 1}
    told = run("import", bad)
    assert told.code == 1
    assert f"chatglass: {bad}: was not imported: its format is not known" in told.err


def test_counts_of_what_was_skipped_are_told(run: Run, fixtures: Path) -> None:
    err = run("import", fixtures / "codex.jsonl").err
    assert "Codex rollout: 1 new session, 13 messages, 2 tool calls, 5 requests." in err
    assert "skipped: 1 exec_command_end, 1 web_search_call." in err


def test_an_empty_folder_is_said(run: Run, tmp_path: Path) -> None:
    ran = run("import", tmp_path)
    assert ran.code == 1
    assert "no file to import" in ran.err
