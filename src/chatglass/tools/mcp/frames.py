"""What the app and the MCP host say to each other: one JSON object a line, over a socket.

The app sends commands (`do`), the host events (`on`):

    open server run spec ...      ready, tools, resources, prompts, log, lost (with `run`)
    close server
    call, read, prompt, complete   id ...   progress, result or error (with `id`)
    cancel id
    answer ask value              ask server kind question;  withdrawn ask
    roots roots

`run` counts the starts of one server, so that an event of an earlier start is known as such. No
frame of the host is larger than LARGEST: what is, goes through a file (`spool.py`).
"""

from __future__ import annotations

import json
from typing import Any, cast

from chatglass.tools.tool import JsonObject

LARGEST = 8 * 1024 * 1024
"""Bytes of the longest line that is read."""
BATCH = 128 * 1024
"""About how many bytes of a long list (tools, log) go into one frame: 1-2 ms to parse."""


def encode(frame: JsonObject) -> bytes:
    return json.dumps(frame, ensure_ascii=True, separators=(",", ":")).encode() + b"\n"


def decode(line: bytes) -> JsonObject:
    """Raises ValueError for what is no frame."""
    frame: Any = json.loads(line)
    if not isinstance(frame, dict):
        raise ValueError("not an object")
    return cast("JsonObject", frame)


def batches(items: list[JsonObject]) -> list[list[JsonObject]]:
    """`items` in runs of about BATCH bytes; at least one, which may be empty."""
    found: list[list[JsonObject]] = [[]]
    size = 0
    for item in items:
        length = len(json.dumps(item, ensure_ascii=True))
        if found[-1] and size + length > BATCH:
            found.append([])
            size = 0
        found[-1].append(item)
        size += length
    return found
