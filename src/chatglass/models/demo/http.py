"""One HTTP/1.1 connection of the demo server: h11 over asyncio streams."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass
from typing import Any

import h11

BODY_LIMIT = 64 * 1024 * 1024
_READ = 64 * 1024


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """A whole request. Header names are lower case, in the order received."""

    method: str
    path: str
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def header(self, name: str) -> str:
        """The first header of that lower-case name, empty where there is none."""
        return next((value for key, value in self.headers if key == name), "")


class TooLarge(Exception):
    """The body of a request is larger than `BODY_LIMIT`."""


class HttpConnection:
    """Reads requests and writes responses, one after the other."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._h11 = h11.Connection(h11.SERVER)

    async def receive(self) -> HttpRequest | None:
        """The next request; None where the peer is done.

        Raises h11.RemoteProtocolError, TooLarge and ConnectionError.
        """
        head: h11.Request | None = None
        body = bytearray()
        while True:
            event = self._h11.next_event()
            if event is h11.NEED_DATA:
                self._h11.receive_data(await self._reader.read(_READ))
            elif isinstance(event, h11.Request):
                head = event
                if self._h11.they_are_waiting_for_100_continue:
                    await self._send(h11.InformationalResponse(status_code=100, headers=[]))
            elif isinstance(event, h11.Data):
                body += event.data
                if len(body) > BODY_LIMIT:
                    raise TooLarge
            elif isinstance(event, h11.EndOfMessage) and head is not None:
                return HttpRequest(
                    head.method.decode("ascii"),
                    head.target.decode("ascii"),
                    tuple((k.decode("ascii"), v.decode("latin-1")) for k, v in head.headers),
                    bytes(body),
                )
            else:
                return None

    async def respond(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        """A whole response."""
        await self.start(status, {**headers, "content-length": str(len(body))})
        await self.send(body)
        await self.end()

    async def start(self, status: int, headers: Mapping[str, str]) -> None:
        """The status line and headers; without `content-length` the body is chunked."""
        await self._send(h11.Response(status_code=status, headers=list(headers.items())))

    async def send(self, data: bytes) -> None:
        await self._send(h11.Data(data=data))

    async def end(self) -> None:
        await self._send(h11.EndOfMessage())

    def reuse(self) -> bool:
        """Make ready for the next request; False where this connection must close."""
        if self._h11.our_state is not h11.DONE or self._h11.their_state is not h11.DONE:
            return False
        self._h11.start_next_cycle()
        return True

    def abort(self) -> None:
        """Drop the connection without a proper end."""
        self._writer.transport.abort()

    def close(self) -> None:
        """Close once what was written has gone out."""
        self._writer.close()

    async def while_connected(self, work: Coroutine[Any, Any, None]) -> bool:
        """Run `work`, and cancel it when the peer goes away. True if it came to its end."""
        task = asyncio.ensure_future(work)
        gone = asyncio.ensure_future(self._reader.read(_READ))
        try:
            while True:
                await asyncio.wait({task, gone}, return_when=asyncio.FIRST_COMPLETED)
                if task.done():
                    task.result()
                    return True
                early = gone.result()
                if not early:
                    return False
                self._h11.receive_data(early)
                gone = asyncio.ensure_future(self._reader.read(_READ))
        finally:
            task.cancel()
            gone.cancel()
            await asyncio.gather(task, gone, return_exceptions=True)

    async def _send(
        self, event: h11.InformationalResponse | h11.Response | h11.Data | h11.EndOfMessage
    ) -> None:
        data = self._h11.send(event)
        if data:
            self._writer.write(data)
            await self._writer.drain()
