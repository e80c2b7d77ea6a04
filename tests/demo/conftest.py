"""A started demo server, and a client for it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from chatglass.models.demo import DemoServer
from demo.talk import Client


@pytest.fixture
async def demo() -> AsyncIterator[DemoServer]:
    async with DemoServer() as server:
        yield server


@pytest.fixture
async def client(demo: DemoServer) -> AsyncIterator[Client]:
    client = Client(demo)
    yield client
    await client.http.aclose()
