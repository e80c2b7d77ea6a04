"""A process that is talked to by its stdin and stdout, under the supervisor that ends its whole
tree (`tools/supervisor.py`): a stdio server, or the one that runs the user's own tools."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from chatglass.tools import supervisor

_SUPERVISOR = Path(supervisor.__file__)
_GRACE_S = 1.5
"""Between SIGTERM and SIGKILL."""
_LEAVES_S = 1.0
"""For it to end by itself once its stdin is closed (MCP's way to stop a server)."""
_END_S = _GRACE_S + 6.0
"""After this the supervisor itself is taken to hang: it kills for 5 s at most."""
_READ = 256 * 1024
_FAR_BEHIND = 1024 * 1024


class PipedProcess:
    """One process with its pipes. The tree ends with this process, and with whoever holds the other
    end of one of the `lives` given to `start`."""

    def __init__(self, on_stderr: Callable[[bytes], None]) -> None:
        self._on_stderr = on_stderr
        self.gone = asyncio.Event()
        """The process and all it started have ended."""
        self._records: dict[str, Any] = {}
        self._process: subprocess.Popen[bytes] | None = None
        self._life = -1
        self._stdout: asyncio.StreamReader | None = None
        self._stdin: asyncio.StreamWriter | None = None
        self._transports: list[asyncio.BaseTransport] = []
        self._readers: list[asyncio.Task[None]] = []

    async def start(
        self, argv: Sequence[str], cwd: str, environment: Mapping[str, str], *lives: int
    ) -> None:
        """Raises OSError where it can't be started at all."""
        life_read, self._life = os.pipe()
        status_read, status_write = os.pipe()
        try:
            process = _supervised(argv, cwd, environment, (life_read, *lives), status_write)
            self._process = process
        except BaseException:
            os.close(status_read)
            self._close_life()
            raise
        finally:
            os.close(life_read)
            os.close(status_write)
        self._stdout = await self._reader(process.stdout)
        stderr = await self._reader(process.stderr)
        status = await self._reader(os.fdopen(status_read, "rb", buffering=0))
        self._stdin = await self._writer(process.stdin)
        self._readers = [
            asyncio.create_task(self._watch_status(status)),
            asyncio.create_task(self._pass_stderr(stderr)),
        ]

    async def read(self) -> bytes:
        """What it wrote; empty at the end."""
        assert self._stdout
        return await self._stdout.read(_READ)

    async def write(self, data: bytes) -> None:
        """Raises OSError where it reads no more."""
        assert self._stdin
        self._stdin.write(data)
        await self._stdin.drain()

    @property
    def could_not_start(self) -> bool:
        """There is no such program, or it is none."""
        return "error" in self._records

    def how_it_ended(self) -> str:
        """For the end of a sentence; empty while it runs."""
        if error := self._records.get("error"):
            return f"could not be started: {error}"
        if "exit" in self._records:
            return f"ended with exit code {self._records['exit']}"
        if "signal" in self._records:
            number = int(self._records["signal"])
            with contextlib.suppress(ValueError):
                return f"was ended by {signal.Signals(number).name}"
            return f"was ended by signal {number}"
        return "ended" if self.gone.is_set() else ""

    async def kill(self) -> None:
        """End the tree without waiting for the process to leave by itself."""
        await self.stop(0.0)

    async def stop(self, leaves_s: float = _LEAVES_S) -> bool:
        """End it: close its stdin, wait, then end the tree. True where it went by itself.

        Every wait is bounded; a cancelled task ends the tree all the same.
        """
        if self._stdin:
            self._stdin.close()
        went = True
        try:
            async with asyncio.timeout(leaves_s):
                await self.gone.wait()
        except TimeoutError:
            went = False
            self._close_life()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_END_S):
                    await self.gone.wait()
        finally:
            self._close_life()
            self._close()
        return went

    async def _watch_status(self, status: asyncio.StreamReader) -> None:
        async for line in status:
            self._records |= json.loads(line)
        # Only the supervisor held the other end: it is gone, and the tree before it.
        self.gone.set()

    async def _pass_stderr(self, stderr: asyncio.StreamReader) -> None:
        while piece := await stderr.read(64 * 1024):
            self._on_stderr(piece)

    def _close(self) -> None:
        for task in self._readers:
            task.cancel()
        for transport in self._transports:
            transport.close()
        process = self._process
        if process is None or process.poll() is not None:
            return
        if not self.gone.is_set():
            # The last resort, for a supervisor that was stopped or hangs.
            for kill, pid in ((os.killpg, self._records.get("pid")), (os.kill, process.pid)):
                if pid is not None:
                    with contextlib.suppress(ProcessLookupError, PermissionError):
                        kill(pid, signal.SIGKILL)
        asyncio.get_running_loop().run_in_executor(None, process.wait)

    def _close_life(self) -> None:
        if self._life != -1:
            os.close(self._life)
            self._life = -1

    async def _reader(self, pipe: Any) -> asyncio.StreamReader:
        reader = asyncio.StreamReader(limit=_FAR_BEHIND)
        transport, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), pipe
        )
        self._transports.append(transport)
        return reader

    async def _writer(self, pipe: Any) -> asyncio.StreamWriter:
        loop = asyncio.get_running_loop()
        transport, protocol = await loop.connect_write_pipe(
            lambda: asyncio.StreamReaderProtocol(asyncio.StreamReader()), pipe
        )
        self._transports.append(transport)
        return asyncio.StreamWriter(transport, protocol, None, loop)


def _supervised(
    argv: Sequence[str],
    cwd: str,
    environment: Mapping[str, str],
    life: Sequence[int],
    status: int,
) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-I", "-S", str(_SUPERVISOR), ",".join(map(str, life)), str(status),
         str(_GRACE_S), *argv],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        cwd=cwd, env=dict(environment), pass_fds=(*life, status),
        # No controlling terminal: nothing in the tree can write to the screen.
        start_new_session=True,
    )  # fmt: skip
