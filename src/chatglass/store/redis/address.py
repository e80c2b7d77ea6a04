"""Where a Redis is, from its URL; shown without the password."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlsplit

from chatglass.store.protocol import StoreError

SCHEMES = ("redis", "rediss")
_PORT = 6379
_FILES = ("ssl_ca_certs", "ssl_ca_path", "ssl_certfile", "ssl_keyfile")


@dataclass(frozen=True, slots=True)
class Address:
    """A server and the number of its database.

    `url` is what the client library takes: `redis[s]://[user[:password]@]host[:port][/db]`, with
    TLS files as `?ssl_ca_certs=...&ssl_certfile=...&ssl_keyfile=...`.
    """

    url: str = field(repr=False)
    shown: str
    password: str | None = field(default=None, repr=False)
    """In place of the URL's, if there is one."""

    @property
    def key(self) -> str:
        """The same for every URL of this database, and good for a file's name."""
        return hashlib.sha256(self.shown.encode()).hexdigest()[:16]


def read_address(url: str, password: str | None = None) -> Address:
    """Raises StoreError where `url` is none of a Redis."""
    parts = urlsplit(url)
    try:
        host, port = parts.hostname, parts.port or _PORT
    except ValueError as error:
        raise _wrong(f"{error}") from None
    if parts.scheme not in SCHEMES or not host:
        raise _wrong("it must be redis://host or rediss://host")
    database = parts.path.strip("/") or "0"
    if not database.isdecimal():
        raise _wrong("after the host stands the number of a database, as in redis://host/0")
    for key, value in parse_qsl(parts.query):
        if key in _FILES and not os.access(value, os.R_OK):
            raise _wrong(f"{key} names {value}, which can't be read")
    name = f"[{host}]" if ":" in host else host
    return Address(url, f"{parts.scheme}://{name}:{port}/{database}", password)


def _wrong(why: str) -> StoreError:
    # Without the URL itself, which may hold a password.
    return StoreError(f"store.url can't be used: {why}. Correct it in the settings.")
