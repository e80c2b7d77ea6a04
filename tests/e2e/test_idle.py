"""What the real program writes to its terminal while nothing happens: nothing."""

from __future__ import annotations

import os
import select
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from start.terminal import Terminal

RUN = """
import os, sys
folder = sys.argv[1]
os.chdir(folder)
os.environ["CHATGLASS_CONFIG"] = folder + "/config.toml"
from chatglass.__main__ import main
sys.exit(main(["--demo", "--model", "demo-fast", "--data-dir", folder + "/data"]))
"""
QUIET_SECONDS = 1.5


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Terminal]:
    one = Terminal(RUN, str(tmp_path), size=(120, 40))
    yield one
    one.close()


def shown(shell: Terminal, text: str) -> None:
    """Read until `text` is on the screen."""
    end = time.monotonic() + 30
    while not any(text in line for line in shell.screen.display):
        assert time.monotonic() < end, "\n".join(shell.screen.display)
        shell._read(0.05)


def written_in(shell: Terminal, seconds: float) -> bytes:
    end, data = time.monotonic() + seconds, b""
    while (left := end - time.monotonic()) > 0:
        if select.select([shell.master], [], [], left)[0]:
            data += os.read(shell.master, 65536)
    return data


def test_nothing_is_written_while_nothing_happens(shell: Terminal) -> None:
    shown(shell, "This is the built-in demo")
    shell.type("calculate 6*7\r")
    shown(shell, "tokens · free")
    # Out of the composer, whose cursor blinks, and until toasts are gone.
    shell.type("\x1b[21~")  # F10
    written_in(shell, 2.0)
    assert written_in(shell, QUIET_SECONDS) == b""
    shell.type("i")
    written_in(shell, 0.4)
    blinking = written_in(shell, QUIET_SECONDS)
    assert len(blinking) < 2_000, blinking  # one cell, twice a second
    shell.type("\x04")
    assert shell.finish() == 0
