"""The app's end of the MCP host: starts the process, sends commands, passes its events on."""

from __future__ import annotations

import asyncio
import itertools
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from chatglass.tools.mcp.errors import ServerError
from chatglass.tools.mcp.frames import LARGEST, decode, encode
from chatglass.tools.threads import in_thread
from chatglass.tools.tool import JsonObject

OnFrame = Callable[[JsonObject], None]
OnProgress = Callable[[str, float | None], None]


class ConnectionLost(ServerError):
    """The server went away while it was asked."""


@dataclass(slots=True)
class _Request:
    future: asyncio.Future[JsonObject]
    on_progress: OnProgress | None


@dataclass(slots=True)
class _Process:
    """One start of the host."""

    popen: subprocess.Popen[bytes]
    life: int
    """Our end of its lifeline: while we hold it, the host's servers may run."""
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    spool: Path
    reading: asyncio.Task[None] | None = None
    requests: dict[int, _Request] = field(default_factory=dict[int, _Request])


class HostLink:
    """Starts the host with the first command, and anew after it ended.

    `on_frame` gets its events, `on_lost` is told when the process is gone unexpectedly.
    """

    def __init__(
        self,
        on_frame: OnFrame,
        on_lost: Callable[[str], None],
        *,
        environment: Callable[[], Mapping[str, str]],
        log: Path | None,
    ) -> None:
        self._on_frame = on_frame
        self._on_lost = on_lost
        self._environment = environment
        self._log = log
        self._process: _Process | None = None
        self._starting = asyncio.Lock()
        self._ids = itertools.count(1)
        self._closed = False
        self.on_start: Callable[[], None] = lambda: None
        """Called when a host has started, before its first command."""

    async def ensure(self) -> None:
        """Start the host if it does not run. Raises ServerError."""
        async with self._starting:
            if self._process is not None or self._closed:
                return
            try:
                self._process = await self._start()
            except OSError as error:
                raise ServerError(f"The MCP host can't be started: {error}") from error
            self._process.reading = asyncio.create_task(self._read(self._process))
            self.on_start()

    def send(self, frame: JsonObject) -> None:
        """Without effect where the host does not run: what was sent to it is gone with it."""
        if self._process is not None and not self._closed:
            self._process.writer.write(encode(frame))

    async def request(self, frame: JsonObject, on_progress: OnProgress | None = None) -> JsonObject:
        """The `result` frame. Cancelled, the server is told. Raises ServerError, ConnectionLost."""
        process = self._process
        if process is None:
            raise ConnectionLost("It is not connected.")
        number = next(self._ids)
        future: asyncio.Future[JsonObject] = asyncio.get_running_loop().create_future()
        process.requests[number] = _Request(future, on_progress)
        process.writer.write(encode({**frame, "id": number}))
        try:
            result = await future
        except asyncio.CancelledError:
            if process is self._process:
                self.send({"do": "cancel", "id": number})
            raise
        finally:
            process.requests.pop(number, None)
        if result["on"] == "error":
            raise (ConnectionLost if result.get("lost") else ServerError)(result["text"])
        return result

    @property
    def spool(self) -> Path:
        """Where long texts of the running host lie."""
        assert self._process
        return self._process.spool

    async def close(self, within_s: float) -> None:
        """End the host, and with it all servers; what is not gone in time is ended from outside."""
        self._closed = True
        process = self._process
        if process is None:
            return
        # Half of it only: the host ends its servers, and then its own half.
        process.writer.write_eof()
        assert process.reading
        try:
            async with asyncio.timeout(within_s):
                await asyncio.shield(process.reading)
        except TimeoutError:
            # The supervisors end their trees when the lifeline is cut, the host or no host.
            process.popen.kill()
        finally:
            self._forget(process)

    async def _start(self) -> _Process:
        spool = Path(tempfile.mkdtemp(prefix="chatglass-mcp-"))
        ours, theirs = socket.socketpair()
        life_read, life = os.pipe()
        try:
            environment = dict(self._environment())
            popen = await in_thread(
                lambda _: self._popen(theirs.fileno(), life_read, spool, environment)
            )
        except BaseException:
            ours.close()
            os.close(life)
            raise
        finally:
            theirs.close()
            os.close(life_read)
        reader, writer = await asyncio.open_unix_connection(sock=ours, limit=LARGEST)
        return _Process(popen, life, reader, writer, spool)

    def _popen(
        self, descriptor: int, life: int, spool: Path, environment: dict[str, str]
    ) -> subprocess.Popen[bytes]:
        errors: Any = subprocess.DEVNULL
        if self._log is not None:
            self._log.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            errors = os.open(self._log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            return subprocess.Popen(
                # -P: a folder `chatglass` in the working directory is not this program.
                [sys.executable, "-P", "-m", "chatglass.tools.mcp.host", str(descriptor),
                 str(life), str(spool)],
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=errors,
                env=environment, pass_fds=(descriptor, life), start_new_session=True,
            )  # fmt: skip
        finally:
            if errors is not subprocess.DEVNULL:
                os.close(errors)

    async def _read(self, process: _Process) -> None:
        why = "the MCP host ended unexpectedly"
        try:
            async for line in process.reader:
                self._take(process, decode(line))
        except (ValueError, ConnectionError) as error:
            # A line over the limit or no JSON: a fault of ours. The host is ended, and started anew.
            process.popen.kill()
            why = f"the MCP host could not be understood ({error})"
        finally:
            for request in process.requests.values():
                if not request.future.done():
                    request.future.set_exception(ConnectionLost(f"It is gone: {why}."))
            if not self._closed:
                self._forget(process)
                self._on_lost(f"It is gone: {why}.")

    def _take(self, process: _Process, frame: JsonObject) -> None:
        if frame["on"] in ("result", "error", "progress"):
            request = process.requests.get(frame["id"])
            if request is None:
                return
            if frame["on"] == "progress":
                if request.on_progress is not None:
                    request.on_progress(frame["text"], frame["fraction"])
            elif not request.future.done():
                request.future.set_result(frame)
            return
        self._on_frame(frame)

    def _forget(self, process: _Process) -> None:
        if self._process is not process:
            return
        self._process = None
        process.writer.close()
        os.close(process.life)

        def collect() -> None:
            process.popen.wait()
            shutil.rmtree(process.spool, ignore_errors=True)

        threading.Thread(target=collect, name="chatglass-reap", daemon=True).start()
