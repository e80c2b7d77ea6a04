"""Exchange: what went over the wire in one attempt of a request, without keys.

It fills while the answer comes, compressed as it comes, so that a long stream costs little memory
(some 6 kB for 1,000 tokens, which are 270 kB of events; 1.4 ms of CPU for those).
"""

from __future__ import annotations

import re
import zlib
from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from chatglass.values.clock import now_ms
from chatglass.values.text import storable

MOST_BYTES = 16 * 1024 * 1024
"""Of a received body that is kept: the events of about 60,000 tokens."""
LEVEL = 1
"""Level 6 takes three times as long for a sixth less."""
REMOVED = b"[key]"

_LEAST_SECRET = 6
"""Characters: a shorter value would be found everywhere."""
_SECRET_HEADERS = re.compile(
    r"auth|key|token|secret|cookie|session|signature|password|organization|openai-project", re.I
)
"""Also whose account it is: what was received goes with a session that is exported."""

Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class ReceivedBody:
    """The bytes of a body after the transfer's own encodings, as far as they are kept."""

    compressed: bytes
    """By zlib."""
    kept: int
    """Bytes that are kept, from the start."""
    received: int
    """Bytes that came."""


class Exchange:
    """One attempt: where it went, the headers, what came back, how it failed."""

    def __init__(self, url: str, secrets: Iterable[str] = ()) -> None:
        """`secrets` are never kept: where one stands in what is received, `[key]` stands instead."""
        longest_first = sorted({s for s in secrets if len(s) >= _LEAST_SECRET}, key=len)[::-1]
        self._secrets = [secret.encode() for secret in longest_first]
        self._hold = max((len(secret) - 1 for secret in self._secrets), default=0)
        self._held = b""
        self._packer = zlib.compressobj(LEVEL)
        self._packed: list[bytes] = []
        self._kept = self._received = 0
        self._body: ReceivedBody | None = None
        self.url = self._without_secrets(url)
        self.request_headers: Headers = ()
        self.status: int | None = None
        """None: nothing was answered."""
        self.headers: Headers = ()
        """Of the response."""
        self.started_at = now_ms()
        self.first_byte_at: int | None = None
        self.failure = ""
        """Why the attempt brought no answer, or what was changed before the next."""

    def sent(self, headers: Iterable[tuple[str, str]], configured: Iterable[str]) -> None:
        """The request's headers; the values of `configured` ones are nobody's business."""
        private = {name.lower() for name in configured}
        self.request_headers = tuple(
            (name, "(kept secret)" if _is_private(name, private) else self._without_secrets(value))
            for name, value in headers
        )

    def answered(self, status: int, headers: Iterable[tuple[str, str]]) -> None:
        self.status = status
        self.headers = tuple(
            (name, "(kept secret)" if _is_private(name, ()) else self._without_secrets(value))
            for name, value in headers
        )

    def add(self, chunk: bytes) -> None:
        """Bytes of the body, in the order in which they come."""
        if not chunk or self._body is not None:
            return
        if self.first_byte_at is None:
            self.first_byte_at = now_ms()
        self._received += len(chunk)
        if self._kept >= MOST_BYTES:
            return
        if self._secrets:
            # A key may be cut by the end of a chunk: what could be its start waits for the next.
            clean = self._clean(self._held + chunk)
            keep_back = min(self._hold, len(clean))
            chunk, self._held = clean[: len(clean) - keep_back], clean[len(clean) - keep_back :]
        self._keep(chunk)

    def body(self) -> ReceivedBody:
        """What came; nothing can be added any more."""
        if self._body is None:
            self._keep(self._clean(self._held))
            self._packed.append(self._packer.flush())
            self._body = ReceivedBody(b"".join(self._packed), self._kept, self._received)
        return self._body

    def _keep(self, chunk: bytes) -> None:
        chunk = chunk[: MOST_BYTES - self._kept]
        self._kept += len(chunk)
        packed = self._packer.compress(chunk)
        if packed:
            self._packed.append(packed)

    def _clean(self, data: bytes) -> bytes:
        for secret in self._secrets:
            if secret in data:
                data = data.replace(secret, REMOVED)
        return data

    def _without_secrets(self, text: str) -> str:
        return storable(self._clean(text.encode("utf-8", "replace")).decode("utf-8", "replace"))


def _is_private(name: str, private: set[str] | Sequence[str]) -> bool:
    return name.lower() in private or _SECRET_HEADERS.search(name) is not None


def secrets_of(url: str, key: str | None, headers: Mapping[str, str]) -> list[str]:
    """What of an endpoint must never be kept, in the forms in which a server may tell it: as it
    stands, without `Bearer`, in a JSON that escapes slashes, in a URL."""
    parts = urlsplit(url)
    login = f"{unquote(parts.username or '')}:{unquote(parts.password or '')}"
    queried = [value for name, value in parse_qsl(parts.query) if _is_private(name, ())]
    values = [key, *headers.values(), *queried]
    values += [value.partition(" ")[2] for value in headers.values()]
    if parts.password:
        values += [parts.password, unquote(parts.password), b64encode(login.encode()).decode()]
    found = [value for value in values if value]
    return [form for each in found for form in (each, each.replace("/", "\\/"), quote(each, ""))]


def private_values(url: str, headers: Mapping[str, str]) -> list[str]:
    """The values of headers that are named as keys are, and what else only the server may know."""
    keys = {name: value for name, value in headers.items() if _is_private(name, ())}
    return secrets_of(url, None, keys)
