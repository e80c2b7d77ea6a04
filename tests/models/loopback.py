"""A raw HTTP server on loopback whose answers a test scripts byte by byte."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from chatglass.models.wire import (
    Endpoint,
    Finished,
    ModelEvent,
    ModelRequest,
    ReasoningPiece,
    TextPiece,
)


@dataclass(frozen=True)
class Received:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    reader: asyncio.StreamReader = field(repr=False)

    @property
    def json(self) -> Any:
        return json.loads(self.body)


Reply = Callable[[Received, asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Loopback:
    """Answers each request with the next of `replies`; the last one again and again."""

    port: int = 0
    replies: list[Reply] = field(default_factory=list)
    paths: dict[str, Reply] = field(default_factory=dict)
    received: list[Received] = field(default_factory=list)
    connections: int = 0
    tasks: set[asyncio.Task[None]] = field(default_factory=set)
    closed: asyncio.Event = field(default_factory=asyncio.Event)
    """A connection was closed by the client while it was being answered."""

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def script(self, *replies: Reply) -> None:
        self.replies = list(replies)

    def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self.serve(reader, writer))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while (request := await _read(reader)) is not None:
                self.received.append(request)
                reply = self.paths.get(request.path)
                if reply is None:
                    if not self.replies:
                        reply = json_reply({"error": {"message": "no such path"}}, 404)
                    else:
                        reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
                await reply(request, writer)
                if writer.is_closing():
                    return
        except ConnectionError:
            self.closed.set()
        finally:
            writer.close()


async def _read(reader: asyncio.StreamReader) -> Received | None:
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    except asyncio.IncompleteReadError:
        return None
    method, path, _ = head[0].split(" ")
    headers = {
        name.lower(): value.strip()
        for name, _, value in (line.partition(":") for line in head[1:] if line)
    }
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return Received(method, path, headers, body, reader)


@asynccontextmanager
async def loopback(*replies: Reply) -> AsyncIterator[Loopback]:
    server = Loopback(replies=list(replies))
    listener = await asyncio.start_server(server.accept, "127.0.0.1", 0)
    server.port = listener.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listener.close()
        for task in server.tasks:
            task.cancel()
        await asyncio.gather(*server.tasks, return_exceptions=True)


def head(status: int = 200, content_type: str = "text/event-stream", **headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status} X", f"Content-Type: {content_type}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def raw(*pieces: bytes) -> Reply:
    """Writes the pieces, each in a write of its own, and closes the connection."""

    async def reply(request: Received, writer: asyncio.StreamWriter) -> None:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0)
        writer.close()

    return reply


def _frame(data: bytes) -> bytes:
    return f"{len(data):x}\r\n".encode() + data + b"\r\n"


def chunked(*pieces: bytes, end: bool = True, status: int = 200) -> Reply:
    """The pieces as HTTP chunks, on a connection that stays open; `end=False`: dropped instead."""

    async def reply(request: Received, writer: asyncio.StreamWriter) -> None:
        writer.write(head(status, Transfer_Encoding="chunked"))
        for piece in pieces:
            writer.write(_frame(piece))
            await writer.drain()
            await asyncio.sleep(0)
        if end:
            writer.write(b"0\r\n\r\n")
            await writer.drain()
        else:
            writer.close()

    return reply


def stalls(*pieces: bytes, started: asyncio.Event | None = None) -> Reply:
    """The pieces, then nothing more; the connection stays open until the client closes it."""

    async def reply(request: Received, writer: asyncio.StreamWriter) -> None:
        if pieces:
            writer.write(head(Transfer_Encoding="chunked"))
        for piece in pieces:
            writer.write(_frame(piece))
        await writer.drain()
        if started is not None:
            started.set()
        await request.reader.read(1)
        raise ConnectionResetError

    return reply


def json_reply(
    value: object, status: int = 200, content_type: str = "application/json", **headers: str
) -> Reply:
    data = value if isinstance(value, bytes) else json.dumps(value).encode()

    async def reply(request: Received, writer: asyncio.StreamWriter) -> None:
        writer.write(head(status, content_type, Content_Length=str(len(data)), **headers) + data)
        await writer.drain()

    return reply


def error_reply(status: int, message: str, **fields: Any) -> Reply:
    return json_reply({"error": {"message": message, **fields}}, status)


def delta(**fields: Any) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": fields, "finish_reason": None}]}


def finish(reason: str | None = "stop", **fields: Any) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": {}, "finish_reason": reason}], **fields}


USAGE = {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18}


def sse(*chunks: object, done: bool = True) -> bytes:
    out = b"".join(b"data: " + json.dumps(chunk).encode() + b"\n\n" for chunk in chunks)
    return out + (b"data: [DONE]\n\n" if done else b"")


def answer(*chunks: object, done: bool = True) -> Reply:
    """One event stream that ends as HTTP says it should."""
    return chunked(sse(*chunks, done=done))


HELLO = answer(delta(content="Hello"), finish(), {"choices": [], "usage": USAGE})


def endpoint(server: Loopback, **fields: Any) -> Endpoint:
    values: dict[str, Any] = {"name": "here", "base_url": server.base_url, "is_local": True}
    return Endpoint(**{**values, **fields})


PROMPT = ModelRequest(model="m1", messages=[{"role": "user", "content": "hi"}])


@dataclass(frozen=True)
class Outcome:
    events: list[ModelEvent]

    @property
    def text(self) -> str:
        return "".join(e.text for e in self.events if isinstance(e, TextPiece))

    @property
    def reasoning(self) -> str:
        return "".join(e.text for e in self.events if isinstance(e, ReasoningPiece))

    @property
    def finished(self) -> Finished:
        assert isinstance(self.events[-1], Finished)
        assert sum(isinstance(e, Finished) for e in self.events) == 1
        return self.events[-1]

    def of(self, kind: type) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]


async def collect(
    events: AsyncIterator[ModelEvent], into: list[ModelEvent] | None = None
) -> Outcome:
    found: list[ModelEvent] = [] if into is None else into
    async for event in events:
        found.append(event)
    return Outcome(found)


def pieces_of(data: bytes, cuts: Iterable[int]) -> list[bytes]:
    places = [0, *sorted(set(cuts)), len(data)]
    return [data[a:b] for a, b in itertools.pairwise(places) if a < b]
