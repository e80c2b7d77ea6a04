"""fetch_url against servers on loopback, and names that change their address."""

from __future__ import annotations

import gzip
import socket
import threading
import tracemalloc
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest

from chatglass.tools.addresses import kind_of, resolve, split_url
from chatglass.tools.tool import InvalidArguments

if TYPE_CHECKING:
    from tests.tools.conftest import Bench

PAGE = """<!doctype html><html><head><title>The title</title><style>p {}</style></head><body>
<h1>Heading</h1><script>secret()</script><p>Some   <b>bold</b> text &amp; a
<a href="/next">link</a>.</p><ul><li>one<li>two</ul><pre>a
  b</pre></body></html>"""


class Server:
    """A server on loopback: `routes` maps a path to (status, headers, body)."""

    def __init__(self) -> None:
        self.routes: dict[str, tuple[int, dict[str, str], bytes]] = {}
        self.requests: list[tuple[str, dict[str, str]]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.requests.append((self.path, {k.lower(): v for k, v in self.headers.items()}))
                status, headers, body = outer.routes.get(self.path, (404, {}, b"nothing here"))
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def text(self, path: str, body: str | bytes, kind: str = "text/plain", **headers: str) -> None:
        data = body.encode() if isinstance(body, str) else body
        extra = {name.replace("_", "-"): value for name, value in headers.items()}
        self.routes[path] = (200, {"Content-Type": kind, **extra}, data)

    def redirect(self, path: str, location: str) -> None:
        self.routes[path] = (302, {"Location": location}, b"")

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def server() -> Iterator[Server]:
    found = Server()
    yield found
    found.close()


@pytest.fixture
def other() -> Iterator[Server]:
    found = Server()
    yield found
    found.close()


Names = Callable[..., list[str]]


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Names:
    """names("host", "address", "address after that", …): what the resolver says, look-up by
    look-up (the last one stays). Returns the look-ups that were made."""
    real = socket.getaddrinfo
    answers: dict[str, list[str]] = {}
    asked: list[str] = []

    def answer(host: Any, port: Any, *args: Any, **options: Any) -> Any:
        if host in answers:
            asked.append(host)
            known = answers[host]
            address = known.pop(0) if len(known) > 1 else known[0]
            return real(address, port, *args, **options)
        return real(host, port, *args, **options)

    monkeypatch.setattr(socket, "getaddrinfo", answer)

    def define(host: str, *addresses: str) -> list[str]:
        answers[host] = list(addresses)
        return asked

    return define


async def test_html_comes_as_text(bench: Bench, server: Server):
    server.text("/", PAGE, "text/html; charset=utf-8")
    output = await bench.call("fetch_url", url=server.url)
    assert output.status == "ok"
    assert output.seen.startswith("200 OK · text/html · ")
    for part in (
        "The title",
        "# Heading",
        f"Some bold text & a link ({server.url}/next).",
        "- one\n- two",
    ):
        assert part in output.seen
    assert "a\n  b" in output.seen
    assert "secret()" not in output.seen
    assert PAGE in output.produced
    assert server.requests[0][1]["host"] == f"127.0.0.1:{server.port}"


async def test_other_bodies(bench: Bench, server: Server):
    server.text("/json", '{"a": 1}', "application/json")
    server.text("/latin", "grüß".encode("latin-1"), "text/plain; charset=latin-1")
    server.text("/odd", "x", "text/plain; charset=base64")
    server.text("/png", b"\x89PNG\0", "image/png")
    server.text("/zip", gzip.compress(b"packed"), Content_Encoding="gzip")
    server.text("/bomb", gzip.compress(b"\0" * 50_000_000), Content_Encoding="gzip")
    server.text("/br", b"xx", Content_Encoding="br")
    server.text("/bad", b"no gzip", Content_Encoding="gzip")
    server.text("/long", "line of text\n" * 10_000)
    assert '{"a": 1}' in (await bench.call("fetch_url", url=server.url + "/json")).seen
    assert "grüß" in (await bench.call("fetch_url", url=server.url + "/latin")).seen
    assert (await bench.call("fetch_url", url=server.url + "/odd")).seen.endswith("\nx")
    assert (await bench.call("fetch_url", url=server.url + "/zip")).seen.endswith("\npacked")
    long = await bench.call("fetch_url", url=server.url + "/long")
    assert len(long.seen) <= 30_000
    assert "more characters are not shown]" in long.seen
    assert len(long.produced) > 130_000
    for path, words in {
        "/png": "not text", "/bomb": "larger than 10 MB", "/br": "br-packed", "/bad": "damaged gzip",
        "/gone": "404 Not Found",
    }.items():  # fmt: skip
        output = await bench.call("fetch_url", url=server.url + path)
        assert (output.status, words in output.seen) == ("error", True), output.seen


async def test_unpacking_is_bounded_as_it_goes(bench: Bench, server: Server):
    server.text("/bomb", gzip.compress(b"\0" * 60_000_000), Content_Encoding="gzip")
    await bench.call("fetch_url", url=server.url)
    tracemalloc.start()
    try:
        await bench.call("fetch_url", url=server.url + "/bomb")
        assert tracemalloc.get_traced_memory()[1] < 35_000_000
    finally:
        tracemalloc.stop()


async def test_nobody_there(bench: Bench):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    output = await bench.call("fetch_url", url=f"http://127.0.0.1:{port}/")
    assert output.status == "error"
    assert f"http://127.0.0.1:{port} can't be reached" in output.seen


def test_private_addresses_always_ask_by_address(bench: Bench, names: Names):
    names("intranet.test", "192.168.3.4")
    names("public.test", "93.184.216.34")
    found = bench.assess("fetch_url", url="http://intranet.test/x")
    assert (found.verdict, found.always_ask) == ("ask", True)
    assert "192.168.3.4 (private)" in found.why
    assert found.details == {"address": "192.168.3.4", "origin": "http://intranet.test"}
    assert bench.assess("fetch_url", url="http://localhost:1/").always_ask
    found = bench.assess("fetch_url", url="https://public.test/x")
    assert (found.verdict, found.always_ask) == ("ask", False)
    assert found.details["address"] == "93.184.216.34"


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "ftp://x/", "example.org", "http://", "http://u:p@h/", "http://a b/", "http://h:99999/"]
)  # fmt: skip
def test_what_is_no_web_address_is_denied(bench: Bench, url: str):
    assert bench.assess("fetch_url", url=url).verdict == "deny"


async def test_connects_to_the_address_that_was_judged(bench: Bench, server: Server, names: Names):
    asked = names("pinned.test", "127.0.0.1")
    server.text("/", "hello")
    url = f"http://pinned.test:{server.port}/"
    bench.assess("fetch_url", url=url)
    asked.clear()
    assert (await bench.run("fetch_url", url=url)).seen.endswith("hello")
    # Resolved once; the connection itself looked nothing up.
    assert asked == ["pinned.test"]
    assert server.requests[0][1]["host"] == f"pinned.test:{server.port}"


async def test_a_name_that_turns_private_after_the_question_is_refused(
    bench: Bench, server: Server, names: Names
):
    names("rebind.test", "93.184.216.34", "127.0.0.1")
    server.text("/", "inner secret")
    url = f"http://rebind.test:{server.port}/"
    assert not bench.assess("fetch_url", url=url).always_ask
    output = await bench.run("fetch_url", url=url)
    assert output.status == "error"
    assert "Refused: rebind.test is the private address 127.0.0.1 (loopback)" in output.seen
    assert server.requests == []


async def test_private_without_a_question_is_refused(bench: Bench, server: Server):
    output = await bench.run("fetch_url", url=server.url)
    assert "was not shown when this was approved" in output.seen
    assert server.requests == []


async def test_redirects_stay_on_the_site(bench: Bench, server: Server, other: Server):
    server.redirect("/a", "/b?x=1")
    server.text("/b?x=1", "arrived")
    server.redirect("/out", other.url + "/secret")
    server.redirect("/loop", "/loop")
    server.redirect("/file", "file:///etc/passwd")
    other.text("/secret", "inner")
    assert (await bench.call("fetch_url", url=server.url + "/a")).seen.endswith("arrived")
    refused = await bench.call("fetch_url", url=server.url + "/out")
    assert refused.status == "error"
    assert f"Refused: {server.url}/out redirects to {other.url}/secret" in refused.seen
    assert "127.0.0.1 (loopback)" in refused.seen
    assert other.requests == []
    assert "More than 5 redirects" in (await bench.call("fetch_url", url=server.url + "/loop")).seen
    assert "no http(s) address" in (await bench.call("fetch_url", url=server.url + "/file")).seen


async def test_a_redirect_to_another_public_site_is_reported(
    bench: Bench, server: Server, names: Names
):
    names("elsewhere.test", "93.184.216.34")
    server.redirect("/", "https://elsewhere.test/page")
    output = await bench.call("fetch_url", url=server.url)
    assert "redirects to https://elsewhere.test/page, on another site" in output.seen


@pytest.mark.parametrize(
    ("address", "kind"),
    [
        ("127.8.9.1", "loopback"), ("::1", "loopback"), ("::ffff:127.0.0.1", "loopback"),
        ("10.1.2.3", "private"), ("172.16.0.1", "private"), ("192.168.0.1", "private"),
        ("169.254.169.254", "link-local"), ("fe80::1%eth0", "link-local"), ("fd00::1", "private"),
        ("0.0.0.0", "this machine"), ("::", "this machine"), ("100.64.0.1", "not public"),
        ("224.0.0.1", "multicast"), ("64:ff9b::7f00:1", "loopback"), ("2002:7f00:1::", "loopback"),
        ("::ffff:10.0.0.1", "private"), ("255.255.255.255", "private"),
        ("8.8.8.8", ""), ("2606:4700::1111", ""), ("::ffff:8.8.8.8", ""),
    ],
)  # fmt: skip
def test_kinds_of_addresses(address: str, kind: str):
    assert kind_of(address) == kind


def test_urls_in_one_form():
    assert split_url("HTTPS://Example.ORG./x") == ("https", "example.org", 443)
    assert split_url("http://[::1]:8080/") == ("http", "::1", 8080)
    assert split_url("http://bücher.example/")[1] == "xn--bcher-kva.example"
    with pytest.raises(InvalidArguments):
        split_url("http://[::1/")
    # Every spelling of loopback that the system's resolver takes is judged as what it is.
    for spelling in (
        "http://127.1/",
        "http://2130706433/",
        "http://0x7f000001/",
        "http://0177.0.0.1/",
    ):
        target = resolve(spelling)
        assert not target.addresses or target.private, spelling
