"""The server of the soak: it counts tokens itself, holds a window, and refuses invalid lists.

    python -m bench.soak_server [--window TOKENS]

Prints its address and token as JSON, and its totals when its input ends. Asked for a summary, it
repeats only the facts that stand in the request it got.
"""

from __future__ import annotations

import argparse
import asyncio
import dataclasses
import json
import random
import re
import sys
from typing import Any

from chatglass.models.demo import script
from chatglass.models.demo.chunks import counted_usage
from chatglass.models.demo.http import HttpRequest
from chatglass.models.demo.script import Call, Reply
from chatglass.models.demo.server import DemoServer
from chatglass.models.demo.summaries import REQUEST
from chatglass.models.wire import JsonObject

WINDOW = 32_768
MODEL = "soak"
FACT = re.compile(r"the code of ([a-z]+ [a-z]+) is (\d{6})")
"""A fact, wherever it stands."""
_WORDS = [
    "river",
    "stone",
    "table",
    "garden",
    "engine",
    "copper",
    "window",
    "letter",
    "harbour",
    "signal",
    "basket",
    "winter",
    "market",
    "paper",
    "bridge",
    "ladder",
    "candle",
    "forest",
    "island",
    "meadow",
    "velvet",
    "anchor",
    "barrel",
    "compass",
    "kettle",
    "lantern",
    "mirror",
    "needle",
    "orchard",
    "pebble",
    "quarry",
    "ribbon",
    "saddle",
    "timber",
    "valley",
    "wagon",
]


def words(rng: random.Random, count: int) -> str:
    """Sentences of no meaning, with a full stop here and there."""
    said = [rng.choice(_WORDS) for _ in range(count)]
    for at in range(9, count, 10):
        said[at] += "."
    return " ".join(said)


class SoakServer(DemoServer):
    """Answers by what was asked: a lookup first, then some sentences."""

    def __init__(self, *, window: int = WINDOW) -> None:
        super().__init__(models=(MODEL,), rate=0, window=window)
        self.overflows = 0
        """Requests that were larger than the window."""
        self.summaries = 0

    def totals(self) -> JsonObject:
        return {
            "requests": self.received,
            "overflows": self.overflows,
            "violations": self.violations,
            "summaries": self.summaries,
            **dataclasses.asdict(self.reported),
        }

    def _natural(self, request: HttpRequest, fields: JsonObject) -> Reply:
        prompt = self._counter.count(fields["model"], fields.get("tools") or (), fields["messages"])
        most = fields.get("max_completion_tokens") or fields.get("max_tokens") or 0
        if prompt.prompt + most > self.window:
            self.overflows += 1
            return script.context_overflow(self.window, prompt.prompt)
        reply = self._answer(fields["messages"], fields.get("tools") or [])
        return dataclasses.replace(reply, usage=counted_usage(reply, prompt))

    def _answer(self, messages: list[dict[str, Any]], tools: list[JsonObject]) -> Reply:
        first = messages[0]
        if first["role"] == "system" and first["content"].startswith(REQUEST):
            self.summaries += 1
            found = dict(FACT.findall(messages[-1]["content"]))
            lines = [f"- the code of {name} is {code}." for name, code in found.items()]
            return Reply(text="\n".join(["Facts", *lines]), split=200)
        last = messages[-1]
        rng = random.Random(f"{len(messages)} {last.get('content')}")
        asked = re.search(r"Look up (\d+)", str(last.get("content")))
        if last["role"] == "user" and asked and tools:
            count = 1 + int(asked[1]) % 3
            calls = tuple(
                Call(name="lookup", arguments=json.dumps({"item": f"{asked[1]}.{number}"}))
                for number in range(count)
            )
            return Reply(text="I look.", calls=calls, argument_split=100)
        if last["role"] == "tool" and rng.random() < 0.1:
            item = f"{rng.randrange(10_000)}.again"
            call = Call(name="lookup", arguments=json.dumps({"item": item}))
            return Reply(calls=(call,), argument_split=100)
        return Reply(text=words(rng, rng.randrange(30, 160)), split=400)


async def serve(window: int) -> None:
    server = SoakServer(window=window)
    async with server:
        print(json.dumps({"base_url": server.base_url, "token": server.token}), flush=True)
        await asyncio.to_thread(sys.stdin.read)
        print(json.dumps(server.totals()), flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--window", type=int, default=WINDOW)
    asyncio.run(serve(parser.parse_args().window))
