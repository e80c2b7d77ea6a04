"""Which addresses a URL leads to, and which of them are private.

A host is resolved once for the question and once for the connection; the connection goes to
the very address that was judged, so that a name that changes its address in between (DNS
rebinding) leads nowhere new.
"""

from __future__ import annotations

import ipaddress
import socket
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from chatglass.tools.tool import InvalidArguments

_DEFAULT_PORTS = {"http": 80, "https": 443}
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A URL's host and what it resolved to.

    `private` maps those addresses that are not public to their kind (`loopback`, `private`, …).
    `failure` is the resolver's own word where there are no addresses.
    """

    scheme: str
    host: str
    port: int
    addresses: tuple[str, ...] = ()
    private: Mapping[str, str]
    failure: str = ""

    @property
    def origin(self) -> str:
        return origin(self.scheme, self.host, self.port)


def origin(scheme: str, host: str, port: int) -> str:
    """As browsers write it: the port only where it is not the scheme's own."""
    bracketed = f"[{host}]" if ":" in host else host
    return f"{scheme}://{bracketed}" + ("" if _DEFAULT_PORTS.get(scheme) == port else f":{port}")


def split_url(url: str) -> tuple[str, str, int]:
    """Scheme, host and port of an http(s) URL. Raises InvalidArguments."""
    try:
        parts: SplitResult = urlsplit(url.strip())
        port = parts.port
        # The same form for what is asked, granted and connected to.
        host = (parts.hostname or "").rstrip(".")
        if not host.isascii():
            host = host.encode("idna").decode("ascii")
    except (ValueError, UnicodeError) as error:
        raise InvalidArguments(f"{url!r} is not a URL: {error}.") from None
    if parts.scheme not in _DEFAULT_PORTS:
        raise InvalidArguments(
            f"{url!r} is not an http or https URL. Expected an address such as https://example.org/page."
        )
    if not host:
        raise InvalidArguments(f"{url!r} names no host. Expected https://host/path.")
    if parts.username is not None or parts.password is not None:
        raise InvalidArguments(f"The URL for {host} holds a user name or password: leave it out.")
    if any(character.isspace() or character in "%\\" or ord(character) < 32 for character in host):
        raise InvalidArguments(f"{host!r} is not a host name.")
    return parts.scheme, host.casefold(), port or _DEFAULT_PORTS[parts.scheme]


def resolve(url: str, *, timeout_s: float = 5.0) -> Target:
    """Where `url` leads now. Blocks for at most `timeout_s`. Raises InvalidArguments."""
    scheme, host, port = split_url(url)
    found: list[str] = []
    failure = [f"no answer within {timeout_s:g} s"]

    def look_up() -> None:
        try:
            entries = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            failure[0] = str(getattr(error, "strerror", None) or error)
            return
        found.extend(dict.fromkeys(str(entry[4][0]) for entry in entries))

    # The resolver has no timeout of its own; a daemon thread that hangs in it holds up nothing.
    thread = threading.Thread(target=look_up, name="chatglass-resolve", daemon=True)
    thread.start()
    thread.join(timeout_s)
    addresses = tuple(found)
    private = {address: kind for address in addresses if (kind := kind_of(address))}
    return Target(
        scheme=scheme,
        host=host,
        port=port,
        addresses=addresses,
        private=private,
        failure="" if addresses else failure[0],
    )


def kind_of(address: str) -> str:
    """`""` for a public address, else what it is in a word: `loopback`, `private`, …"""
    parsed = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(parsed, ipaddress.IPv6Address):
        embedded = _embedded(parsed)
        if embedded is not None:
            return kind_of(str(embedded))
    if parsed.is_loopback:
        return "loopback"
    if parsed.is_unspecified:
        return "this machine"
    if parsed.is_link_local:
        return "link-local"
    if parsed.is_multicast:
        return "multicast"
    if parsed.is_private:
        return "private"
    return "" if parsed.is_global else "not public"


def _embedded(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """The IPv4 address that an IPv6 one stands for: mapped, 6to4, Teredo, NAT64."""
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address.teredo is not None:
        return address.teredo[1]
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return None
