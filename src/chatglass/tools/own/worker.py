"""The worker: the process in which one file or package of the user's own tools runs.

    python -P -m chatglass.tools.own.worker file|package TARGET SPOOL

TARGET is the path of a Python file, or what an entry point names (`module:object`); SPOOL a folder
for what is too long for a frame. It reads commands from its stdin and writes frames to its stdout,
a JSON object a line; what the tools print goes to stderr, which the app keeps for error messages.

    call id tool arguments       ready tools faults;  failed cause advice
    cancel id                    progress id message fraction;  result id error text
                                 ended id (whatever it did, its function has returned)

A process of its own, since the app must not wait for an import of pandas, and since only a process
can be ended: a thread that was stopped would go on.
"""

from __future__ import annotations

import asyncio
import contextvars
import importlib
import importlib.util
import inspect
import json
import os
import re
import sys
import threading
import traceback
from pathlib import Path
from types import ModuleType
from typing import Any

from pydantic_core import PydanticSerializationError, to_jsonable_python

from chatglass.tools.limits import PRODUCED_LIMIT
from chatglass.tools.own.describing import NoTool, OwnFunction, describe, functions_of
from chatglass.tools.own.marking import reporter
from chatglass.tools.spool import put
from chatglass.tools.threads import in_thread
from chatglass.tools.tool import InvalidArguments, JsonObject
from chatglass.values.text import storable

_PROGRESS_S = 0.05
"""Between two reports of one call."""
_LONGEST_MESSAGE = 4_000


class CannotLoad(Exception):
    """Why nothing of the target is a tool."""

    def __init__(self, cause: str, advice: str = "") -> None:
        super().__init__(cause)
        self.cause, self.advice = cause, advice


class Worker:
    def __init__(self, commands: int, frames: int, spool: str) -> None:
        self._commands = commands
        self._frames = frames
        self._spool = spool
        self._writing = threading.Lock()
        self._functions: dict[str, OwnFunction] = {}
        self._running: dict[int, asyncio.Task[None]] = {}

    async def run(self, kind: str, target: str) -> None:
        try:
            loaded = _load(kind, target)
            functions, faults = describe(functions_of(loaded))
        except NoTool as error:
            self._send({"on": "failed", "cause": error.cause, "advice": error.advice})
            return
        except CannotLoad as error:
            self._send({"on": "failed", "cause": error.cause, "advice": error.advice})
            return
        self._functions = {function.name: function for function in functions}
        self._send(
            {
                "on": "ready",
                "tools": [function.described() for function in functions],
                "faults": [str(fault) for fault in faults],
            }
        )
        reader = asyncio.StreamReader(limit=PRODUCED_LIMIT)
        await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(self._commands, "rb", 0)
        )
        async for line in reader:
            self._obey(json.loads(line))

    def _obey(self, frame: JsonObject) -> None:
        number: int = frame["id"]
        if frame["do"] == "call":
            self._running[number] = asyncio.create_task(self._call(frame))
        elif task := self._running.get(number):
            task.cancel()

    async def _call(self, frame: JsonObject) -> None:
        number: int = frame["id"]
        ended = threading.Event()
        try:
            error, text = await self._run(frame, ended)
            self._send(
                {"on": "result", "id": number, "error": error, "text": put(self._spool, text)}
            )
        except asyncio.CancelledError:
            if ended.is_set():
                self._send({"on": "ended", "id": number})
            raise
        finally:
            del self._running[number]

    async def _run(self, frame: JsonObject, ended: threading.Event) -> tuple[bool, str]:
        """Whether it failed, and what it gave."""
        number: int = frame["id"]
        own = self._functions.get(frame["tool"])
        if own is None:
            ended.set()
            return True, f"{frame['tool']} is not there any more: its file was changed."
        try:
            arguments = own.schema.bind(frame["arguments"])
        except InvalidArguments as error:
            ended.set()
            return True, str(error)
        reporter.set(self._reporter(number))
        try:
            value = await self._value(own, arguments, number, ended)
            return _result(own.name, value)
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            return True, f"{own.name} was cancelled from within."
        # Foreign code: what it raises, be it SystemExit, is its result.
        except BaseException as error:  # noqa: BLE001
            traceback.print_exception(error)
            return True, f"{type(error).__name__}: {storable(str(error))[:_LONGEST_MESSAGE]}"

    async def _value(
        self, own: OwnFunction, arguments: dict[str, Any], number: int, ended: threading.Event
    ) -> Any:
        by_place, by_name = _bound(own, arguments)
        if inspect.iscoroutinefunction(own.function):
            try:
                return await own.function(*by_place, **by_name)
            finally:
                ended.set()
        context = contextvars.copy_context()

        def work(stop: threading.Event) -> Any:
            try:
                return context.run(own.function, *by_place, **by_name)
            finally:
                ended.set()
                if stop.is_set():
                    # Nobody awaits it any more, but the app waits to hear that it is over.
                    self._send({"on": "ended", "id": number})

        value = await in_thread(work)
        return await value if inspect.isawaitable(value) else value

    def _reporter(self, number: int) -> Any:
        loop = asyncio.get_running_loop()
        last = float("-inf")

        def report(message: str, fraction: float | None) -> None:
            nonlocal last
            share = None if fraction is None else min(max(float(fraction), 0.0), 1.0)
            if loop.time() - last < _PROGRESS_S and share != 1.0:
                return
            last = loop.time()
            text = storable(str(message))[:300]
            self._send({"on": "progress", "id": number, "message": text, "fraction": share})

        return report

    def _send(self, frame: JsonObject) -> None:
        data = json.dumps(frame, ensure_ascii=True, separators=(",", ":")).encode() + b"\n"
        with self._writing:
            while data:
                data = data[os.write(self._frames, data) :]


def _bound(own: OwnFunction, arguments: dict[str, Any]) -> tuple[list[Any], dict[str, Any]]:
    """Arguments by place and by name."""
    parameters = inspect.signature(own.function).parameters.values()
    by_place = [one.name for one in parameters if one.kind is one.POSITIONAL_ONLY]
    rest = {name: value for name, value in arguments.items() if name not in by_place}
    return [arguments[name] for name in by_place], rest


def _result(name: str, value: object) -> tuple[bool, str]:
    """A text as it is, all else as JSON."""
    if not isinstance(value, str):
        try:
            value = json.dumps(to_jsonable_python(value), ensure_ascii=False)
        except (PydanticSerializationError, ValueError, RecursionError) as error:
            return True, (
                f"{name} returned what JSON can't hold: {error}. It ran; return a text, or numbers, "
                "lists, dicts, dataclasses and pydantic models."
            )
    if len(value) > PRODUCED_LIMIT:
        limit = PRODUCED_LIMIT // 1024 // 1024
        return True, f"{name} ran, but its result has {len(value):,} characters; {limit} MB is the most."  # fmt: skip
    return False, storable(value)


# -- importing


def _load(kind: str, target: str) -> object:
    """Raises CannotLoad."""
    try:
        return _file(Path(target)) if kind == "file" else _entry(target)
    except CannotLoad:
        raise
    except ModuleNotFoundError as error:
        raise CannotLoad(
            f"line {_line(error, target)}: {error}",
            "Install it beside chatglass (as by uv tool install chatglass --with NAME), or mend the import.",
        ) from error
    except SyntaxError as error:
        raise CannotLoad(
            f"line {error.lineno}: {error.msg}", "Mend it, and start again."
        ) from error
    # Foreign code: whatever it raises, be it SystemExit.
    except BaseException as error:
        traceback.print_exception(error)
        told = f"{type(error).__name__}: {error}".rstrip(": ")
        raise CannotLoad(
            f"line {_line(error, target)}: {told}", "Mend it, and start again."
        ) from error


def _file(path: Path) -> ModuleType:
    # A file called json.py must not take the place of json, for itself or for others.
    name = re.sub(r"\W", "_", path.stem)
    if importlib.util.find_spec(name) is not None:
        name = f"own_{name}"
    sys.path.append(str(path.parent))
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise CannotLoad("it is not a Python file", "Its name must end with .py.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def _entry(target: str) -> object:
    module_name, _, attribute = target.partition(":")
    found: Any = importlib.import_module(module_name)
    for part in filter(None, attribute.split(".")):
        if not hasattr(found, part):
            raise CannotLoad(
                f"{module_name} has no {attribute}", "Its entry point names what is not there."
            )
        found = getattr(found, part)
    return found


def _line(error: BaseException, target: str) -> str:
    """Where in the user's file it was raised; `?` where that is elsewhere."""
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if frame.filename == target]
    return str(lines[-1] if lines else "?")


def _own_descriptors() -> tuple[int, int]:
    """stdin and stdout, which the tools then have no more: they read nothing, and print to stderr."""
    commands, frames = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    sys.stdin = open(os.devnull, encoding="utf-8")  # noqa: SIM115 - for the life of the process
    return commands, frames


if __name__ == "__main__":
    descriptors = _own_descriptors()
    asyncio.run(Worker(*descriptors, sys.argv[3]).run(sys.argv[1], sys.argv[2]))
    # A thread of a tool that hangs must not keep the process.
    os._exit(0)
