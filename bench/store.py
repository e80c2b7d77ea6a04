"""Figures of the SQLite store: listing, opening, searching, and writing at length.

    python bench/store.py [--sessions 10000] [--messages 10000] [--keep FOLDER]

Makes a store of that many sessions of two messages, and one session of that many messages.
Times are milliseconds: the median and the worst of the runs; CPU is that of the whole process.
Ratios compare the same write at the start and at the end of the long session.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

from chatglass.store.records import MessageRow, RequestRow, SessionQuery, SessionRow, ToolCallRow
from chatglass.store.records import ToolResult as Result
from chatglass.store.sqlite import SqliteStore
from chatglass.values.ids import new_id

WORDS = [
    "the",
    "parser",
    "compares",
    "bytes",
    "read",
    "in",
    "text",
    "mode",
    "so",
    "line",
    "endings",
    "differ",
    "between",
    "systems",
    "and",
    "a",
    "test",
    "that",
    "passes",
    "here",
    "fails",
    "there",
    "until",
    "the",
    "file",
    "is",
    "opened",
    "with",
    "newline",
    "set",
    "to",
    "an",
    "empty",
    "string",
]


def prose(number: int, words: int = 80) -> str:
    return f"Number {number}: " + " ".join(
        WORDS[(number * 7 + at * (number % 5 + 1)) % len(WORDS)] for at in range(words)
    )


def session(number: int) -> SessionRow:
    return SessionRow(
        id=new_id(), title=f"Session {number} about {WORDS[number % len(WORDS)]}", root="/work",
        endpoint="demo", model="demo-1", created_at=number, updated_at=number,
    )  # fmt: skip


def message(session_id: str, parent_id: str | None, number: int) -> MessageRow:
    return MessageRow(
        id=new_id(), session_id=session_id, parent_id=parent_id, turn_id="turn",
        role="assistant" if number % 2 else "user", content=prose(number), created_at=number,
    )  # fmt: skip


async def make_sessions(store: SqliteStore, count: int) -> None:
    for first in range(0, count, 50):
        writes: list[Awaitable[None]] = []
        for number in range(first, min(first + 50, count)):
            row = session(number)
            prompt = message(row.id, None, 2 * number)
            writes += [
                store.create_session(row),
                store.append_message(prompt),
                store.append_message(message(row.id, prompt.id, 2 * number + 1)),
            ]
        await asyncio.gather(*writes)


async def make_long_session(store: SqliteStore, count: int) -> tuple[SessionRow, list[str]]:
    row = session(count)
    await store.create_session(row)
    ids: list[str] = []
    while len(ids) < count:
        writes: list[Awaitable[None]] = []
        for _ in range(min(50, count - len(ids))):
            each = message(row.id, ids[-1] if ids else None, len(ids))
            ids.append(each.id)
            writes.append(store.append_message(each))
        await asyncio.gather(*writes)
    return row, ids


async def timed(what: str, call: Callable[[], Awaitable[object]], runs: int = 7) -> float:
    """Prints and returns the median in milliseconds."""
    times: list[float] = []
    cpu = time.process_time()
    for _ in range(runs):
        begun = time.perf_counter()
        await call()
        times.append((time.perf_counter() - begun) * 1_000)
    cpu = (time.process_time() - cpu) * 1_000 / runs
    median = statistics.median(times)
    print(f"{what:<48} {median:9.2f} {max(times):9.2f} {cpu:9.2f} cpu")
    return median


async def append_at(store: SqliteStore, session_id: str, ids: list[str], what: str) -> float:
    """One turn's writes after `ids`."""
    at = len(ids)

    async def append() -> None:
        nonlocal at
        row = message(session_id, ids[-1], at)
        await store.append_message(row)
        ids.append(row.id)
        at += 1

    appended = await timed(f"append a message {what}", append, runs=40)
    open_answer = replace(message(session_id, ids[-1], at), status="partial", role="assistant")
    await store.append_message(open_answer)
    text = prose(at, 1_000)

    async def checkpoint() -> None:
        nonlocal text
        text += " and so on"
        await store.checkpoint_message(open_answer.id, text, "")

    await timed(f"checkpoint of 6 kB {what}", checkpoint, runs=40)
    await store.finish_message(replace(open_answer, content=text, status="complete"))
    parts = tuple(("message", id_) for id_ in ids)

    async def ask() -> None:
        row = RequestRow(
            id=new_id(), session_id=session_id, turn_id="turn", message_id=ids[-1],
            purpose="answer", endpoint="demo", base_url="http://127.0.0.1/v1", model="demo-1",
            started_at=at, parts=parts,
        )  # fmt: skip
        await store.add_request(row)
        await store.finish_request(replace(row, status="complete"))

    await timed(f"a request and its end, {len(parts):,} parts", ask, runs=20)
    return appended


async def keep_result(store: SqliteStore, session_id: str, size: int) -> None:
    call = ToolCallRow(
        id=new_id(), session_id=session_id, turn_id="turn", request_id="r", message_id="m",
        call_id="c", position=0, name="read_file", arguments="{}", proposed_at=1,
    )  # fmt: skip
    await store.add_tool_calls([call])
    text = prose(size, size // 6)
    await store.update_tool_call(replace(call, state="ok"), Result(text, text[:2_000]))


async def longest_stall(during: Callable[[], Awaitable[object]]) -> float:
    """The longest the event loop did not come round while `during` ran, in milliseconds."""
    worst, last = 0.0, time.perf_counter()
    task = asyncio.ensure_future(during())
    while not task.done():
        await asyncio.sleep(0.001)
        now = time.perf_counter()
        worst, last = max(worst, now - last), now
    await task
    return worst * 1_000


async def main(sessions: int, messages: int, folder: Path) -> None:
    file = folder / "sessions.sqlite3"
    store = SqliteStore(file)
    await store.open()
    begun = time.perf_counter()
    await make_sessions(store, sessions)
    row, ids = await make_long_session(store, min(20, messages))
    print(f"{'':48} {'median':>9} {'worst':>9} {'':>9} (ms)")
    short = await append_at(store, row.id, ids, "to a session of 20")
    row, ids = await make_long_session(store, messages)
    long = await append_at(store, row.id, ids, f"to one of {messages:,}")
    leaf = ids[-1]
    await timed(f"list {sessions:,} sessions", lambda: store.list_sessions(SessionQuery()))
    await timed(
        "filter them by title",
        lambda: store.list_sessions(SessionQuery(title_contains="newline")),
    )
    await timed(f"open a path of {len(ids):,}", lambda: store.path(row.id, leaf))
    await timed("leaf below its first message", lambda: store.leaf_below(ids[0]))
    await timed("requests of that session", lambda: store.requests(row.id))
    for text in ("newline", "empty string", '"number 99"', "the", "nowhere to be found"):
        await timed(f"search {text}", lambda text=text: store.search(text))
    await timed("keep a result of 50 kB", lambda: keep_result(store, row.id, 50_000))
    await timed("keep a result of 5 MB", lambda: keep_result(store, row.id, 5_000_000), runs=3)
    stall = await longest_stall(lambda: store.list_sessions(SessionQuery()))
    print(f"longest stall of the event loop while listing    {stall:9.2f}")
    stall = await longest_stall(lambda: store.path(row.id, leaf))
    print(f"longest stall of the event loop while opening    {stall:9.2f}")
    print(f"append at {messages:,} against append at 20          {long / short:9.2f} ×")
    await timed("delete a session", lambda: delete_one(store), runs=5)
    index = (await store.size()).search
    await store.close()
    made = time.perf_counter() - begun
    print(
        f"file {file.stat().st_size / 1e6:,.1f} MB, {index / 1e6:,.1f} of it index; all took {made:.1f} s"
    )
    again = SqliteStore(file)
    await timed("open the store", again.open, runs=1)
    await again.close()


async def delete_one(store: SqliteStore) -> None:
    (row,) = await store.list_sessions(SessionQuery(limit=1, offset=50))
    await store.delete_session(row.id)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--sessions", type=int, default=10_000)
    parser.add_argument("--messages", type=int, default=10_000)
    parser.add_argument(
        "--keep", type=Path, help="make the store in this folder and leave it there"
    )
    options = parser.parse_args()
    if options.keep:
        asyncio.run(main(options.sessions, options.messages, options.keep))
        sys.exit()
    with tempfile.TemporaryDirectory() as temporary:
        asyncio.run(main(options.sessions, options.messages, Path(temporary)))
