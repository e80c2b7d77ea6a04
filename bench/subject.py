"""What is measured, and what it is measured with: chatglass, the floor, and the fake server."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from bench import make_store
from bench.ptybench import App

SIZE = (160, 48)

# What is on screen when …
COMPOSER_READY = r"Write a message"
FLOOR_READY = r"READY to type"
SESSION_OPEN = make_store.LAST_LINE
INSPECTOR_OPEN = r"Tool calls"
RESULT_SHOWN = r"entry 100000"
SESSIONS_OPEN = r"\d sessions · "
# The keys that open them.
OPEN_INSPECTOR = b"\x0f"  # Ctrl+O
RESULT_SECTION = b"2"
OPEN_SESSIONS = b"\x13"  # Ctrl+S
PAGE_UP = b"\x1b[5~"
PAGE_DOWN = b"\x1b[6~"
FOCUS_OUT, FOCUS_IN = b"\x1b[O", b"\x1b[I"
WHEEL_UP = b"\x1b[<64;40;20M"
WHEEL_DOWN = b"\x1b[<65;40;20M"


class FakeLLM:
    """The fake server as a process of its own."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bench.fakellm"], stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        self.root = f"http://127.0.0.1:{int(self._process.stdout.readline())}"

    def times(self, tag: str) -> dict[str, float]:
        """When the first and the last token of that answer left, CLOCK_MONOTONIC."""
        with urllib.request.urlopen(f"{self.root}/_stats?tag={tag}") as answer:
            return json.load(answer)

    def __enter__(self) -> FakeLLM:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait()


@contextlib.contextmanager
def folder() -> Iterator[Path]:
    """A folder for one program's data, removed afterwards; in memory where there is a tmpfs."""
    base = "/dev/shm" if os.path.isdir("/dev/shm") else None
    path = Path(tempfile.mkdtemp(prefix="chatglass-bench-", dir=base))
    try:
        yield path
    finally:
        shutil.rmtree(path)


def store(path: Path, **what: float) -> Path:
    """Fill the data folder `path`; see `make_store.make`."""
    asyncio.run(make_store.make(path, **what))  # pyright: ignore[reportArgumentType]
    return path


def chatglass(llm: FakeLLM, data: Path, *arguments: str) -> App:
    """chatglass on the fake server, with a home of its own."""
    script = Path(sys.executable).with_name("chatglass")
    command = [str(script)] if script.exists() else [sys.executable, "-m", "chatglass"]
    flags = ["--base-url", f"{llm.root}/v1", "--model", "fake", "--data-dir", str(data)]
    return App([*command, *flags, *arguments], {"HOME": str(data)}, size=SIZE)


def floor() -> App:
    """The bare Textual app."""
    return App([sys.executable, "-m", "bench.floor_app"], size=SIZE)
