from __future__ import annotations

import os
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest

from chatglass.config.options import Options
from chatglass.models.demo import DemoServer
from tui.stage import Stage, staged

Play = Callable[..., AbstractAsyncContextManager[Stage]]


@pytest.fixture
async def server(monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[DemoServer]:
    """An endpoint whose answers a test scripts; as fast as it can."""
    async with DemoServer(rate=0) as demo:
        for name in [name for name in os.environ if name.startswith(("OPENAI_", "CHATGLASS_"))]:
            monkeypatch.delenv(name)
        monkeypatch.setenv("OPENAI_BASE_URL", demo.base_url)
        monkeypatch.setenv("OPENAI_API_KEY", demo.token)
        yield demo


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the app runs, and where it keeps things."""
    root = tmp_path / "project"
    root.mkdir()
    monkeypatch.chdir(root)
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "TMUX", "VISUAL", "EDITOR"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


@pytest.fixture
def play(folder: Path, server: DemoServer) -> Play:
    """`async with play() as stage:` runs the app; options and size as `staged` takes them."""

    def run(
        options: Options | None = None,
        *,
        size: tuple[int, int] = (120, 40),
        ready: bool = True,
    ) -> AbstractAsyncContextManager[Stage]:
        return staged(folder, server, options, size=size, ready=ready)

    return run
