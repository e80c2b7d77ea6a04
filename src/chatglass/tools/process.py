"""Running a command under the supervisor, from the event loop.

Not through asyncio's subprocess transport: that kills its child, here the supervisor, when the
loop closes, and the supervisor must outlive the app by the moment it takes to end the tree.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chatglass.tools.limits import PRODUCED_LIMIT

_SUPERVISOR = Path(__file__).with_name("supervisor.py")
_READ = 256 * 1024
_LAST_READS = 8
"""More than a pipe holds (1 MB at most, pipe(7)), and an end where a survivor goes on writing."""
GRACE_S = 2.0
"""Between SIGTERM and SIGKILL."""
_END_S = GRACE_S + 6.0
"""After this the supervisor itself is taken to hang: it kills for 5 s at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessEnd:
    """How a command ended: with an exit code, by a signal, or not started (`error`)."""

    pieces: Sequence[bytes]
    """stdout and stderr as they were read: not joined here, where the event loop would wait for it."""
    exit_code: int | None = None
    signal: int | None = None
    error: str = ""
    timed_out: bool = False
    flooded: bool = False
    """It was ended since its output passed the limit."""
    left_running: int = 0
    """Processes that were still there when it ended, and have been ended."""

    @property
    def output(self) -> bytes:
        return b"".join(self.pieces)


async def run_process(
    argv: Sequence[str],
    *,
    cwd: Path,
    environment: Mapping[str, str],
    timeout_s: float,
    on_output: Callable[[bytes], None] | None = None,
    output_limit: int = PRODUCED_LIMIT,
    grace_s: float = GRACE_S,
) -> ProcessEnd:
    """Run `argv` to its end; stdin is empty, stdout and stderr come in one stream, in order.

    Cancelling, a timeout, too much output and the end of this process each end the whole tree.
    Raises OSError where the supervisor cannot be started (no such folder, no processes left).
    """
    running = _Supervised(on_output, output_limit)
    running.start(argv, cwd, environment, grace_s)
    try:
        try:
            async with asyncio.timeout(timeout_s):
                await running.finished.wait()
        except TimeoutError:
            running.timed_out = True
        await running.end()
        return running.outcome()
    except asyncio.CancelledError:
        await running.end()
        raise
    finally:
        running.close()


class _Supervised:
    """One supervisor with its three pipes: life (ours to close), status and output (ours to read)."""

    def __init__(self, on_output: Callable[[bytes], None] | None, limit: int) -> None:
        self.finished = asyncio.Event()
        """The tree is gone, or it must be ended since its output passed the limit."""
        self.timed_out = False
        self._gone = asyncio.Event()
        self._on_output = on_output
        self._limit = limit
        self._loop = asyncio.get_running_loop()
        self._pieces: list[bytes] = []
        self._size = 0
        self._flooded = False
        self._status = b""
        self._records: dict[str, Any] = {}
        self._process: subprocess.Popen[bytes] | None = None
        self._life = self._status_pipe = self._output = -1

    def start(
        self, argv: Sequence[str], cwd: Path, environment: Mapping[str, str], grace_s: float
    ) -> None:
        life_read, self._life = os.pipe()
        self._status_pipe, status_write = os.pipe()
        self._output, output_write = os.pipe()
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", str(_SUPERVISOR), str(life_read), str(status_write),
                 str(grace_s), *argv],
                stdin=subprocess.DEVNULL, stdout=output_write, stderr=output_write,
                cwd=cwd, env=dict(environment), pass_fds=(life_read, status_write),
                # No controlling terminal: nothing in the tree can write to the screen or read keys.
                start_new_session=True,
            )  # fmt: skip
        except BaseException:
            self.close()
            raise
        finally:
            for descriptor in (life_read, status_write, output_write):
                os.close(descriptor)
        for pipe, reader in (
            (self._output, self._read_output),
            (self._status_pipe, self._read_status),
        ):
            os.set_blocking(pipe, False)
            self._loop.add_reader(pipe, reader)

    async def end(self) -> None:
        """End the tree and wait until it is gone. Cancelled meanwhile, the tree ends all the same."""
        self._close_life()
        try:
            async with asyncio.timeout(_END_S):
                await self._gone.wait()
        except TimeoutError:
            self._kill()

    def outcome(self) -> ProcessEnd:
        # What the tree wrote last is in the pipe still.
        for _ in range(_LAST_READS):
            if self._output == -1 or not self._read_output():
                break
        error = str(self._records.get("error", ""))
        if not self._records:
            error = "its supervisor ended unexpectedly"
        elif not error and not {"exit", "signal"} & self._records.keys():
            error = "" if self.timed_out or self._flooded else "its end was not reported"
        return ProcessEnd(
            pieces=self._pieces,
            exit_code=self._records.get("exit"),
            signal=self._records.get("signal"),
            error=error,
            timed_out=self.timed_out,
            flooded=self._flooded,
            left_running=int(self._records.get("ended", 0)),
        )

    def close(self) -> None:
        self._close_life()
        self._close_status()
        self._close_output()
        if self._process is not None and self._process.poll() is None:
            # It is ending: collected by a thread, so that no zombie stays.
            threading.Thread(target=self._process.wait, name="chatglass-reap", daemon=True).start()

    def _read_output(self) -> bool:
        """Take what there is; False where there is nothing more for now."""
        try:
            piece = os.read(self._output, _READ)
        except BlockingIOError:
            return False
        if not piece:
            self._close_output()
            return False
        if self._flooded:
            return True
        piece = piece[: self._limit - self._size]
        self._pieces.append(piece)
        self._size += len(piece)
        if self._on_output is not None:
            self._on_output(piece)
        if self._size >= self._limit:
            self._flooded = True
            self.finished.set()
        return True

    def _read_status(self) -> None:
        try:
            piece = os.read(self._status_pipe, 4096)
        except BlockingIOError:
            return
        if not piece:
            # Only the supervisor held the other end: it is gone, and the tree before it.
            self._close_status()
            self.finished.set()
            self._gone.set()
            return
        self._status += piece
        *lines, self._status = self._status.split(b"\n")
        for line in lines:
            self._records |= json.loads(line)

    def _kill(self) -> None:
        """The last resort, for a supervisor that was stopped or hangs."""
        for kill, pid in (
            (os.killpg, self._records.get("pid")),
            (os.kill, self._process.pid if self._process else None),
        ):
            if pid is not None:
                try:
                    kill(pid, signal.SIGKILL)
                except (ProcessLookupError, PermissionError):
                    continue

    def _close_life(self) -> None:
        if self._life != -1:
            os.close(self._life)
            self._life = -1

    def _close_status(self) -> None:
        if self._status_pipe != -1:
            self._loop.remove_reader(self._status_pipe)
            os.close(self._status_pipe)
            self._status_pipe = -1

    def _close_output(self) -> None:
        if self._output != -1:
            self._loop.remove_reader(self._output)
            os.close(self._output)
            self._output = -1
