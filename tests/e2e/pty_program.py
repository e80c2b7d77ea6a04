"""The full-screen program on a pseudo-terminal: keys in, screen out, SIGKILL."""

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
from collections.abc import Callable, Mapping
from pathlib import Path

import pyte

LONGEST_WAIT = 30.0


class PtyProgram:
    """`chatglass FLAGS`. What it paints is only followed while one of these methods reads it."""

    def __init__(
        self,
        *flags: str,
        cwd: Path,
        env: Mapping[str, str],
        size: tuple[int, int] = (100, 30),
        seen: Callable[[list[str]], None] | None = None,
    ) -> None:
        """`seen` gets the lines of the screen whenever they have changed."""
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))
        self._screen = pyte.Screen(*size)
        self._stream = pyte.ByteStream(self._screen)
        self._seen = seen
        self._process = subprocess.Popen(
            [sys.executable, "-m", "chatglass", *flags],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            cwd=cwd,
            env=env,
            start_new_session=True,
        )
        os.close(slave)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def lines(self) -> list[str]:
        return list(self._screen.display)

    @property
    def text(self) -> str:
        return "\n".join(line.rstrip() for line in self.lines)

    def type(self, text: str) -> None:
        os.write(self._master, text.encode())

    def paste(self, text: str) -> None:
        """As a terminal does it; long ones come folded."""
        self.type(f"\x1b[200~{text}\x1b[201~")

    def watch(self, seconds: float) -> None:
        """Read what it paints for so long, or until it ends."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0 and self._read(left):
            pass

    def until(self, condition: Callable[[], object], what: str) -> None:
        end = time.monotonic() + LONGEST_WAIT
        while not condition():
            assert time.monotonic() < end, f"{what} did not happen:\n{self.text}"
            assert self._read(0.1), f"{what}: the program has ended:\n{self.text}"

    def sees(self, text: str) -> None:
        self.until(lambda: text in self.text, f"{text!r} on screen")

    def sees_no(self, text: str) -> None:
        self.until(lambda: text not in self.text, f"{text!r} gone")

    def kill(self) -> None:
        """SIGKILL, and what it had painted by then."""
        self._process.kill()
        self._process.wait()
        while select.select([self._master], [], [], 0)[0] and self._read(0):
            pass
        self.close()

    def finish(self) -> int:
        """Read to its end; the exit code."""
        end = time.monotonic() + LONGEST_WAIT
        while self._read(0.1) and self._process.poll() is None:
            assert time.monotonic() < end, f"it did not end:\n{self.text}"
        code = self._process.wait(LONGEST_WAIT)
        while select.select([self._master], [], [], 0)[0] and self._read(0):
            pass
        return code

    def close(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        if self._master >= 0:
            os.close(self._master)
            self._master = -1

    def _read(self, timeout: float) -> bool:
        """Whether there may be more."""
        if not select.select([self._master], [], [], timeout)[0]:
            return True
        try:
            data = os.read(self._master, 65_536)
        except OSError:  # EIO: nobody has the other side open any more
            return False
        if not data:
            return False
        self._stream.feed(data)
        if self._seen is not None:
            self._seen(self.lines)
        return True
