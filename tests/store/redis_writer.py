"""Appends messages to a session on a Redis, for ever, and prints each id once it is confirmed.

python -m store.redis_writer URL FOLDER
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from chatglass.store.redis import RedisStore
from store.builders import message, new_session


async def run(url: str, folder: Path) -> None:
    store = RedisStore(url, folder)
    await store.open()
    row = await new_session(store)
    await store.claim(row.id)
    print(row.id, flush=True)
    parent: str | None = None
    while True:
        each = message(row.id, parent)
        await store.append_message(each)
        parent = each.id
        print(each.id, flush=True)


if __name__ == "__main__":
    asyncio.run(run(sys.argv[1], Path(sys.argv[2])))
