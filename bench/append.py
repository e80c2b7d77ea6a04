"""What appending one message costs, by how long the session is already."""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from pathlib import Path

from bench.rows import Row, ratio
from bench.store import make_long_session, message, prose
from bench.subject import FakeLLM
from chatglass.chat.chat_context import ChatContext
from chatglass.models.endpoints import ConfiguredEndpoint
from chatglass.models.model_manager import Models
from chatglass.models.wire import Endpoint
from chatglass.store.sqlite import SqliteStore
from chatglass.tools.tool_manager import ToolManager

LENGTHS = (10, 1_000, 10_000)
APPENDED = 200
"""Messages to each, by turns, so that a busy moment falls on all of them."""


def append(llm: FakeLLM) -> list[Row]:
    """The store's own write, committed; and a user's message through `ChatContext`, which counts its
    tokens, names the session and tells the ledger too."""
    with tempfile.TemporaryDirectory() as folder:
        return asyncio.run(_append(Path(folder)))


async def _append(folder: Path) -> list[Row]:
    store = SqliteStore(folder / "sessions.sqlite3")
    await store.open()
    here = Endpoint(name="here", base_url="http://127.0.0.1:9/v1", key="none", models=("none",))
    models = Models({"here": ConfiguredEndpoint(endpoint=here)})
    of_store: dict[int, list[float]] = {length: [] for length in LENGTHS}
    of_context: dict[int, list[float]] = {length: [] for length in LENGTHS}
    paths: dict[int, tuple[str, list[str]]] = {}
    contexts: dict[int, ChatContext] = {}
    for length in LENGTHS:
        row, ids = await make_long_session(store, length)
        paths[length] = (row.id, ids)
        row, _ = await make_long_session(store, length)
        contexts[length] = ChatContext(
            tool_manager=ToolManager([]), model_manager=models, store=store,
            session=await store.get_session(row.id),
        )  # fmt: skip
        await contexts[length].initialize()
    for number in range(APPENDED):
        for length in LENGTHS:
            session_id, ids = paths[length]
            row = message(session_id, ids[-1], number)
            begun = time.perf_counter()
            await store.append_message(row)
            of_store[length].append(time.perf_counter() - begun)
            ids.append(row.id)
            text = prose(number)
            begun = time.perf_counter()
            await contexts[length].add_user_message(text)
            of_context[length].append(time.perf_counter() - begun)
    for context in contexts.values():
        await context.close()
    await models.close()
    await store.close()
    return [
        *_rows("append a message, committed", of_store),
        *_rows("the same by ChatContext, counted and in the ledger", of_context),
    ]


def _rows(what: str, times: dict[int, list[float]]) -> list[Row]:
    base = statistics.median(times[LENGTHS[0]])
    return [
        Row(
            f"{what}, after {length:,}",
            f"{statistics.median(each) * 1_000:.2f} ms",
            ratio(statistics.median(each), base),
            "flat" if length == LENGTHS[-1] else "",
        )
        for length, each in times.items()
    ]
