"""A call as a file for pytest: it is run by pytest, in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from calls.rows import call
from chatglass.chat.calls.pytest_fixture import MOST_CHARS, file_name, fixture
from chatglass.store.records import ToolResult
from mcp_servers.running import own_server


def run(text: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    file = folder / "test_it.py"
    file.write_text(text, encoding="utf-8")
    home = {"PATH": "/usr/bin:/bin", "HOME": str(folder), **environment}
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(file)],
        cwd=folder,
        env=home,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


def the_call(name: str, arguments: Any, **changes: Any) -> Any:
    return call(name, id="01TESTABCDEF", arguments=json.dumps(arguments), **changes)


def test_it_passes_where_the_tool_gives_the_same(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text('one "quoted"\n\ttwo \\ three\n')
    row = the_call("read_file", {"path": "a.txt"})
    text = fixture(row, ToolResult('one "quoted"\n\ttwo \\ three\n', "cut"), tmp_path)
    done = run(text, tmp_path)
    assert "2 passed" in done.stdout, done.stdout + done.stderr
    assert file_name(row) == "test_read_file_abcdef.py"


def test_it_fails_where_the_tool_gives_something_else(tmp_path: Path) -> None:
    text = fixture(the_call("calculate", {"expression": "6*7"}), ToolResult("43", "43"), tmp_path)
    done = run(text, tmp_path)
    assert "1 failed, 1 passed" in done.stdout, done.stdout + done.stderr


def test_an_error_is_a_result_and_what_ran_is_what_counts(tmp_path: Path) -> None:
    row = the_call(
        "read_file",
        {"path": "other.txt"},
        edited_arguments='{"path": "none.txt"}',
        state="error",
    )
    text = fixture(row, None, tmp_path)
    assert "none.txt" in text
    assert "other.txt" not in text
    done = run(text, tmp_path)
    assert "1 failed, 1 passed" in done.stdout, "the status holds; nothing was kept of the result"


def test_a_large_result_is_held_by_its_digest(tmp_path: Path) -> None:
    (tmp_path / "big.txt").write_text("x\n" * MOST_CHARS)
    text = fixture(
        the_call("read_file", {"path": "big.txt"}),
        ToolResult("x\n" * MOST_CHARS, "cut"),
        tmp_path,
    )
    assert len(text) < 4_000
    done = run(text, tmp_path)
    assert "RESULT_SHA256" in text
    assert "passed" in done.stdout, done.stdout + done.stderr


def test_arguments_that_are_no_object_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no JSON object"):
        fixture(call("calculate", arguments="{oops"), None, tmp_path)


def test_foreign_text_stays_inside_its_literals(tmp_path: Path) -> None:
    evil = '"""\nimport os; os._exit(3)\n"""'
    row = the_call(f"a{evil}", {"expression": evil}, server="x", state="error")
    text = fixture(row, ToolResult(evil, evil), tmp_path)
    compile(text, "test_it.py", "exec")
    assert "\nimport os; os._exit" not in text


def test_a_tool_of_a_server_is_run_on_that_server(tmp_path: Path) -> None:
    servers = tmp_path / "servers.json"
    servers.write_text(json.dumps({"mcpServers": {"own": own_server("", tmp_path / "notes")}}))
    produced = '{"content":[{"type":"text","text":"hello"}],"isError":false}'
    row = the_call("own__echo", {"text": "hello"}, server="own")
    text = fixture(row, ToolResult(produced, "hello"), tmp_path, mcp_config=[str(servers)])
    done = run(text, tmp_path)
    assert "2 passed" in done.stdout, done.stdout + done.stderr
