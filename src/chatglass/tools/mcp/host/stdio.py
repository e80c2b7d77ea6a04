"""The stdio transport: JSON-RPC, a message a line, over a PipedProcess.

Not the SDK's own: that one takes seconds for a line of 20 MB, has no limit, and leaves a request
waiting for ever when its answer carries a wrong id.
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, cast

import anyio
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from mcp.shared.message import SessionMessage
from mcp_types import (
    INVALID_REQUEST,
    ErrorData,
    JSONRPCError,
    JSONRPCMessage,
    JSONRPCNotification,
    JSONRPCRequest,
    JSONRPCResponse,
    RequestId,
    jsonrpc_message_adapter,
)
from pydantic import ValidationError

from chatglass.tools.json_values import storable_json
from chatglass.tools.limits import PRODUCED_LIMIT
from chatglass.tools.line_reader import END_KEPT, LineReader, TooLong
from chatglass.tools.piped_process import PipedProcess
from chatglass.values.text import one_line

_MOST_GARBAGE = 1_000
"""Lines that are no messages, without one between them, after which the server is given up."""
_HEAD_ID = re.compile(rb'^\s*\{(?:\s*"jsonrpc"\s*:\s*"2\.0"\s*,)?\s*"id"\s*:\s*(\d+|"[^"\\]*")\s*,')
_TAIL_ID = re.compile(rb'"id"\s*:\s*(\d+|"[^"\\]*")\s*(?:,\s*"jsonrpc"\s*:\s*"2\.0"\s*)?\}\s*$')

Read = MemoryObjectReceiveStream[SessionMessage | Exception]
Write = MemoryObjectSendStream[SessionMessage]


class NotMcp(Exception):
    """The server writes what is no protocol. `str()` shows a line of it."""


class Traffic:
    """Which requests are open, and what of the server's lines was wrong.

    `tell` gets a sentence for the log of each fault.
    """

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell = tell
        self._open: set[RequestId] = set()
        self._issued: set[RequestId] = set()
        self._garbage = 0
        self.first_garbage = ""

    def sent(self, message: JSONRPCMessage) -> None:
        if isinstance(message, JSONRPCRequest):
            self._open.add(message.id)
            self._issued.add(message.id)
        elif (
            isinstance(message, JSONRPCNotification) and message.method == "notifications/cancelled"
        ):
            cancelled = (message.params or {}).get("requestId")
            self._open.discard(cast(Any, cancelled))

    def received(self, line: bytes | TooLong) -> JSONRPCMessage | None:
        """The message of a line, or the error that stands for it. Raises NotMcp."""
        if isinstance(line, TooLong):
            return self._too_long(line)
        if not line.strip():
            return None
        try:
            message = parse(line)
        except ValueError:
            return self._unreadable(line)
        self._garbage = 0
        if isinstance(message, JSONRPCResponse | JSONRPCError):
            return self._answered(message)
        return message

    def _answered(self, message: JSONRPCResponse | JSONRPCError) -> JSONRPCMessage | None:
        if message.id in self._open:
            self._open.discard(message.id)
            return message
        if message.id in self._issued:
            # The late answer of a request that was given up.
            return None
        self._tell(f"It answered a request with the id {message.id!r}, which was never made.")
        if len(self._open) != 1:
            # Which of them it was meant for can't be known; theirs may still come.
            return None
        if isinstance(message, JSONRPCError) and message.id is None:
            return JSONRPCError(jsonrpc="2.0", id=self._open.pop(), error=message.error)
        text = f"The server answered with the id {message.id!r}, which was never asked for."
        return self._failed(self._open.pop(), text)

    def _too_long(self, line: TooLong) -> JSONRPCMessage | None:
        size = f"{line.size / 1024 / 1024:.0f} MB"
        limit = f"the limit is {PRODUCED_LIMIT // 1024 // 1024} MB"
        given = _id_in(line.head, line.tail)
        if given not in self._open and len(self._open) == 1:
            given = next(iter(self._open))
        self._tell(f"It sent a message of {size}; {limit}. It was dropped.")
        if given not in self._open:
            return None
        self._open.discard(given)
        return self._failed(given, f"The result has {size}; {limit}. Ask for less of it.")

    def _unreadable(self, line: bytes) -> JSONRPCMessage | None:
        """No message; where it says which request it is meant for, that one has failed."""
        self._note_garbage(line)
        given = _id_in(line[:END_KEPT], line[-END_KEPT:])
        if given not in self._open:
            return None
        self._open.discard(given)
        return self._failed(given, "The server's answer is not valid JSON-RPC.")

    def _note_garbage(self, line: bytes) -> None:
        shown = one_line(line[:400].decode("utf-8", "replace"), 200)
        self.first_garbage = self.first_garbage or shown
        self._garbage += 1
        if self._garbage <= 5:
            self._tell(f"Its stdout holds a line that is no message of the protocol: {shown}")
        if self._garbage > _MOST_GARBAGE:
            raise NotMcp(f"its stdout is not the protocol: {self.first_garbage}")

    @staticmethod
    def _failed(request: RequestId, text: str) -> JSONRPCError:
        error = ErrorData(code=INVALID_REQUEST, message=text)
        return JSONRPCError(jsonrpc="2.0", id=request, error=error)


def _id_in(head: bytes, tail: bytes) -> Any:
    """The id in a line that is not parsed, where it stands at one of its ends."""
    found = _HEAD_ID.search(head) or _TAIL_ID.search(tail)
    return json.loads(found[1]) if found else None


def parse(line: bytes) -> JSONRPCMessage:
    """A message, also where its text is not quite UTF-8 or holds half a surrogate pair.

    Raises ValueError.
    """
    try:
        return jsonrpc_message_adapter.validate_json(line, by_name=False)
    except ValidationError:
        try:
            lenient = json.loads(line.decode("utf-8", "replace"))
        except RecursionError:
            raise ValueError("nested too deeply") from None
        return jsonrpc_message_adapter.validate_python(storable_json(lenient), by_name=False)


@asynccontextmanager
async def stdio_transport(
    process: PipedProcess,
    start: Callable[[], Awaitable[None]],
    traffic: Traffic,
    on_fault: Callable[[str], None],
) -> AsyncGenerator[tuple[Read, Write]]:
    """The streams of a process, which is started here and stopped at the end. `on_fault` is told
    why the connection ends before that."""
    await start()
    read_writer, read = anyio.create_memory_object_stream[SessionMessage | Exception](0)
    write, write_reader = anyio.create_memory_object_stream[SessionMessage](0)

    async def pass_on(line: bytes | TooLong) -> None:
        message = traffic.received(line)
        if message is not None:
            await read_writer.send(SessionMessage(message))

    async def reads() -> None:
        lines = LineReader(PRODUCED_LIMIT)
        async with read_writer:
            try:
                while piece := await process.read():
                    for line in lines.feed(piece):
                        await pass_on(line)
            except NotMcp as error:
                on_fault(str(error))
            except (anyio.BrokenResourceError, anyio.ClosedResourceError, OSError):
                # The session or the pipe is closed: either way nothing more is read.
                return

    async def writes() -> None:
        async with write_reader:
            async for item in write_reader:
                traffic.sent(item.message)
                data = item.message.model_dump_json(by_alias=True, exclude_unset=True)
                try:
                    await process.write(data.encode("utf-8", "replace") + b"\n")
                except OSError:
                    # It reads no more; its end is what `reads` and the status pipe tell.
                    return

    try:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(reads)
            tasks.start_soon(writes)
            try:
                yield read, write
            finally:
                tasks.cancel_scope.cancel()
    finally:
        with anyio.CancelScope(shield=True):
            await process.stop()
