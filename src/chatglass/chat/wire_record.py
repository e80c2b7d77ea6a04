"""WireRecord: where a request went and what came back, as it is kept in one blob.

The body that was sent is not in it: that is rebuilt from the parts of the request's row
(`sent_body`). What was received is compressed, and kept up to `exchange.MOST_BYTES`.
"""

from __future__ import annotations

import json
import zlib
from base64 import b64decode, b64encode
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from chatglass.models.exchange import Exchange, Headers, ReceivedBody

VERSION = 1
_NOTHING = ReceivedBody(b"", 0, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One attempt of a request. `failure` is empty for the one that brought the answer."""

    url: str
    started_at: int
    request_headers: Headers = ()
    status: int | None = None
    headers: Headers = ()
    first_byte_at: int | None = None
    failure: str = ""
    body: ReceivedBody = field(default=_NOTHING)

    @property
    def is_cut(self) -> bool:
        """More was received than is kept."""
        return self.body.kept < self.body.received

    def received(self) -> bytes:
        """What was received, as far as it is kept. Takes 3 ms a megabyte."""
        return zlib.decompress(self.body.compressed) if self.body.compressed else b""


def encode_record(exchanges: Sequence[Exchange]) -> str:
    """The text of the blob."""
    return json.dumps(
        {"version": VERSION, "attempts": [_encode(each) for each in exchanges]},
        ensure_ascii=False,
        separators=(",", ":"),
    )


def _encode(exchange: Exchange) -> dict[str, Any]:
    body = exchange.body()
    return {
        "url": exchange.url,
        "started_at": exchange.started_at,
        "request_headers": exchange.request_headers,
        "status": exchange.status,
        "headers": exchange.headers,
        "first_byte_at": exchange.first_byte_at,
        "failure": exchange.failure,
        "body": b64encode(body.compressed).decode(),
        "kept": body.kept,
        "received": body.received,
    }


def decode_record(text: str) -> tuple[Attempt, ...]:
    """The attempts, in order. ValueError where the text is no record that this version reads."""
    try:
        record: Any = json.loads(text)
        if record["version"] != VERSION:
            raise ValueError(f"version {record['version']} of what was received")
        return tuple(_decode(each) for each in record["attempts"])
    except (KeyError, TypeError) as error:
        raise ValueError(f"what was received can't be read: {error!r}") from error


def _decode(given: dict[str, Any]) -> Attempt:
    return Attempt(
        url=str(given["url"]),
        started_at=int(given["started_at"]),
        request_headers=_headers(given["request_headers"]),
        status=given["status"],
        headers=_headers(given["headers"]),
        first_byte_at=given["first_byte_at"],
        failure=str(given["failure"]),
        body=ReceivedBody(b64decode(given["body"]), int(given["kept"]), int(given["received"])),
    )


def _headers(given: object) -> Headers:
    pairs = cast("list[list[str]]", given)
    return tuple((str(name), str(value)) for name, value in pairs)
