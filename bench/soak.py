"""A session without an end: thousands of turns with tools in a window of 32k tokens.

    python -m bench.soak [--turns 2000] [--strategy NAME]...

For each strategy a new session on a store of its own is led against `soak_server.py`, a process of
its own that counts tokens itself, refuses what is larger than its window, and lists that are not
valid. In the first turns 50 facts are told; what of them stands in the last request is the recall.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import os
import random
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

from bench.rows import Row
from bench.soak_server import FACT, MODEL, WINDOW, SoakServer, words
from chatglass.chat.chat_context import ChatContext
from chatglass.chat.compaction.log import CompactionChoice
from chatglass.chat.compaction.strategies import WHAT
from chatglass.chat.compaction.versions import made
from chatglass.chat.engine import Engine
from chatglass.chat.events import Notice, RequestStarted, TurnFinished
from chatglass.chat.messages import violations
from chatglass.chat.new_session import new_session
from chatglass.chat.ports import Decision, PendingCall
from chatglass.models.endpoints import ConfiguredEndpoint
from chatglass.models.model_manager import Models
from chatglass.models.wire import Endpoint, ModelRef
from chatglass.store.records import Parameters
from chatglass.store.sqlite import SqliteStore
from chatglass.tools import policy
from chatglass.tools.function_tool import CallContext, FunctionTool
from chatglass.tools.tool import ToolOutput
from chatglass.tools.tool_manager import ToolManager

FACTS = 50
_A_TURN = 2
"""Facts told in each of the first turns."""
_PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass
class Soak:
    """What one strategy did."""

    strategy: str
    turns: int
    ended: dict[str, int] = field(default_factory=dict[str, int])
    """Turns by their status."""
    requests: int = 0
    compactions: int = 0
    faults: list[str] = field(default_factory=list[str])
    """Warnings and errors that were told, beside the one of 80 %."""
    recall: int = 0
    ledger: int = 0
    """Tokens by the ledger."""
    server: dict[str, Any] = field(default_factory=dict[str, Any])
    milliseconds: list[float] = field(default_factory=list[float])
    """CPU of the process, by turn."""
    megabytes: list[float] = field(default_factory=list[float])
    """Its memory after each hundred turns."""

    @property
    def server_tokens(self) -> int:
        return self.server["prompt_tokens"] + self.server["completion_tokens"]


def lookup_tool() -> FunctionTool:
    async def lookup(context: CallContext, item: Annotated[str, "What to look up."]) -> ToolOutput:
        """Look something up."""
        rng = random.Random(item)
        text = f"Item {item}\n" + words(rng, rng.choice((20, 80, 200, 600)))
        return ToolOutput("ok", text, text)

    return FunctionTool(lookup, lambda arguments, root: policy.harmless("Made up."), read_only=True)


def told_facts(rng: random.Random) -> dict[str, str]:
    """Names and their codes."""
    facts: dict[str, str] = {}
    while len(facts) < FACTS:
        facts[words(rng, 2)] = f"{rng.randrange(10**6):06}"
    return facts


def prompt(number: int, facts: list[tuple[str, str]], rng: random.Random) -> str:
    if facts:
        told = " ".join(f"Remember: the code of {name} is {code}." for name, code in facts)
        return f"{told} {words(rng, 10)}."
    if number % 3:
        return f"Look up {number} and say what it is. {words(rng, rng.randrange(5, 30))}."
    return f"{words(rng, rng.randrange(10, 60)).capitalize()}?"


async def _allow(call: PendingCall) -> Decision:
    return Decision(verdict="allow", decided_by="soak")


@asynccontextmanager
async def session(
    folder: Path, address: Endpoint, strategy: str, window: int = WINDOW
) -> AsyncIterator[Engine]:
    store = SqliteStore(folder / f"{strategy}.sqlite3")
    await store.open()
    models = Models({"here": ConfiguredEndpoint(endpoint=address, context_window=window)})
    context = ChatContext(
        tool_manager=ToolManager([lookup_tool()]),
        model_manager=models,
        store=store,
        session=new_session(
            folder,
            ModelRef("here", MODEL),
            Parameters(system_prompt="You look things up and remember what you are told."),
        ),
        compaction=CompactionChoice(strategy=strategy),
    )
    engine = Engine(context, decide_tool=_allow)
    try:
        await engine.start()
        yield engine
    finally:
        await engine.close()
        await models.close()
        await store.close()


async def converse(engine: Engine, soak: Soak, seed: int = 1) -> None:
    """The turns of a soak."""
    rng = random.Random(seed)
    facts = told_facts(rng)
    waiting = list(facts.items())
    for number in range(soak.turns):
        told, waiting = waiting[:_A_TURN], waiting[_A_TURN:]
        began = time.process_time()
        await engine.submit(prompt(number, told, rng))
        async for event in engine.run():
            match event:
                case RequestStarted():
                    soak.requests += 1
                case Notice(severity="warning" | "error") if event.kind != "context":
                    soak.faults.append(f"{number}: {event.cause}")
                case TurnFinished():
                    soak.ended[event.status] = soak.ended.get(event.status, 0) + 1
                case _:
                    pass
        soak.milliseconds.append((time.process_time() - began) * 1000)
        if number % 100 == 99:
            gc.collect()
            soak.megabytes.append(_megabytes())
    messages = engine.context.get_messages_for_llm()
    soak.faults += violations(messages)
    sent = json.dumps(messages)
    soak.recall = sum(facts.get(name) == code for name, code in set(FACT.findall(sent)))
    soak.compactions = made(engine.context.compactions)
    soak.ledger = (await engine.context.get_token_stats()).total_tokens


def _megabytes() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * _PAGE / 1e6


async def soak_here(folder: Path, strategy: str, turns: int, window: int) -> Soak:
    """A short one, with the server in this process."""
    soak = Soak(strategy, turns)
    server = SoakServer(window=window)
    async with server:
        address = Endpoint(name="here", base_url=server.base_url, key=server.token, models=(MODEL,))
        async with session(folder, address, strategy, window) as engine:
            await converse(engine, soak)
        soak.server = server.totals()
    return soak


async def soak_apart(folder: Path, strategy: str, turns: int) -> Soak:
    """With the server in a process of its own."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.soak_server",
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, limit=2**24,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdin is not None
    said = json.loads(await process.stdout.readline())
    soak = Soak(strategy, turns)
    address = Endpoint(name="here", base_url=said["base_url"], key=said["token"], models=(MODEL,))
    try:
        async with session(folder, address, strategy) as engine:
            await converse(engine, soak)
    finally:
        process.stdin.close()
        soak.server = json.loads(await process.stdout.readline() or "{}")
        await process.wait()
    return soak


def told(soak: Soak) -> dict[str, object]:
    """The figures of a soak, for people."""
    first, last = soak.milliseconds[:100], soak.milliseconds[-100:]
    cached = soak.server["cached_tokens"] / max(soak.server["prompt_tokens"], 1)
    return {
        "strategy": soak.strategy,
        "turns": soak.turns,
        "ended": soak.ended,
        "requests": soak.server["requests"],
        "rejected": soak.server["overflows"] + len(soak.server["violations"]),
        "compactions": soak.compactions,
        "summaries": soak.server["summaries"],
        "recall": f"{soak.recall}/{FACTS}",
        "tokens by ledger and server": (soak.ledger, soak.server_tokens),
        "cached": f"{cached:.0%}",
        "ms CPU a turn, first and last hundred": (
            round(sum(first) / len(first), 1), round(sum(last) / len(last), 1),
        ),
        "MB at each hundred": [round(value) for value in soak.megabytes],
        "faults": soak.faults[:5],
    }  # fmt: skip


def run(strategies: Sequence[str], turns: int) -> list[Soak]:
    soaks: list[Soak] = []
    for strategy in strategies:
        with tempfile.TemporaryDirectory() as folder:
            soak = asyncio.run(soak_apart(Path(folder), strategy, turns))
        print(json.dumps(told(soak)), file=sys.stderr, flush=True)
        soaks.append(soak)
    return soaks


def soak(_: object) -> list[Row]:
    """For `bench.run`: all strategies, 2,000 turns each; takes the better part of an hour."""
    rows: list[Row] = []
    for each in run(list(WHAT), 2_000):
        figures = told(each)
        first, last = figures["ms CPU a turn, first and last hundred"]  # type: ignore[misc]
        rows += [
            Row(f"{each.strategy}: rejected requests", str(figures["rejected"]),
                f"of {each.server['requests']:,}", "0"),
            Row(f"{each.strategy}: ledger against server", f"{each.ledger:,}",
                f"{each.server_tokens:,}", "the same"),
            Row(f"{each.strategy}: facts that are still sent", str(figures["recall"]),
                f"{each.compactions} compactions", ""),
            Row(f"{each.strategy}: CPU of a turn, last hundred", f"{last} ms",
                f"first hundred {first} ms", "flat"),
            Row(f"{each.strategy}: memory at the end", f"{each.megabytes[-1]:.0f} MB",
                f"{each.megabytes[0]:.0f} MB after 100 turns", "flat"),
        ]  # fmt: skip
    return rows


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--turns", type=int, default=2_000)
    parser.add_argument("--strategy", action="append", choices=list(WHAT))
    arguments = parser.parse_args()
    run(arguments.strategy or list(WHAT), arguments.turns)
