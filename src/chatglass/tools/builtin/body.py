"""Reading the body of a response, bounded also where it is compressed."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import httpx2

BODY_LIMIT = 10 * 1024 * 1024


class BodyTooLarge(Exception):
    """More than BODY_LIMIT bytes, as sent or unpacked."""


class UnreadableBody(Exception):
    """Packed in a way that was not asked for, or damaged."""


async def read_body(response: httpx2.Response) -> bytes:
    """The unpacked body. httpx's own unpacking has no bound: a few kB can become gigabytes."""
    encoding = response.headers.get("content-encoding", "identity").strip().lower()
    # 16 + 15: gzip with the largest window (zlib's inflateInit2).
    unpack = zlib.decompressobj(31) if encoding in ("gzip", "x-gzip") else None
    if unpack is None and encoding not in ("", "identity"):
        raise UnreadableBody(
            f"{response.url.host} sent {encoding}-packed data, which was not asked for."
        )
    body = bytearray()
    async for piece in response.aiter_raw():
        try:
            body += (
                piece if unpack is None else unpack.decompress(piece, BODY_LIMIT + 1 - len(body))
            )
        except zlib.error as error:
            raise UnreadableBody(f"{response.url.host} sent damaged gzip data: {error}.") from None
        if len(body) > BODY_LIMIT:
            raise BodyTooLarge(
                f"The answer is larger than {BODY_LIMIT // 1024 // 1024} MB. Download it with"
                " run_command, and read the file."
            )
    return bytes(body)
