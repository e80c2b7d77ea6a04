"""`chatglass serve` as a process, and who its tabs are."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp


@dataclass
class Served:
    process: Process
    url: str
    data: Path

    @property
    def origin(self) -> str:
        return self.url.split("/?")[0]

    @property
    def token(self) -> str:
        return self.url.split("token=")[1]

    def tabs(self) -> list[int]:
        """The processes of tabs: the program itself, not its supervisor."""
        found = []
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            try:
                arguments = (entry / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if str(self.data).encode() in arguments and arguments[1:4] == [
                b"-P",
                b"-m",
                b"chatglass",
            ]:
                found.append(int(entry.name))
        return [pid for pid in found if pid != self.process.pid]

    async def tabs_gone(self) -> None:
        async with asyncio.timeout(15):
            # Not our children: nothing tells of their ends.
            while self.tabs():  # noqa: ASYNC110
                await asyncio.sleep(0.02)


@asynccontextmanager
async def served(folder: Path, *flags: str) -> AsyncIterator[Served]:
    data = folder / "data"
    (folder / "config.toml").touch()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "chatglass", "serve", "--port", "0", *flags),
        *("--", "--demo", "--data-dir", str(data), "--config", str(folder / "config.toml")),
        stdout=PIPE,
        cwd=folder,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    try:
        assert process.stdout is not None
        async with asyncio.timeout(20):
            while not (found := re.search(r"http\S+", (await process.stdout.readline()).decode())):
                assert process.returncode is None
        yield Served(process, found[0], data)
    finally:
        if process.returncode is None:
            process.terminate()
        async with asyncio.timeout(20):
            await process.communicate()


def client() -> aiohttp.ClientSession:
    """One that keeps cookies of 127.0.0.1, as browsers do."""
    return aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True))


class Tab:
    """The websocket of a page that has the token, and all that came out of it."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket
        self.output = b""

    async def sees(self, text: str) -> None:
        async with asyncio.timeout(20):
            while text.encode() not in self.output:
                message = await self.socket.receive()
                assert message.type is aiohttp.WSMsgType.BINARY, message
                self.output += message.data

    async def send(self, text: str) -> None:
        await self.socket.send_json(["stdin", text])


@asynccontextmanager
async def tab(server: Served, session: aiohttp.ClientSession) -> AsyncIterator[Tab]:
    async with session.get(server.url) as response:
        assert response.status == 200
    async with session.ws_connect(
        f"{server.origin}/ws/{server.token}?width=100&height=30", headers={"Origin": server.origin}
    ) as socket:
        yield Tab(socket)
