"""Servers over HTTP on loopback: streamable, SSE as a fallback, signing in, going away."""

from __future__ import annotations

import asyncio
import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest

from chatglass.tools.mcp.ports import McpPorts, SignInQuestion
from mcp_servers.running import Running

_SERVER = Path(__file__).with_name("http_server.py")


def free_port() -> int:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        return bound.getsockname()[1]


@contextmanager
def serving(*arguments: object) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen([sys.executable, str(_SERVER), *map(str, arguments)])
    try:
        yield process
    finally:
        process.kill()
        process.wait()


async def answering(port: int) -> None:
    async with asyncio.timeout(30):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except ConnectionRefusedError:
                await asyncio.sleep(0.05)
            else:
                writer.close()
                return


async def test_streamable_http(tmp_path: Path) -> None:
    port = free_port()
    entry = {"url": f"http://127.0.0.1:{port}/mcp"}
    with serving("http", port):
        await answering(port)
        async with Running(tmp_path, {"web": entry}) as running:
            snapshot = await running.state("web", "ready")
            assert snapshot.kind == "http"
            assert (await running.call("web__add", a=2, b=3)).seen == "5"


@pytest.mark.slow
async def test_a_response_over_the_limit_fails_the_call(tmp_path: Path) -> None:
    port = free_port()
    with serving("http", port):
        await answering(port)
        async with Running(tmp_path, {"web": {"url": f"http://127.0.0.1:{port}/mcp"}}) as running:
            await running.state("web", "ready")
            too_much = await running.call("web__big", size=65 * 1024 * 1024)
            assert too_much.status == "error"
            assert "64 MB" in too_much.seen or "SSE" in too_much.seen
            assert (await running.call("web__add", a=4, b=3)).seen == "7"


async def test_one_that_comes_back_is_connected_again(tmp_path: Path) -> None:
    port = free_port()
    async with Running(tmp_path, {"web": {"url": f"http://127.0.0.1:{port}/mcp"}}) as running:
        snapshot = await running.state("web", "restarting")
        assert "can't be reached" in snapshot.error
        with serving("http", port):
            await answering(port)
            running.servers.restart("web")
            await running.state("web", "ready")
        output = await running.call("web__add", a=1, b=1)
        assert output.status == "error"
        await running.until(lambda: running.servers.snapshot("web").state != "ready")


async def test_an_older_server_is_reached_by_sse(tmp_path: Path) -> None:
    port = free_port()
    servers = {
        "named": {"type": "sse", "url": f"http://127.0.0.1:{port}/sse"},
        "found": {"type": "http", "url": f"http://127.0.0.1:{port}/sse"},
    }
    with serving("sse", port):
        await answering(port)
        async with Running(tmp_path, servers) as running:
            await running.state("named", "ready")
            await running.state("found", "ready")
            assert (await running.call("named__add", a=2, b=3)).seen == "5"
            assert (await running.call("found__add", a=2, b=3)).seen == "5"
            await running.until(lambda: "trying SSE" in running.log_text("found"))


async def test_signing_in_and_being_remembered(tmp_path: Path) -> None:
    port = free_port()
    asked: list[SignInQuestion] = []

    async def sign_in(question: SignInQuestion) -> bool:
        asked.append(question)

        async def browse() -> None:
            async with httpx2.AsyncClient(follow_redirects=True) as browser:
                page = await browser.get(question.url)
                assert "Signed in" in page.text

        browsing.append(asyncio.create_task(browse()))
        return True

    browsing: list[asyncio.Task[None]] = []
    entry = {"url": f"http://127.0.0.1:{port}/mcp"}
    with serving("http", port, "oauth"):
        await answering(port)
        async with Running(tmp_path, {"web": entry}, ports=McpPorts(sign_in=sign_in)) as running:
            await running.state("web", "ready")
            assert (await running.call("web__add", a=2, b=3)).seen == "5"
            await asyncio.gather(*browsing)
        assert asked[0].server == "web"
        assert asked[0].url.startswith(f"http://127.0.0.1:{port}/authorize?")
        tokens = tmp_path / "tokens.json"
        assert tokens.stat().st_mode & 0o777 == 0o600
        (kept,) = json.loads(tokens.read_text()).values()
        assert kept["tokens"]["access_token"]
        # No port that would open a browser: what was kept is enough.
        async with Running(tmp_path, {"web": entry}) as again:
            await again.state("web", "ready")
            assert (await again.call("web__add", a=2, b=3)).seen == "5"
        assert len(asked) == 1


async def test_a_sign_in_that_nobody_can_make_is_said(tmp_path: Path) -> None:
    port = free_port()
    with serving("http", port, "oauth"):
        await answering(port)
        entry = {"url": f"http://127.0.0.1:{port}/mcp"}
        async with Running(tmp_path, {"web": entry}) as running:
            snapshot = await running.state("web", "failed")
            assert "wants a sign-in, which was declined" in snapshot.error
