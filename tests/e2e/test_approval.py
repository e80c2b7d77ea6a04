"""Always: chosen, confirmed, kept over a restart, and for one folder only."""

from __future__ import annotations

import time
import tomllib
from pathlib import Path

import pytest

from e2e.conftest import Open
from e2e.test_terminal import ready
from e2e.tmux import Tmux

pytestmark = pytest.mark.needs("tmux")

RUN = "run `touch made`"


def leave(shell: Tmux) -> None:
    shell.keys("C-d")
    shell.sees("exit=0")


def test_always_survives_a_restart_and_covers_no_other_folder(
    chatglass: Open, project: Path, tmp_path: Path
) -> None:
    made, settings = project / "made", tmp_path / "config.toml"
    settings.write_text("# mine\nsidebar = true # wide\n", encoding="utf-8")
    shell = ready(chatglass("--demo", size=(80, 24)))
    shell.type(RUN)
    shell.keys("Enter")
    shell.sees("Approval")
    # Keys count a moment after the question came.
    shell.until(lambda screen: shell.keys("3") or "run_command(touch made)" in screen, "the rule")
    assert not made.exists()
    assert "[approval" not in settings.read_text(encoding="utf-8")
    time.sleep(0.4)
    shell.keys("Enter")
    shell.sees("by you")
    shell.until(lambda _: made.exists(), "the command")
    text = settings.read_text(encoding="utf-8")
    assert text.startswith("# mine\nsidebar = true # wide\n")
    assert tomllib.loads(text)["approval"]["roots"] == {
        str(project): {"allow": ["run_command(touch made)"]}
    }
    assert sorted(path.name for path in project.iterdir()) == ["made", "notes.txt"]
    leave(shell)

    made.unlink()
    shell = ready(chatglass("--demo", size=(80, 24)))
    shell.type(RUN)
    shell.keys("Enter")
    shell.sees("by rule")
    shell.until(lambda _: made.exists(), "the command, unasked")
    leave(shell)

    other = tmp_path / "other"
    other.mkdir()
    shell = chatglass("--demo", size=(80, 24), cwd=other)
    shell.sees("Write a message")
    shell.type(RUN)
    shell.keys("Enter")
    shell.sees("Approval")
    assert not (other / "made").exists()


def test_shift_tab_goes_through_the_modes(chatglass: Open) -> None:
    shell = ready(chatglass("--demo", size=(80, 24)))
    shell.sees("mode default")
    shell.keys("BTab")
    shell.sees("mode ask: every call asks")
    shell.keys("BTab")
    shell.sees("MODE ALL: tools run unasked")
    shell.keys("BTab")
    shell.sees("mode default")
