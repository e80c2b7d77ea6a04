"""A program in a pseudo-terminal of its own."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import subprocess
import sys
import termios
import time

import pyte


class Terminal:
    """Runs `code` with this Python on a pty. `screen` follows what it paints."""

    def __init__(self, code: str, *arguments: str, size: tuple[int, int] = (80, 24)) -> None:
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))
        self.before = termios.tcgetattr(slave)
        self.slave = slave
        self.screen = pyte.Screen(*size)
        self.stream = pyte.ByteStream(self.screen)
        self.output = b""
        environment = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor"}
        environment.pop("NO_COLOR", None)
        self.process = subprocess.Popen(
            [sys.executable, "-c", code, *arguments],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env=environment,
            start_new_session=True,
        )

    def type(self, text: str) -> None:
        os.write(self.master, text.encode())

    def read_until(self, text: str, timeout: float = 20.0) -> None:
        """Until `text` has been written, as bytes."""
        end = time.monotonic() + timeout
        while text.encode() not in self.output:
            left = end - time.monotonic()
            assert left > 0, self.output
            self._read(left)

    def finish(self, timeout: float = 20.0) -> int:
        """Read to the end of the program; its exit code."""
        end = time.monotonic() + timeout
        while self.process.poll() is None or select.select([self.master], [], [], 0)[0]:
            assert time.monotonic() < end, self.output
            self._read(0.05)
        return self.process.returncode

    @property
    def attributes(self) -> list[object]:
        return termios.tcgetattr(self.slave)

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self.master)
        os.close(self.slave)

    def _read(self, timeout: float) -> None:
        if select.select([self.master], [], [], timeout)[0]:
            data = os.read(self.master, 65536)
            self.output += data
            self.stream.feed(data)
