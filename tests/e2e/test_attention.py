"""The bell in tmux: the window is marked, as for any program that rings."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from e2e.tmux import Tmux

pytestmark = pytest.mark.needs("tmux")


@pytest.fixture
def window(tmp_path: Path) -> Iterator[Tmux]:
    config = tmp_path / "config.toml"
    config.write_text('[notify]\nwhen = "always"\nmin_seconds = 0\n')
    started = Tmux(
        [sys.executable, "-m", "chatglass", "--demo"],
        cwd=tmp_path,
        env={
            "PATH": os.environ["PATH"],
            "CHATGLASS_CONFIG": str(config),
            "CHATGLASS_DATA_DIR": str(tmp_path / "data"),
        },
    )
    yield started
    started.close()


def test_a_turn_that_ends_marks_its_window(window: Tmux) -> None:
    window.sees("Write a message")
    window._tmux("set", "-g", "monitor-bell", "on")
    window.type("hello")
    window.keys("Enter")
    window._tmux("new-window", "-d", "cat")
    window._tmux("select-window", "-t", ":1")
    flag = ("display-message", "-p", "-t", ":0", "#{window_bell_flag}")
    window.until(lambda _: window._tmux(*flag).strip() == "1", "the bell flag")
