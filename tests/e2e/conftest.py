from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from e2e.tmux import Tmux

Open = Callable[..., Tmux]


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """A user who has set nothing up."""
    home = tmp_path / "home"
    home.mkdir()
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("OPENAI_", "CHATGLASS_", "XDG_", "TEXTUAL"))
    }
    return {
        **kept,
        "HOME": str(home),
        "TERM": "xterm-256color",
        "COLORTERM": "truecolor",
        "LANG": "C.UTF-8",
        "CHATGLASS_DATA_DIR": str(tmp_path / "data"),
        "CHATGLASS_CONFIG": str(tmp_path / "config.toml"),
    }


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    root.mkdir()
    (root / "notes.txt").write_text("alpha\nbeta\ngamma\n", encoding="utf-8")
    return root


@pytest.fixture
def chatglass(environment: dict[str, str], project: Path) -> Iterator[Open]:
    """`chatglass("-c", size=(80, 24), env={...})` starts the program in a tmux of its own."""
    opened: list[Tmux] = []

    def start(
        *flags: str,
        size: tuple[int, int] = (120, 40),
        env: dict[str, str] | None = None,
        cwd: Path | None = None,
    ) -> Tmux:
        command = [sys.executable, "-m", "chatglass", *flags]
        one = Tmux(command, cwd=cwd or project, env={**environment, **(env or {})}, size=size)
        opened.append(one)
        return one

    yield start
    for one in opened:
        one.close()
