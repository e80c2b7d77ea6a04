"""DemoServer: an OpenAI-compatible server inside the program.

It listens on loopback, on a free port, behind a random bearer token, in the running event loop.
What it answers is scripted: by `script()` first, else by `answers.answer()`.
"""

from __future__ import annotations

import asyncio
import dataclasses
import hashlib
import json
import secrets
import time
from collections import Counter, deque
from collections.abc import Sequence
from typing import Any, cast

import h11

from chatglass.models.demo import script as scripts
from chatglass.models.demo.chunks import Envelope, counted_usage, encode, stream, whole
from chatglass.models.demo.counting import PromptCounter
from chatglass.models.demo.http import HttpConnection, HttpRequest, TooLarge
from chatglass.models.demo.reported import Reported
from chatglass.models.demo.script import Reply
from chatglass.models.demo.validate import tools_violation, violation
from chatglass.models.wire import JsonObject

MODELS = ("demo", "demo-fast", "demo-reasoning")
WINDOW = 32_768
"""The context window it tells, as vLLM does, by `max_model_len`; prompts over it get a 400."""
RATE = 75.0
"""Tokens a second: about twice the speed of reading."""

_KEPT_REQUESTS = 200
_KEPT_BYTES = 8_000_000
_JSON = {"content-type": "application/json"}
_EVENT_STREAM = {"content-type": "text/event-stream; charset=utf-8", "cache-control": "no-cache"}


class DemoServer:
    """`async with DemoServer() as demo:`, or `await start()` and `await stop()`.

    `window` and `models` replace what it tells and takes; `rate` is in tokens a second, 0 as fast
    as possible. `control` adds the routes of `chatglass.models.demo.control`.
    """

    def __init__(
        self,
        *,
        window: int = WINDOW,
        models: Sequence[str] = MODELS,
        rate: float = RATE,
        port: int = 0,
        control: bool = False,
    ) -> None:
        self.token = secrets.token_urlsafe(24)
        self.window = window
        self.models = tuple(models)
        self.rate = rate
        self.requests: deque[HttpRequest] = deque()
        """Completion requests as received, newest last: at most 200, and 8 MB beside the newest."""
        self.received = 0
        """All completion requests so far."""
        self.aborted = 0
        """Streams that the client left before their end."""
        self.violations: list[str] = []
        """What was wrong with message lists that got a 400."""
        self.reported = Reported()
        self._port = port
        self._control = control
        self._script: deque[Reply] = deque()
        self._refused: tuple[str, ...] = ()
        self._gates: dict[str, asyncio.Event] = {}
        self._counter = PromptCounter()
        self._bodies: Counter[int] = Counter()
        self._news = asyncio.Condition()
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()

    # -- life
    async def start(self) -> DemoServer:
        """Listen. Raises OSError where loopback can't be had."""
        if self._server is None:
            self._server = await asyncio.start_server(self._accept, "127.0.0.1", self._port)
            self._port = self._server.sockets[0].getsockname()[1]
        return self

    async def stop(self) -> None:
        """End all connections. Idempotent."""
        server, self._server = self._server, None
        if server is None:
            return
        server.close()
        for task in self._connections:
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)
        await server.wait_closed()

    async def __aenter__(self) -> DemoServer:
        return await self.start()

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    @property
    def base_url(self) -> str:
        """What an OpenAI client takes as its base URL; valid once started."""
        return f"http://127.0.0.1:{self._port}/v1"

    # -- scripting
    def script(self, *replies: Reply | str) -> None:
        """Queue replies for the next completion requests; a text is a plain answer."""
        self._script.extend(Reply(text=r) if isinstance(r, str) else r for r in replies)

    @property
    def scripted(self) -> int:
        """How many queued replies are left."""
        return len(self._script)

    def refuse(self, *fields: str) -> None:
        """Answer 400 to requests that have one of these fields. Replaces what was refused before."""
        self._refused = fields

    def gate(self, name: str) -> asyncio.Event:
        """The event that `Reply.gates` means by `name`; `set()` lets the stream go on."""
        return self._gates.setdefault(name, asyncio.Event())

    async def wait_received(self, number: int) -> HttpRequest:
        """Wait until so many completion requests have come in all; the newest one."""
        async with self._news:
            await self._news.wait_for(lambda: self.received >= number)
        return self.requests[-1]

    async def wait_aborted(self, number: int) -> None:
        """Wait until clients have left so many streams in all."""
        async with self._news:
            await self._news.wait_for(lambda: self.aborted >= number)

    # -- connections
    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = cast("asyncio.Task[None]", asyncio.current_task())
        self._connections.add(task)
        connection = HttpConnection(reader, writer)
        try:
            while (request := await connection.receive()) is not None:
                await self._route(connection, request)
                if not connection.reuse():
                    break
        except TooLarge:
            await self._send_reply(connection, scripts.error(413, "The request is too large."))
        except (ConnectionError, h11.ProtocolError):
            connection.abort()
        except asyncio.CancelledError:
            connection.abort()  # only `stop()` cancels, and it waits for this task
        finally:
            self._connections.discard(task)
            connection.close()

    async def _route(self, connection: HttpConnection, request: HttpRequest) -> None:
        path = request.path.partition("?")[0].rstrip("/")
        if not secrets.compare_digest(
            request.header("authorization").encode(), f"Bearer {self.token}".encode()
        ):
            await self._send_reply(connection, scripts.unauthorized())
        elif (request.method, path) == ("GET", "/v1/models"):
            await connection.respond(200, _JSON, encode(self._model_list()))
        elif (request.method, path) == ("POST", "/v1/chat/completions"):
            await self._completion(connection, request)
        elif self._control and path.startswith("/control/"):
            from chatglass.models.demo.control import control

            status, value = control(self, request.method, path, request.body)
            await connection.respond(status, _JSON, encode(value))
        else:
            reply = scripts.error(404, f"Unknown request URL: {request.method} {path}.")
            await self._send_reply(connection, reply)

    def _model_list(self) -> JsonObject:
        entries = [
            {"id": m, "object": "model", "owned_by": "chatglass", "max_model_len": self.window}
            for m in self.models
        ]
        return {"object": "list", "data": entries}

    # -- completions
    async def _completion(self, connection: HttpConnection, request: HttpRequest) -> None:
        await self._record(request)
        try:
            body: Any = json.loads(request.body)
        except ValueError as cause:
            body = cause
        if not isinstance(body, dict):
            await self._send_reply(connection, scripts.error(400, f"Not a JSON object: {body}."))
            return
        fields = cast("JsonObject", body)
        reply = self._objection(fields)
        if reply is None and self._script:
            reply = self._script.popleft()
        if reply is None:
            reply = self._natural(request, fields)
        reply = _with_ids(reply, request.body)
        if not await connection.while_connected(self._send_completion(connection, fields, reply)):
            connection.abort()
            async with self._news:
                self.aborted += 1
                self._news.notify_all()

    async def _record(self, request: HttpRequest) -> None:
        self.requests.append(request)
        size = sum(len(kept.body) for kept in self.requests)
        while len(self.requests) > 1 and (
            len(self.requests) > _KEPT_REQUESTS or size - len(request.body) > _KEPT_BYTES
        ):
            size -= len(self.requests.popleft().body)
        async with self._news:
            self.received += 1
            self._news.notify_all()

    def _objection(self, fields: JsonObject) -> Reply | None:
        """The 4xx for a request that is wrong in itself."""
        for name in self._refused:
            if name in fields:
                return scripts.refused(name)
        problem = violation(fields.get("messages"))
        if problem:
            self.violations.append(problem)
            return scripts.error(400, problem, param="messages")
        problem = tools_violation(fields.get("tools"))
        if problem:
            return scripts.error(400, problem, param="tools")
        model = fields.get("model")
        if model not in self.models:
            return scripts.no_such_model(str(model))
        return None

    def _natural(self, request: HttpRequest, fields: JsonObject) -> Reply:
        # ~10 ms of patterns and texts, which a start does not need.
        from chatglass.models.demo.answers import answer, shorten

        prompt = self._counter.count(fields["model"], fields.get("tools") or (), fields["messages"])
        if prompt.prompt > self.window:
            return scripts.context_overflow(self.window, prompt.prompt)
        key = hash(request.body)
        self._bodies[key] += 1
        reply = answer(fields, attempt=self._bodies[key])
        if reply.body is None:
            usage = counted_usage(reply, prompt)
            most = fields.get("max_completion_tokens") or fields.get("max_tokens")
            if isinstance(most, int) and usage["completion_tokens"] > most > 0:
                reply = shorten(reply, most)
                usage = counted_usage(reply, prompt)
            return dataclasses.replace(reply, usage=usage)
        return reply

    async def _send_completion(
        self, connection: HttpConnection, fields: JsonObject, reply: Reply
    ) -> None:
        if reply.first_byte_delay:
            await asyncio.sleep(reply.first_byte_delay)
        await self._pass_gate(reply, -1)
        if reply.body is not None:
            await self._send_reply(connection, reply)
            return
        usage = reply.usage
        if usage is None:
            prompt = self._counter.count(
                fields["model"], fields.get("tools") or (), fields["messages"]
            )
            usage = counted_usage(reply, prompt)
        envelope = Envelope(f"chatcmpl-demo-{self.received}", fields["model"], int(time.time()))
        if reply.usage_place == "none":
            usage = None
        if not fields.get("stream"):
            await connection.respond(
                reply.status, {**_JSON, **reply.headers}, encode(whole(reply, envelope, usage))
            )
            if usage is not None:
                self.reported.add(usage)
            return
        match fields.get("stream_options"):
            case {"include_usage": True}:
                wanted = True
            case _:
                wanted = False
        if reply.usage_place == "own chunk" and not wanted:
            usage = None
        await self._send_stream(connection, reply, envelope, usage)

    async def _send_stream(
        self, connection: HttpConnection, reply: Reply, envelope: Envelope, usage: JsonObject | None
    ) -> None:
        rate = reply.rate
        if rate is None:
            rate = 0.0 if envelope.model == "demo-fast" else self.rate
        loop = asyncio.get_running_loop()
        await connection.start(reply.status, {**_EVENT_STREAM, **reply.headers})
        due = loop.time()
        for number, event in enumerate(stream(reply, envelope, usage)):
            if number in reply.gates:
                await self._pass_gate(reply, number)
                due = loop.time()
            if number == reply.cut_before:
                connection.abort()
                raise ConnectionResetError("cut by the script")
            if number in reply.inject:
                await self._write(connection, reply, reply.inject[number].encode())
            await self._write(connection, reply, event.data)
            if event.usage is not None:
                self.reported.add(event.usage)
            if rate:
                due = max(due + 1 / rate, loop.time() - 0.1)
                await asyncio.sleep(max(0.0, due - loop.time()))
            elif number % 16 == 0:
                await asyncio.sleep(0)
        await connection.end()

    async def _pass_gate(self, reply: Reply, number: int) -> None:
        gate = reply.gates.get(number)
        if gate is not None:
            await (self.gate(gate) if isinstance(gate, str) else gate).wait()

    async def _write(self, connection: HttpConnection, reply: Reply, data: bytes) -> None:
        if not reply.byte_by_byte:
            await connection.send(data)
            return
        for at in range(len(data)):
            await connection.send(data[at : at + 1])
            await asyncio.sleep(0)

    async def _send_reply(self, connection: HttpConnection, reply: Reply) -> None:
        """A response that is no completion."""
        body = (reply.body or "").encode("utf-8", "surrogatepass")
        headers = {"content-type": reply.content_type, **reply.headers}
        await connection.respond(reply.status, headers, body)


def _with_ids(reply: Reply, body: bytes) -> Reply:
    """Give its calls ids that are the same for the same request, and else unique: a session goes
    on with another server when the program is started again."""
    if not reply.calls:
        return reply
    mark = hashlib.blake2b(body, digest_size=6).hexdigest()
    calls = tuple(
        call if call.id is not None else dataclasses.replace(call, id=f"call_{mark}_{position}")
        for position, call in enumerate(reply.calls)
    )
    return dataclasses.replace(reply, calls=calls)
