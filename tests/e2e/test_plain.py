"""`chatglass --plain` on a terminal that can do nothing."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from chatglass.plain.run import TWICE_SECONDS
from e2e.pty_program import PtyProgram


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return {
        **kept,
        "TERM": "dumb",
        "CHATGLASS_CONFIG": str(tmp_path / "none.toml"),
        "CHATGLASS_DATA_DIR": str(tmp_path / "data"),
    }


@pytest.fixture
def plain(tmp_path: Path, environment: dict[str, str]) -> Iterator[PtyProgram]:
    started = PtyProgram("--plain", "--demo", cwd=tmp_path, env=environment, size=(100, 60))
    yield started
    started.close()


def test_one_interrupt_stops_the_turn_and_two_leave(plain: PtyProgram) -> None:
    plain.sees("\nYou:")
    plain.type("write 5000 words about rivers\r")
    plain.sees("Assistant:")
    os.kill(plain.pid, signal.SIGINT)
    plain.sees("End: The turn was stopped.")
    plain.watch(TWICE_SECONDS)
    os.kill(plain.pid, signal.SIGINT)
    plain.sees("Press Ctrl+C again")
    os.kill(plain.pid, signal.SIGINT)
    assert plain.finish() == 0
    assert "To go on with this session" in plain.text


def test_what_was_typed_before_a_question_is_no_answer_to_it(plain: PtyProgram) -> None:
    plain.sees("\nYou:")
    plain.type("run `echo hello`\r1\r")
    plain.sees("1 line typed before this question")
    plain.sees("Answer, 1, 2, 3, 4 or 5:")
    plain.type("4\r")
    plain.sees("Denied: run_command")
    plain.sees("You: 1")
    plain.type("/quit\r")
    assert plain.finish() == 0


def test_a_killed_talk_goes_on(
    plain: PtyProgram, tmp_path: Path, environment: dict[str, str]
) -> None:
    plain.sees("\nYou:")
    plain.type("write 5000 words about rivers\r")
    plain.sees("Assistant:")
    plain.sees("## 2.")
    plain.kill()
    again = PtyProgram("--plain", "-c", cwd=tmp_path, env=environment, size=(100, 60))
    again.sees("this answer was interrupted.")
    again.type("hello\r")
    again.sees("Cost: free")
    again.type("\x04")
    assert again.finish() == 0


def test_a_dumb_terminal_is_told_of_plain_mode(tmp_path: Path, environment: dict[str, str]) -> None:
    refused = PtyProgram("--demo", cwd=tmp_path, env=environment)
    assert refused.finish() == 2
    assert "use --plain" in refused.text
