"""What the terminal gets under NO_COLOR, on the real program: no colour, anywhere."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from e2e.pty_program import PtyProgram

_OSC = re.compile(rb"\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)")
_SGR = re.compile(rb"\x1b\[([0-9;:]*)m")


def colours(raw: bytes) -> set[str]:
    """The SGR parameters that set a colour: 30 to 49 and 90 to 107, without 39 and 49."""
    found: set[str] = set()
    for match in _SGR.finditer(raw):
        for number in re.split("[;:]", match[1].decode()):
            if number.isdigit() and (30 <= int(number) <= 49 or 90 <= int(number) <= 107):
                found.add(match[0].decode()[1:])
    return {each for each in found if each not in ("[39m", "[49m", "[39;49m")}


class Recorded(PtyProgram):
    """Keeps the bytes that the program wrote."""

    def __init__(self, *flags: str, **options: object) -> None:
        super().__init__(*flags, **options)  # type: ignore[arg-type]
        self.raw = b""
        feed = self._stream.feed

        def record(data: bytes) -> None:
            self.raw += data
            feed(data)

        self._stream.feed = record  # type: ignore[method-assign]

    @property
    def bells(self) -> int:
        """Those that end no operating system command."""
        return _OSC.sub(b"", self.raw).count(b"\a")


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    (tmp_path / "config.toml").write_text("[notify]\nmin_seconds = 0\n")
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return {
        **kept,
        "TERM": "xterm-256color",
        "COLORTERM": "truecolor",
        "CHATGLASS_CONFIG": str(tmp_path / "config.toml"),
        "CHATGLASS_DATA_DIR": str(tmp_path / "data"),
    }


def tour(program: Recorded) -> None:
    """Transcript, inspector, dialogs, the usage screen with its charts."""
    program.sees("Write a message")
    program.type("show me markdown and what is 17*23?\r")
    program.sees("demo ·")
    program.sees("free · ")
    program.type("\x0f")
    program.watch(1.0)
    program.type("\x1b")
    program.watch(0.6)
    program.type("/help\r")
    program.sees("Type to filter")
    program.type("\x1b")
    program.watch(0.6)
    program.type("/usage\r")
    program.watch(1.5)
    program.type("\x1b")
    program.watch(0.6)


def test_no_colour_is_sent_under_no_color(tmp_path: Path, environment: dict[str, str]) -> None:
    environment["NO_COLOR"] = "1"
    program = Recorded("--demo", cwd=tmp_path, env=environment, size=(120, 40))
    try:
        tour(program)
    finally:
        program.close()
    assert colours(program.raw) == set()


def test_with_colour_there_is_some(tmp_path: Path, environment: dict[str, str]) -> None:
    program = Recorded("--demo", cwd=tmp_path, env=environment, size=(120, 40))
    try:
        program.sees("Write a message")
    finally:
        program.close()
    assert colours(program.raw)


def test_the_bell_rings_when_the_terminal_has_lost_the_focus(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    program = Recorded("--demo", cwd=tmp_path, env=environment, size=(120, 40))
    try:
        program.sees("Write a message")
        program.type("hello\r")
        program.sees("free · ")
        program.watch(0.5)
        assert program.bells == 0
        program.type("write 200 words about rivers\r")
        program.sees("working")
        program.type("\x1b[O")
        program.until(lambda: program.bells, "a bell")
        program.type("\x1b[I")
        program.watch(0.5)
        assert program.bells == 1
    finally:
        program.close()
