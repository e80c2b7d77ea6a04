"""Figures of the Redis store, on a redis-server of its own on loopback.

    python -m bench.redis_store [--sessions 10000] [--messages 10000] [--durable]

Makes that many sessions of two messages of 80 words, and one session of that many messages.
Times are milliseconds: the median and the worst of the runs; CPU is that of this process.
Ratios compare the same write at the start and at the end of the long session. With --durable the
server writes each answer to its disk first (appendfsync always).
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

from bench.store import (
    append_at,
    delete_one,
    keep_result,
    longest_stall,
    make_long_session,
    make_sessions,
    message,
    timed,
)
from chatglass.store.records import SessionQuery
from chatglass.store.redis import RedisStore
from chatglass.store.usage_records import UsageQuery

WARMUP = 0.05


@contextlib.contextmanager
def redis_server(folder: Path, *, durable: bool) -> Iterator[str]:
    """Yields the URL of a server that is ended afterwards."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    keep = ["--appendonly", "yes", "--appendfsync", "always"] if durable else []
    process = subprocess.Popen(
        ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder),
         "--save", "", *keep],
        stdout=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        for _ in range(200):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            time.sleep(WARMUP)
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        process.terminate()
        process.wait()


async def appends(store: RedisStore, lengths: list[int]) -> dict[int, float]:
    """Medians of an append after so many messages."""
    medians: dict[int, float] = {}
    for length in lengths:
        row, ids = await make_long_session(cast(Any, store), length)
        number = length

        async def append(row_id: str = row.id, ids: list[str] = ids) -> None:
            nonlocal number
            each = message(row_id, ids[-1], number)
            await store.append_message(each)
            ids.append(each.id)
            number += 1

        medians[length] = await timed(f"append to {length:,} messages", append, runs=60)
    return medians


async def main(url: str, sessions: int, messages: int, folder: Path) -> None:
    store = RedisStore(url, folder)
    await store.open()
    begun = time.perf_counter()
    await make_sessions(cast(Any, store), sessions)
    made = time.perf_counter() - begun
    print(
        f"made {sessions:,} sessions in {made:.1f} s: {3_000 * sessions / made / 1_000:,.0f} writes/s"
    )
    print(f"{'':48} {'median':>9} {'worst':>9} {'':>9} (ms)")
    medians = await appends(store, [10, 1_000, messages])
    row, ids = await make_long_session(cast(Any, store), messages)
    await append_at(cast(Any, store), row.id, ids, f"to one of {messages:,}")
    leaf = ids[-1]
    await timed(f"list {sessions:,} sessions", lambda: store.list_sessions(SessionQuery()))
    await timed("list the newest 50", lambda: store.list_sessions(SessionQuery(limit=50)))
    await timed(
        "filter them by title",
        lambda: store.list_sessions(SessionQuery(title_contains="newline")),
    )
    await timed(f"open a path of {len(ids):,}", lambda: store.path(row.id, leaf))
    await timed("claim it (and begin to mirror it)", lambda: store.claim(row.id), runs=1)
    await timed("leaf below its first message", lambda: store.leaf_below(ids[0]))
    await timed("spending by day", lambda: store.usage(UsageQuery(by="day")))
    for text in ("newline", "empty string", '"number 99"', "the", "nowhere to be found", "xyz"):
        await timed(f"search {text}", lambda text=text: store.search(text))
        await timed(f"matches of {text}", lambda text=text: store.matches(text))
    await timed("keep a result of 50 kB", lambda: keep_result(cast(Any, store), row.id, 50_000))
    await timed(
        "keep a result of 5 MB", lambda: keep_result(cast(Any, store), row.id, 5_000_000), runs=3
    )
    stall = await longest_stall(lambda: store.list_sessions(SessionQuery()))
    print(f"longest stall of the event loop while listing    {stall:9.2f}")
    await timed("delete a session", lambda: delete_one(cast(Any, store)), runs=5)
    size = await store.size()
    print(f"server {size.total / 1e6:,.0f} MB, of these the search index {size.search / 1e6:,.0f}")
    first, *later = medians.items()
    for length, median in later:
        print(f"append at {length:,} against append at {first[0]:,}: {median / first[1]:.2f} ×")
    await store.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--sessions", type=int, default=10_000)
    parser.add_argument("--messages", type=int, default=10_000)
    parser.add_argument("--durable", action="store_true")
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as temporary,
        redis_server(Path(temporary), durable=options.durable) as address,
    ):
        asyncio.run(main(address, options.sessions, options.messages, Path(temporary)))
