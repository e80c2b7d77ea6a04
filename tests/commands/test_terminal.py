"""Subcommands as programs: on a terminal, in a pipe, and what they import."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from chatglass import splash
from chatglass.commands.names import COMMANDS
from commands.conftest import Run

RED = "\x1b[31mred\x07"


def command(data: Path, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "chatglass", *arguments, "--data-dir", str(data)]


@pytest.fixture
def hostile(run: Run, tmp_path: Path) -> str:
    """The id of a session whose title and text steer terminals."""
    file = tmp_path / "x.jsonl"
    file.write_text(json.dumps({"messages": [{"role": "user", "content": RED}]}) + "\n")
    return run("import", file, "--json").json()[0]["session_ids"][0]


def on_a_terminal(arguments: list[str]) -> bytes:
    pid, terminal = pty.fork()
    if pid == 0:
        os.execv(arguments[0], arguments)
    out = b""
    while True:
        try:
            piece = os.read(terminal, 65536)
        except OSError:  # what Linux says when the child has closed its end
            break
        if not piece:
            break
        out += piece
    os.waitpid(pid, 0)
    os.close(terminal)
    return out


def test_a_terminal_gets_no_control_characters_and_no_splash(data: Path, hostile: str) -> None:
    for arguments in (("sessions", "list"), ("sessions", "show", hostile), ("export", hostile)):
        out = on_a_terminal(command(data, *arguments))
        assert b"red" in out
        assert b"\x1b" not in out
        assert b"\x07" not in out


def test_a_pipe_gets_the_bytes_as_they_are(run: Run, hostile: str) -> None:
    assert f"\n{RED}\n" in run("sessions", "show", hostile).out


def test_nobody_reading_is_no_failure(data: Path, run: Run, fixtures: Path) -> None:
    for name in ("claude_code.jsonl", "codex.jsonl"):
        run("import", fixtures / name)
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        command(data, "export", "--all", "--format", "html"), stdout=writer,
        stderr=subprocess.PIPE, timeout=60, check=False,
    )  # fmt: skip
    os.close(writer)
    assert (done.returncode, done.stderr) == (0, b"")


def test_subcommands_import_nothing_heavy(data: Path, run: Run, hostile: str) -> None:
    code = (
        "import sys\nfrom chatglass.cli import main\n"
        "main(sys.argv[1:])\n"
        "print([name for name in ('textual', 'openai', 'rich', 'chuk_ai_session_manager', "
        "'genai_prices', 'pydantic') if name in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "sessions", "list", "--data-dir", str(data)],
        capture_output=True, timeout=60, check=True, text=True,
    )  # fmt: skip
    assert done.stderr == "[]\n"


def test_the_help_lists_them(run: Run) -> None:
    out = run("--help").out
    for name, what in COMMANDS.items():
        assert name in out
        assert what in out
        assert run(name, "--help").code == 0


def test_none_shows_the_splash(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "isatty", lambda _: True)
    assert splash.is_wanted([], {"TERM": "xterm"})
    for name in COMMANDS:
        assert not splash.is_wanted([name], {"TERM": "xterm"})
        assert not splash.is_wanted([name, "--demo"], {"TERM": "xterm"})
