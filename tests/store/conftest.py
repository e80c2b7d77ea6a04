"""The Redis server that the tests of a session share."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from store.redis_server import RedisServer


@pytest.fixture(scope="session")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path_factory.mktemp("redis")).start()
    yield server
    server.stop()


@pytest.fixture
def server(shared_server: RedisServer) -> RedisServer:
    """Empty."""
    shared_server.command("FLUSHALL")
    return shared_server


@pytest.fixture
async def redis_store(server: RedisServer, tmp_path: Path) -> AsyncIterator[object]:
    """Open and empty."""
    from chatglass.store.redis import RedisStore

    store = RedisStore(server.url, tmp_path)
    await store.open()
    yield store
    await store.close()
