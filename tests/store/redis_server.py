"""A real redis-server for tests: on loopback, on a free port, in a folder of its own, ended by pid."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import time
from pathlib import Path

_DURABLE = ["--appendonly", "yes", "--appendfsync", "always"]
"""With `everysec` a busy disk may put off a write for 2 s that was answered already."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class RedisServer:
    """Keeps its data over `kill` and `start` where `durable` (every write is in its file before it is
    answered)."""

    def __init__(self, folder: Path, *options: str, durable: bool = False) -> None:
        self.folder = folder
        self.port = free_port()
        self.password = ""
        self._options = ["--save", ""] + (_DURABLE if durable else []) + [*options]
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> RedisServer:
        """Returns when it answers."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._process = subprocess.Popen(
            [
                "redis-server", "--port", str(self.port), "--bind", "127.0.0.1",
                "--dir", str(self.folder), *self._options,
            ],
            stdout=(self.folder / "log").open("ab"),
            stderr=subprocess.STDOUT,
        )  # fmt: skip
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                raise RuntimeError((self.folder / "log").read_text())
            with contextlib.suppress(OSError):
                if self.command("PING").startswith((b"+PONG", b"-NOAUTH")):
                    return self
            time.sleep(0.01)
        raise RuntimeError("redis-server did not come up: " + (self.folder / "log").read_text())

    def command(self, *words: str) -> bytes:
        """The raw answer, up to 64 KB."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=5) as connection:
            if self.password:
                connection.sendall(_packed("AUTH", self.password))
                connection.recv(64)
            connection.sendall(_packed(*words))
            return connection.recv(65_536)

    def kill(self) -> None:
        """As a crash would."""
        self._signal(signal.SIGKILL)

    def stop(self) -> None:
        self._signal(signal.SIGTERM)

    def freeze(self) -> None:
        """It neither answers nor hangs up."""
        assert self._process is not None
        os.kill(self._process.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        assert self._process is not None
        os.kill(self._process.pid, signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(10)
            self._process = None


def _packed(*words: str) -> bytes:
    parts = [word.encode() for word in words]
    return b"".join([b"*%d\r\n" % len(parts), *(b"$%d\r\n%s\r\n" % (len(p), p) for p in parts)])
