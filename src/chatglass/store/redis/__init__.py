"""Sessions on a Redis server. `RedisStore` is all that the rest of the program needs of it."""

from __future__ import annotations

from chatglass.store.redis.store import RedisStore

__all__ = ["RedisStore"]
