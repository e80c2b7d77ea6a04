"""A fast, deterministic OpenAI-compatible server for benchmarks (loopback, standard library).

    python -m bench.fakellm [--port 0]       prints its port

Knobs are words in the last user message:
  n2000  tokens of the answer (60)          r200  tokens a second; r0: as fast as possible (0)
  mA1    the answer ends with END-OF-REPLY-A1
`GET /_stats?tag=A1`: CLOCK_MONOTONIC times at which the first and the last token left.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import functools
import json
import re
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

_TOKEN = re.compile(r"\n+| ?[A-Za-z]{1,9}| ?\d{1,3}| ?[^\sA-Za-z0-9]{1,3}| +")
_KNOB = re.compile(r"\b([nrm])([A-Z]?\d+)\b")
_PARAGRAPH = (
    "A renderer that keeps **finished blocks** apart from the *open one* does little work for a "
    "token, however long the answer has become; `layout.py` and the "
    "[notes](https://example.org/notes) say how widths, wraps and scrolling meet. Pass {i}.\n\n"
)
_BLOCKS = (
    "## Section {i}: streaming and layout\n\n",
    _PARAGRAPH,
    "- an entry with `inline code` and **bold words**, {i}\n"
    "- one more, which is long enough to wrap on a narrow screen but not on a wide one\n"
    "- and the last\n\n",
    "```python\ndef fold_{i}(items: list[int], start: int = {i}) -> int:\n"
    '    """Add the even items to start."""\n    total = start\n    for n in items:\n'
    "        if n % 2 == 0:\n            total += n  # even only\n    return total\n```\n\n",
    "| name | tokens | note |\n|---|---:|---|\n| first | {i}37 | run {i} |\n"
    "| second | {i}74 | with `code` |\n| third | 9{i} | and *stress* |\n\n",
    _PARAGRAPH,
    "1. a step with a *reason* and a path `src/part_{i}.py`\n2. the next step\n3. the last\n\n",
    "> A remark about measuring from outside, which wraps where the screen is narrow.\n\n",
)


@functools.cache
def _body(tokens: int) -> tuple[str, ...]:
    """A document of exactly so many tokens."""
    made: list[str] = []
    number = 0
    while True:
        block = _TOKEN.findall(
            _BLOCKS[number % len(_BLOCKS)].replace("{i}", str(number // len(_BLOCKS) + 1))
        )
        if len(made) + len(block) > tokens:
            break
        made += block
        number += 1
    return (*made, *(" word" for _ in range(tokens - len(made))))


def text_of_tokens(tokens: int) -> str:
    """Rich Markdown of that many tokens; the same every time."""
    return "".join(_body(tokens))


@dataclass(frozen=True, slots=True)
class Plan:
    """What one request gets: `tokens` ends with the marker of `tag`."""

    tokens: tuple[str, ...]
    rate: float
    tag: str


def plan(prompt: str) -> Plan:
    knobs = dict(_KNOB.findall(prompt))
    tag = knobs.get("m", "7Q")
    size = int(knobs.get("n", "60"))
    rate = float(knobs.get("r", "0"))
    return Plan((*_body(max(0, size - 2)), "\n\n", f"END-OF-REPLY-{tag}"), rate, tag)


class FakeServer:
    """The server; `times` holds for each tag when the first and the last token left."""

    def __init__(self) -> None:
        self.times: dict[str, dict[str, float]] = {}

    async def serve(self, port: int) -> None:
        server = await asyncio.start_server(self._accept, "127.0.0.1", port, limit=1 << 26)
        print(server.sockets[0].getsockname()[1], flush=True)
        async with server:
            await server.serve_forever()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                size = re.search(r"\r\ncontent-length: *(\d+)", head, re.IGNORECASE)
                body = await reader.readexactly(int(size[1])) if size else b""
                await self._answer(head.split(" ", 2)[1], body, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the client left
        finally:
            writer.close()

    async def _answer(self, target: str, body: bytes, writer: asyncio.StreamWriter) -> None:
        url = urlsplit(target)
        if url.path == "/_stats":
            _whole(writer, self.times.get(parse_qs(url.query).get("tag", [""])[0], {}))
        elif url.path.endswith("/chat/completions"):
            request = json.loads(body)
            last = next(m for m in reversed(request["messages"]) if m["role"] == "user")
            planned = plan(_text(last["content"]))
            usage = {
                "prompt_tokens": len(body) // 4,
                "completion_tokens": len(planned.tokens),
                "total_tokens": len(body) // 4 + len(planned.tokens),
            }
            if request.get("stream"):
                await self._stream(writer, request, planned, usage)
            else:
                message = {"role": "assistant", "content": "".join(planned.tokens)}
                choice = {"index": 0, "message": message, "finish_reason": "stop"}
                _whole(writer, {**_envelope(request), "choices": [choice], "usage": usage})
        elif url.path.endswith("/models"):
            model = {"id": "fake", "object": "model", "max_model_len": 100_000_000}
            _whole(writer, {"object": "list", "data": [model]})
        else:
            _whole(writer, {"error": {"message": f"no route {target}"}}, "404 Not Found")
        await writer.drain()

    async def _stream(
        self,
        writer: asyncio.StreamWriter,
        request: dict[str, Any],
        planned: Plan,
        usage: dict[str, int],
    ) -> None:
        writer.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n"
        )
        envelope = json.dumps(_envelope(request))[:-1]
        start = f'data: {envelope}, "choices": [{{"index": 0, "delta": '
        events = [
            _chunk(f'{start}{{"content": {json.dumps(token)}}}, "finish_reason": null}}]}}\n\n')
            for token in planned.tokens
        ]
        began = time.monotonic()
        times = self.times[planned.tag] = {"first": began}
        sent = 0
        while sent < len(events):
            if planned.rate:
                due = min(len(events), int((time.monotonic() - began) * planned.rate) + 1)
            else:
                due = sent + 32
            if due > sent:
                writer.write(b"".join(events[sent:due]))
                sent = due
                await writer.drain()
            else:
                await asyncio.sleep(max(0.0005, began + sent / planned.rate - time.monotonic()))
        times["last"] = time.monotonic()
        writer.write(_chunk(f'{start}{{}}, "finish_reason": "stop"}}]}}\n\n'))
        if (request.get("stream_options") or {}).get("include_usage"):
            writer.write(
                _chunk(f'data: {envelope}, "choices": [], "usage": {json.dumps(usage)}}}\n\n')
            )
        writer.write(_chunk("data: [DONE]\n\n") + b"0\r\n\r\n")


def _text(content: object) -> str:
    if isinstance(content, str):
        return content
    return " ".join(part.get("text", "") for part in content) if isinstance(content, list) else ""


def _envelope(request: dict[str, Any]) -> dict[str, Any]:
    kind = "chat.completion.chunk" if request.get("stream") else "chat.completion"
    return {"id": "chatcmpl-fake", "object": kind, "created": 0, "model": request.get("model")}


def _chunk(event: str) -> bytes:
    data = event.encode()
    return b"%x\r\n%s\r\n" % (len(data), data)


def _whole(writer: asyncio.StreamWriter, value: object, status: str = "200 OK") -> None:
    body = json.dumps(value).encode()
    head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    writer.write(head.encode() + b"\r\n" + body)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--port", type=int, default=0)
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(FakeServer().serve(parser.parse_args().port))
