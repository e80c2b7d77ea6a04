"""What keeping the wire of requests costs.

    python -m bench.wire

The stream is that of the demo endpoint's form: one event a token, of about 250 bytes.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
import time
from pathlib import Path

from chatglass.chat.new_session import new_session
from chatglass.chat.sent_body import record_body
from chatglass.chat.shown_path import Outgoing
from chatglass.chat.wire_record import encode_record
from chatglass.models.exchange import Exchange
from chatglass.models.wire import ModelRef
from chatglass.store.sqlite import SqliteStore

_WORDS = [
    "the",
    "quick",
    "brown",
    "fox",
    "jumps",
    "over",
    "a",
    "lazy",
    "dog",
    "while",
    "nine",
    "models",
    "stream",
    "their",
    "tokens",
]


def _events(tokens: int) -> list[bytes]:
    return [
        b"data: "
        + json.dumps(
            {
                "id": "chatcmpl-9f3b2a6c41d84b7e",
                "object": "chat.completion.chunk",
                "created": 1_700_000_000,
                "model": "some-model-2025-01-01",
                "system_fingerprint": "fp_44709d6fcb",
                "choices": [
                    {
                        "index": 0,
                        "delta": {"content": f" {_WORDS[(i * 7 + i // 5) % len(_WORDS)]}"},
                        "logprobs": None,
                        "finish_reason": None,
                    }
                ],
            }
        ).encode()
        + b"\n\n"
        for i in range(tokens)
    ]


def _kept(tokens: int) -> None:
    events = _events(tokens)
    began = time.thread_time()
    exchange = Exchange("https://api.example/v1/chat/completions", ["sk-" + "0123456789abcdef" * 3])
    for event in events:
        exchange.add(event)
    stream = time.thread_time() - began
    began = time.thread_time()
    text = encode_record([exchange])
    end = time.thread_time() - began
    print(
        f"{tokens:>7,} tokens: {sum(map(len, events)) / 1000:8.0f} kB received, "
        f"{len(text) / 1000:7.1f} kB kept; {1000 * stream:6.1f} ms CPU while it streams "
        f"({1e6 * stream / tokens:.1f} ms per 1k tokens), {1000 * end:5.1f} ms at its end"
    )


async def _start() -> None:
    with tempfile.TemporaryDirectory() as folder:
        store = SqliteStore(Path(folder) / "s.sqlite3")
        await store.open()
        session = new_session(Path(folder), ModelRef("here", "m"))
        await store.create_session(session)
        messages = [{"role": "system", "content": "Be short."}]
        tools = [{"type": "function", "function": {"name": f"tool_{i}"}} for i in range(40)]
        body = {"model": "m", "messages": messages, "tools": tools, "stream": True}
        took: list[float] = []
        for _ in range(60):
            began = time.perf_counter()
            await record_body(store, body, Outgoing([], []))
            took.append(time.perf_counter() - began)
        took.sort()
        print(
            f"a body stored before it is sent: {1000 * took[30]:.2f} ms (p95 {1000 * took[57]:.2f})"
        )
        await store.close()


if __name__ == "__main__":
    for count in (1_000, 10_000, 30_000):
        _kept(count)
    asyncio.run(_start())
