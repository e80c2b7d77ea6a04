"""`chatglass serve`: who is let in, and that no tab outlives its page or its server."""

from __future__ import annotations

import asyncio
import signal
import sqlite3
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from chatglass.config.errors import ConfigError
from chatglass.serving.access import Access, loopback
from chatglass.serving.server import PageServer
from serving.browser import browser, chromium
from serving.served import Served, client, served, tab


@pytest.fixture
async def access() -> AsyncIterator[Access]:
    """A server in this process, whose tabs would run `false`."""
    import socket

    listening = socket.create_server(("127.0.0.1", 0))
    made = Access("127.0.0.1", listening.getsockname()[1])
    runner = web.AppRunner(PageServer(["false"], made, most_tabs=1).application())
    await runner.setup()
    await web.SockSite(runner, listening).start()
    yield made
    await runner.cleanup()


async def status(access: Access, path: str, **headers: str) -> int:
    async with (
        aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session,
        session.get(f"http://127.0.0.1:{access.port}{path}", headers=headers) as response,
    ):
        return response.status


UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}


async def test_without_the_token_nothing_is_answered(access: Access) -> None:
    wrong = access.token[:-1] + "!"
    for path in (
        *("/", "/ws", "/ws/", f"/ws/{wrong}", f"/ws/{access.token}/x", "/static/", "/none"),
        *("/static/js/textual.js", "/?token=", "/?token=é", "/?token=%ff", f"/?token={wrong}"),
    ):
        assert await status(access, path) == 403, path
    # The cookie gives no page and no websocket, and the URL's token no files.
    for value in (access.token, access.files):
        cookie = f"{access.cookie}={value}"
        for path in ("/", "/ws", "/ws/", f"/ws/{access.files}", f"/?token={access.files}"):
            assert await status(access, path, Cookie=cookie, **UPGRADE) == 403, path
    file = "/static/js/textual.js"
    assert await status(access, f"{file}?token={access.token}") == 403
    for cookie in (
        f"{access.cookie}={access.token}",
        f"{access.cookie}={access.files[:-1]}!",
        f"{access.cookie}=\udcff",
        f"other={access.files}",
    ):
        assert await status(access, file, Cookie=cookie) == 403, cookie


async def test_with_it_the_page_and_its_files(access: Access) -> None:
    assert await status(access, f"/?token={access.token}") == 200
    cookie = f"{access.cookie}={access.files}"
    for path in ("/static/js/textual.js", "/static/css/xterm.css"):
        assert await status(access, path, Cookie=cookie) == 200, path
    assert await status(access, "/static/", Cookie=cookie) == 403  # no listing
    for path in ("/static/../server.py", "/static/%2e%2e/server.py", "/static//etc/passwd"):
        assert await status(access, path, Cookie=cookie) in (403, 404), path


async def test_names_that_were_rebound_and_pages_from_elsewhere_are_refused(access: Access) -> None:
    page, socket = f"/?token={access.token}", f"/ws/{access.token}"
    own = f"http://127.0.0.1:{access.port}"
    for host in ("evil.example", f"evil.example:{access.port}", "127.0.0.1", "127.0.0.1:1"):
        assert await status(access, page, Host=host) == 403, host
    for origin in (
        "http://evil.example",
        "null",
        "http://127.0.0.1:1",
        own.replace("http", "https"),
    ):
        assert await status(access, page, Origin=origin) == 403, origin
        assert await status(access, socket, Origin=origin, **UPGRADE) == 403, origin
    assert await status(access, socket, **UPGRADE) == 403  # no Origin at all
    # By the other name, its own page.
    named = f"localhost:{access.port}"
    assert await status(access, page, Host=named, Origin=f"http://{named}") == 200
    assert await status(access, page, Host=named, Origin=own) == 403


async def test_what_the_page_may_load_and_who_may_frame_it(access: Access) -> None:
    async with aiohttp.ClientSession() as session, session.get(access.url) as response:
        policy = response.headers["Content-Security-Policy"]
        cookie = response.headers["Set-Cookie"]
        page = await response.text()
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert f"connect-src ws://127.0.0.1:{access.port}" in policy
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert access.token not in cookie
    assert "http://" not in page.replace("http://www.w3.org", "")
    assert "https://" not in page
    assert access.token not in page


def test_the_token_is_long_and_new_each_time() -> None:
    tokens = {Access("127.0.0.1", 1).token for _ in range(100)}
    assert len(tokens) == 100
    assert min(map(len, tokens)) >= 43  # 256 bits
    assert Access("127.0.0.1", 1).token not in repr(Access("127.0.0.1", 1))


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.4", "example.com", ""])
def test_others_can_not_be_let_in(host: str) -> None:
    with pytest.raises(ConfigError, match="this machine"):
        loopback(host)


def test_addresses_of_this_machine() -> None:
    assert loopback("localhost") == "127.0.0.1"
    assert loopback("127.0.0.2") == "127.0.0.2"
    assert loopback("[::1]") == "::1"
    assert Access("::1", 80).url.startswith("http://[::1]:80/?token=")


async def chatglass(*arguments: str) -> tuple[int | None, str]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "chatglass", *arguments),
        stderr=asyncio.subprocess.PIPE,
    )
    _, said = await process.communicate()
    return process.returncode, said.decode()


async def test_what_is_refused_is_said() -> None:
    code, said = await chatglass("serve", "--host", "0.0.0.0")
    assert code == 2
    assert "on this machine alone" in said
    assert "ssh -L" in said
    code, said = await chatglass("serve", "--", "--modle", "x")
    assert code == 2
    assert "--model" in said


async def test_nothing_of_the_folder_is_run(tmp_path: Path) -> None:
    (tmp_path / "chatglass").mkdir()
    ran = tmp_path / "ran"
    for name in ("chatglass/__init__.py", "json.py", "sitecustomize.py"):
        (tmp_path / name).write_text(f"open({str(ran)!r}, 'w').close()\n")
    async with served(tmp_path) as server, client() as session, tab(server, session) as page:
        await page.sees("Write a message")
        assert len(server.tabs()) == 1
    assert not ran.exists()


async def answered(server: Served, text: str) -> None:
    """Until an answer with that text is stored."""
    database = server.data / "sessions.sqlite3"
    sql = "SELECT count(*) FROM messages WHERE role = 'assistant' AND status = 'complete' AND content LIKE ?"
    async with asyncio.timeout(20):
        while True:
            if database.exists():
                connection = sqlite3.connect(database)
                try:
                    if connection.execute(sql, (f"%{text}%",)).fetchone()[0]:
                        return
                except sqlite3.OperationalError:
                    pass  # its tables are being made
                finally:
                    connection.close()
            await asyncio.sleep(0.05)  # another process writes it


async def test_a_tab_works_and_ends_with_its_page(tmp_path: Path) -> None:
    async with served(tmp_path, "--sessions", "1") as server, client() as session:
        async with tab(server, session) as page:
            await page.sees("Write a message")
            await page.send("What is 17*23?")
            await page.send("\r")
            await answered(server, "391")
            assert len(server.tabs()) == 1
            # One more than there may be.
            async with session.get(server.url) as response:
                assert response.status == 503
                assert "--sessions" in await response.text()
            # What is no message of the page changes nothing.
            for noise in ("{", "[]", '["resize", 3]', '["stdin"]', '"x"'):
                await page.socket.send_str(noise)
            await page.socket.send_json(["resize", {"width": 90, "height": 20}])
            await page.send("unsent")
            await page.sees("unsent")
        await server.tabs_gone()
        # It was left, not killed: the draft is there.
        connection = sqlite3.connect(server.data / "sessions.sqlite3")
        assert connection.execute("SELECT draft FROM sessions").fetchall() == [("unsent",)]
        connection.close()
        # There is room for another now.
        async with tab(server, session) as page:
            await page.sees("Write a message")
            await page.send("/quit\r")
            await page.socket.receive()
            async with asyncio.timeout(15):
                while not page.socket.closed:
                    await page.socket.receive()
        await server.tabs_gone()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
async def test_tabs_end_with_the_server(tmp_path: Path, number: signal.Signals) -> None:
    async with served(tmp_path) as server, client() as session:
        async with tab(server, session) as page:
            await page.sees("Write a message")
            server.process.send_signal(number)
            async with asyncio.timeout(15):
                await server.process.wait()
            await server.tabs_gone()
        assert server.process.returncode == (-9 if number is signal.SIGKILL else 0)


@asynccontextmanager
async def other_server() -> AsyncIterator[tuple[str, list[str | None]]]:
    """Somebody else's server on this machine: its address, and the cookies that it is sent."""
    import socket

    cookies: list[str | None] = []

    async def take(request: web.Request) -> web.Response:
        cookies.append(request.headers.get("Cookie"))
        return web.Response(text="other", content_type="text/html")

    application = web.Application()
    application.router.add_get("/{path:.*}", take)
    runner = web.AppRunner(application)
    await runner.setup()
    listening = socket.create_server(("127.0.0.1", 0))
    await web.SockSite(runner, listening).start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/static/", cookies
    finally:
        await runner.cleanup()


@pytest.mark.skipif(chromium() is None, reason="there is no Chromium here")
async def test_in_chromium(tmp_path: Path) -> None:
    async with served(tmp_path) as server, browser(tmp_path / "profile") as page:
        await page.call("Page.navigate", url=server.url)
        await page.until("document.body && document.body.classList.contains('-first-byte')")
        assert await page.value("location.href") == f"{server.origin}/"
        assert await page.value("document.cookie") == ""
        await page.type("What is 17*23?")
        await page.press("Enter", 13)
        await answered(server, "391")
        assert len(await page.picture()) > 20_000  # an empty page has 5,000
        # Loaded again it is let in again; a server at another port learns nothing of the token.
        await page.call("Page.navigate", url=f"{server.origin}/")
        await page.until("document.body && document.body.classList.contains('-first-byte')")
        assert await page.value("location.href") == f"{server.origin}/"
        # Nothing is loaded from elsewhere.
        assert [url for url in page.requested if not url.startswith((server.origin, "data:"))] == []
        async with other_server() as (other, cookies):
            await page.call("Page.navigate", url=other)
            await page.until("document.body && document.body.innerText == 'other'")
        assert server.token not in str(cookies)
        # A page from elsewhere, in the same browser, gets no websocket.
        await page.call("Page.navigate", url="about:blank")
        await server.tabs_gone()
        socket = f"new WebSocket('ws://{server.origin.removeprefix('http://')}/ws/{server.token}')"
        script = f"window.s = {socket}; s.onerror = () => window.refused = true; s.onopen = () => window.opened = true; 1"
        await page.value(script)
        assert await page.until("window.refused || window.opened")
        assert await page.value("window.opened") is None
