"""The MCP host: the process in which the SDK runs, for all servers of one app.

    python -P -m chatglass.tools.mcp.host SOCKET LIFE SPOOL

SOCKET is a connected socket to the app (`frames.py`); LIFE a pipe whose other end only the app
holds, which goes on to the supervisor of each server, so that all of them end with the app even
where this process hangs; SPOOL a folder for what is too long for a frame. Results are parsed and
cut here: neither the SDK's import nor a line of 20 MB holds up the app.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import os
import shutil
import socket
import sys
from typing import Any

from mcp.shared.exceptions import MCPError
from pydantic import ValidationError

from chatglass.tools.mcp.frames import LARGEST, decode, encode
from chatglass.tools.mcp.host.connection import Connection
from chatglass.tools.mcp.host.failures import Lost
from chatglass.tools.tool import JsonObject
from chatglass.values.text import one_line

_CLOSE_S = 10.0


class McpHost:
    """Reads commands until the app closes the socket."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, app_life: int, spool: str
    ) -> None:
        self._reader = reader
        self._writer = writer
        self.app_life = app_life
        self.spool = spool
        self.roots: list[str] = []
        self.token_file: str | None = None
        self._connections: dict[str, tuple[Connection, asyncio.Task[None]]] = {}
        self._requests: dict[int, asyncio.Task[None]] = {}
        self._asked: dict[int, asyncio.Future[Any]] = {}
        self._numbers = itertools.count(1)

    async def run(self) -> None:
        async for line in self._reader:
            self._obey(decode(line))
        await self._end_all()

    def send(self, frame: JsonObject) -> None:
        if not self._writer.is_closing():
            self._writer.write(encode(frame))

    async def ask(self, server: str, kind: str, question: JsonObject) -> Any:
        """A question to the app. Cancelled, it is withdrawn."""
        number = next(self._numbers)
        future = self._asked[number] = asyncio.get_running_loop().create_future()
        self.send(
            {"on": "ask", "ask": number, "server": server, "kind": kind, "question": question}
        )
        try:
            return await future
        except asyncio.CancelledError:
            self.send({"on": "withdrawn", "ask": number})
            raise
        finally:
            del self._asked[number]

    def _obey(self, frame: JsonObject) -> None:
        match frame["do"]:
            case "open":
                self._open(frame)
            case "close":
                if found := self._connections.get(frame["server"]):
                    found[0].end()
            case "call" | "read" | "prompt" | "complete":
                task = asyncio.create_task(self._serve(frame))
                self._requests[frame["id"]] = task
            case "cancel":
                if task := self._requests.get(frame["id"]):
                    task.cancel()
            case "answer":
                future = self._asked.get(frame["ask"])
                if future is not None and not future.done():
                    future.set_result(frame["value"])
            case "roots":
                self._set_roots(frame["roots"])
            case "settings":
                self.token_file = frame["token_file"]
            case other:
                raise ValueError(f"unknown command {other!r}")

    def _open(self, frame: JsonObject) -> None:
        name = frame["server"]
        connection = Connection(self, frame)

        async def run_after(previous: asyncio.Task[None] | None) -> None:
            if previous is not None:
                # Its end has been told; here it only has to be over.
                await asyncio.wait([previous])
            await connection.run()

        before = self._connections.get(name)
        if before is not None:
            before[0].end()
        task = asyncio.create_task(run_after(before[1] if before else None))
        self._connections[name] = (connection, task)

    def _set_roots(self, roots: list[str]) -> None:
        changed = roots != self.roots
        self.roots = roots
        if changed:
            for connection, _ in self._connections.values():
                number = -next(self._numbers)
                task = asyncio.create_task(connection.roots_changed())
                self._requests[number] = task
                task.add_done_callback(lambda _, number=number: self._requests.pop(number))

    async def _serve(self, frame: JsonObject) -> None:
        number = frame["id"]
        try:
            found = self._connections.get(frame["server"])
            if found is None:
                raise Lost("It is not connected.")
            connection = found[0]
            serve = {
                "call": connection.call,
                "read": connection.read_resource,
                "prompt": connection.get_prompt,
                "complete": connection.complete,
            }[frame["do"]]
            self.send({"on": "result", "id": number, **await serve(frame)})
        except Lost as error:
            self.send({"on": "error", "id": number, "text": str(error), "lost": True})
        except MCPError as error:
            text = f"{one_line(error.message, 4_000)} (code {error.code})"
            self.send({"on": "error", "id": number, "text": text})
        except ValidationError as error:
            text = f"It answered what the protocol does not allow: {one_line(str(error), 1_000)}"
            self.send({"on": "error", "id": number, "text": text})
        # Whatever else one answer brings about in the SDK costs this request, not the process.
        except Exception as error:  # noqa: BLE001
            text = f"{type(error).__name__}: {one_line(str(error), 1_000)}"
            self.send({"on": "error", "id": number, "text": text})
        finally:
            del self._requests[number]

    async def _end_all(self) -> None:
        for connection, _ in self._connections.values():
            connection.end()
        tasks = [task for _, task in self._connections.values()]
        if tasks:
            await asyncio.wait(tasks, timeout=_CLOSE_S)


async def _main(descriptor: int, app_life: int, spool: str) -> None:
    connected = socket.socket(fileno=descriptor)
    reader, writer = await asyncio.open_unix_connection(sock=connected, limit=LARGEST)
    try:
        await McpHost(reader, writer, app_life, spool).run()
    finally:
        shutil.rmtree(spool, ignore_errors=True)


if __name__ == "__main__":
    # What the SDK logs holds parts of foreign messages; what matters of it reaches the app.
    logging.getLogger().addHandler(logging.NullHandler())
    descriptors = int(sys.argv[1]), int(sys.argv[2])
    for inherited in descriptors:
        os.set_inheritable(inherited, False)
    # The app's Ctrl+C is not ours: it closes the socket when it ends.
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_main(*descriptors, sys.argv[3]))
