"""The Redis store, on a real server, does what every store must."""

from __future__ import annotations

import pytest

from chatglass.store.protocol import SessionStore
from chatglass.store.redis import RedisStore
from store.conformance import StoreConformance


@pytest.mark.needs("redis")
class TestOnRedis(StoreConformance):
    @pytest.fixture
    async def store(self, redis_store: RedisStore) -> SessionStore:
        return redis_store
