"""Servers that are reached by HTTP: streamable HTTP, and the older SSE transport."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import httpx2
from mcp.client import Transport
from mcp.client.sse import sse_client
from mcp.client.streamable_http import streamable_http_client

from chatglass.tools.limits import PRODUCED_LIMIT

_TIMEOUT = httpx2.Timeout(30, read=600)
"""Between two pieces of a stream; a call as a whole is bounded by the app."""


class TooMuch(httpx2.StreamError):
    """A response over the limit. A StreamError: those cost the SDK one request, others the connection."""


class _BoundedStream(httpx2.AsyncByteStream):
    def __init__(self, stream: httpx2.AsyncByteStream) -> None:
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        size = 0
        async for piece in self._stream:
            size += len(piece)
            if size > PRODUCED_LIMIT:
                raise TooMuch(
                    f"The result has more than {PRODUCED_LIMIT // 1024 // 1024} MB, the limit."
                )
            yield piece

    async def aclose(self) -> None:
        await self._stream.aclose()


class _BoundedTransport(httpx2.AsyncHTTPTransport):
    """Ends JSON responses that pass the limit; event streams are bounded per event by the SDK."""

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        response = await super().handle_async_request(request)
        kind = response.headers.get("content-type", "")
        if not kind.startswith("text/event-stream"):
            assert isinstance(response.stream, httpx2.AsyncByteStream)
            response.stream = _BoundedStream(response.stream)
        return response


def _client(
    headers: Mapping[str, str] | None = None,
    timeout: httpx2.Timeout | None = None,
    auth: httpx2.Auth | None = None,
) -> httpx2.AsyncClient:
    # Packed responses could grow past any limit on what is sent.
    own = {"Accept-Encoding": "identity", **(headers or {})}
    return httpx2.AsyncClient(
        headers=own, timeout=timeout or _TIMEOUT, auth=auth, transport=_BoundedTransport()
    )


@asynccontextmanager
async def http_transport(
    url: str, headers: Mapping[str, str], auth: httpx2.Auth | None
) -> AsyncGenerator[Any]:
    """The streams of a streamable HTTP server."""
    async with (
        _client(headers, auth=auth) as client,
        streamable_http_client(
            url, http_client=client, max_sse_event_size=PRODUCED_LIMIT
        ) as streams,
    ):
        yield streams


def sse_transport(url: str, headers: Mapping[str, str], auth: httpx2.Auth | None) -> Transport:
    """The streams of a server of the older kind."""
    return sse_client(
        url,
        headers=dict(headers),
        auth=auth,
        timeout=30,
        sse_read_timeout=600,
        httpx_client_factory=_client,
    )
