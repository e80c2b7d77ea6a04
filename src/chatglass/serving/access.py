"""Who may use the pages: this machine's browser, with the token, and nothing that a page from
elsewhere makes it send.

A loopback address is reached by every page that the browser shows: through a name of its own that
resolves to 127.0.0.1 (so `Host` is checked), and by a websocket, which browsers let any page open
(so `Origin` is checked). Everything needs the token besides.

The token never is in a cookie: browsers send those of a host to every port of it, and behind
another one may be a server of anybody's. The page keeps it in its `sessionStorage`, which belongs
to one port, and opens its websocket by it. A cookie only lets the page have its files.
"""

from __future__ import annotations

import hmac
import ipaddress
import secrets
from dataclasses import dataclass, field

from chatglass.config.errors import ConfigError

TOKEN = "token"
"""The name of the URL's parameter."""


@dataclass(frozen=True, slots=True)
class Access:
    """The token of one server, and the addresses it has."""

    host: str
    port: int
    token: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)
    files: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)
    """The value of the cookie."""

    @property
    def cookie(self) -> str:
        """Cookies are told apart by host, not by port: several servers need several names."""
        return f"chatglass-{self.port}"

    @property
    def address(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    @property
    def url(self) -> str:
        """What the user opens."""
        return f"http://{self.address}/?{TOKEN}={self.token}"

    def knows_host(self, host: str | None) -> bool:
        """Whether a `Host` header names this server."""
        return host is not None and host.lower() in {self.address, f"localhost:{self.port}"}

    def knows_origin(self, origin: str | None, host: str | None) -> bool:
        """Whether an `Origin` header is the page's own, as it came from `host`."""
        return self.knows_host(host) and origin == f"http://{host}"

    def fits(self, token: str | None) -> bool:
        """Compared in a time that tells nothing."""
        return _same(token, self.token)

    def gives_files(self, cookie: str | None) -> bool:
        """Whether a cookie is that of a page."""
        return _same(cookie, self.files)


def _same(given: str | None, secret: str) -> bool:
    # What came as bytes that are no UTF-8 holds surrogates.
    return given is not None and hmac.compare_digest(
        given.encode("utf-8", "surrogatepass"), secret.encode()
    )


def loopback(host: str) -> str:
    """`host` as the address to listen at. Raises ConfigError where others could reach it."""
    if host == "localhost":
        return "127.0.0.1"
    try:
        address = ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        raise ConfigError(
            f"--host {host}: give an address of this machine's own, such as 127.0.0.1."
        ) from None
    if not address.is_loopback:
        raise ConfigError(
            f"--host {host}: chatglass is served on this machine alone, since whoever reaches it can "
            "run commands as you. From another machine: ssh -L 8765:127.0.0.1:8765 THIS-MACHINE, and "
            "open the address there."
        )
    return str(address)
