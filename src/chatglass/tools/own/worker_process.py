"""The app's end of a worker: starts the process, sends calls, and ends it where a call must end."""

from __future__ import annotations

import asyncio
import itertools
import json
import logging
import shutil
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from chatglass.tools.limits import PRODUCED_LIMIT
from chatglass.tools.line_reader import LineReader, TooLong
from chatglass.tools.piped_process import PipedProcess
from chatglass.tools.spool import take
from chatglass.tools.threads import in_thread
from chatglass.tools.tool import JsonObject, Progress, ReportProgress
from chatglass.values.text import one_line

_log = logging.getLogger(__name__)

_LETS_GO_S = 1.0
"""For a cancelled function to return; after that its process is ended."""
_PRINTED = 8_000
"""Bytes that are kept of what the tools printed, for the words of an error."""


class WorkerFailed(Exception):
    """The process gave no result. `str()` says why."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a target has: tools as the worker describes them, and a sentence for each that is none."""

    tools: tuple[JsonObject, ...]
    faults: tuple[str, ...]


class NotLoaded(Exception):
    """The target could not be imported. `cause` and `advice` are for the user."""

    def __init__(self, cause: str, advice: str) -> None:
        super().__init__(cause)
        self.cause, self.advice = cause, advice


@dataclass(slots=True)
class _Call:
    result: asyncio.Future[JsonObject]
    report: ReportProgress
    ended: asyncio.Event = field(default_factory=asyncio.Event)


class WorkerProcess:
    """One start of a worker, in the folder `root`. It ends with the app, and all it started with it."""

    def __init__(self, kind: str, target: str, root: Path, environment: Mapping[str, str]) -> None:
        self._arguments = [kind, target]
        self._root = root
        self._environment = environment
        self._process = PipedProcess(self._take_printed)
        self._printed = b""
        self._spool: Path | None = None
        self._ids = itertools.count(1)
        self._calls: dict[int, _Call] = {}
        self._loaded: asyncio.Future[Loaded] = asyncio.get_running_loop().create_future()
        self._loaded.add_done_callback(_look_at)
        self._tasks: set[asyncio.Task[None]] = set()
        self._why = ""
        """Why it was ended from here."""
        self.is_over = False
        self._runs = False

    async def start(self) -> Loaded:
        """Raises NotLoaded, WorkerFailed."""
        self._spool = Path(tempfile.mkdtemp(prefix="chatglass-own-"))
        # -P: a folder `chatglass` in the working directory is not this program.
        command = [sys.executable, "-P", "-m", "chatglass.tools.own.worker"]
        argv = [*command, *self._arguments, str(self._spool)]
        try:
            await self._process.start(argv, str(self._root), self._environment)
        except OSError as error:
            self._end_all(f"it can't be started in {self._root}: {error.strerror or error}")
            raise WorkerFailed(self._why) from error
        self._runs = True
        self._background(self._read())
        return await self._loaded

    async def call(
        self, tool: str, arguments: JsonObject, report: ReportProgress
    ) -> tuple[bool, str]:
        """Whether it failed, and what it gave. Cancelled, the function is stopped, or its process
        ended. Raises WorkerFailed."""
        number = next(self._ids)
        call = self._calls[number] = _Call(asyncio.get_running_loop().create_future(), report)
        try:
            await self._send({"do": "call", "id": number, "tool": tool, "arguments": arguments})
            frame = await call.result
        except asyncio.CancelledError:
            self._background(self._cancel(number, call))
            raise
        except WorkerFailed:
            del self._calls[number]
            raise
        del self._calls[number]
        if lost := frame.get("lost"):
            raise WorkerFailed(lost)
        folder = self._spool
        assert folder is not None
        return frame["error"], await in_thread(lambda stop: take(frame["text"], folder, stop))

    async def _cancel(self, number: int, call: _Call) -> None:
        try:
            await self._send({"do": "cancel", "id": number})
            async with asyncio.timeout(_LETS_GO_S):
                await call.ended.wait()
        except TimeoutError:
            await self.end("a call in the same process did not stop when it was asked to")
        except WorkerFailed:
            return
        finally:
            self._calls.pop(number, None)

    async def end(self, why: str = "the program ends") -> None:
        """End the process and all it started."""
        self._why = self._why or why
        self.is_over = True
        if self._runs:
            await self._process.kill()

    # -- the other end

    async def _send(self, frame: JsonObject) -> None:
        try:
            await self._process.write(json.dumps(frame).encode() + b"\n")
        except OSError as error:
            raise WorkerFailed(self._why or f"it does not listen any more: {error}") from error

    async def _read(self) -> None:
        lines = LineReader(PRODUCED_LIMIT)
        try:
            while piece := await self._process.read():
                for line in lines.feed(piece):
                    if not isinstance(line, TooLong):
                        self._take(cast("JsonObject", json.loads(line)))
            await self._process.stop()
        except ValueError as error:
            # Something wrote to the descriptor that is the worker's own.
            await self.end(f"it could not be understood ({error})")
        finally:
            how = self._process.how_it_ended() or "ended"
            words = one_line(self._last_words(), 300)
            said = f" Its last words: {words}" if words else ""
            self._end_all(self._why or f"its process {how}.{said}")

    def _take(self, frame: JsonObject) -> None:
        match frame["on"]:
            case "ready":
                self._settle(Loaded(tuple(frame["tools"]), tuple(frame["faults"])))
            case "failed":
                self._settle(NotLoaded(frame["cause"], frame["advice"]))
            case _:
                self._take_of_call(frame)

    def _take_of_call(self, frame: JsonObject) -> None:
        call = self._calls.get(frame["id"])
        if call is None:
            return
        if frame["on"] == "progress":
            if not call.result.done():
                call.report(Progress(frame["message"], frame["fraction"]))
            return
        call.ended.set()
        if frame["on"] == "result" and not call.result.done():
            call.result.set_result(frame)

    def _settle(self, loaded: Loaded | Exception) -> None:
        if self._loaded.done():
            return
        if isinstance(loaded, Exception):
            self._loaded.set_exception(loaded)
        else:
            self._loaded.set_result(loaded)

    def _end_all(self, why: str) -> None:
        self.is_over = True
        self._why = self._why or why
        self._settle(WorkerFailed(why))
        for call in self._calls.values():
            call.ended.set()
            if not call.result.done():
                call.result.set_result({"lost": why})
        if self._spool is not None:
            shutil.rmtree(self._spool, ignore_errors=True)

    def _take_printed(self, piece: bytes) -> None:
        _log.debug("%s printed: %s", self._arguments[1], piece.decode("utf-8", "replace").rstrip())
        self._printed = (self._printed + piece)[-_PRINTED:]

    def _last_words(self) -> str:
        lines = self._printed.decode("utf-8", "replace").strip().splitlines()
        return lines[-1] if lines else ""

    def _background(self, work: Any) -> None:
        task: asyncio.Task[None] = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _look_at(loaded: asyncio.Future[Loaded]) -> None:
    """Nobody may wait for it any more: then its error is of no interest."""
    if not loaded.cancelled():
        loaded.exception()
