"""The transcript in process: what keys, scrolling and streaming cost, and that length adds nothing.

Runs a transcript alone in a headless Textual app (160x48): opening, scrolling, focus and resize
with 10 and with 10,000 messages, then a stream of 20,000 tokens of Markdown into the longer one.
Figures are CPU time of this process; ratios compare 10,000 messages with 10, and the 20th
thousand tokens with the first. Aims: ratios <= 1.3, opening <= 0.3 s, stream <= 0.5 s per thousand.

    python bench/transcript.py [--messages 10000] [--tokens 20000] [--rate 1000] [--rounds 2]
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import random
import tracemalloc
from collections.abc import Awaitable, Callable
from time import perf_counter, process_time

os.environ.setdefault("TEXTUAL_FPS", "240")  # as the program sets it, before textual is imported

from textual.app import App, ComposeResult
from textual.widgets import Input

from chatglass.tui.transcript.items import AnswerItem, Item, PromptItem, ToolCard
from chatglass.tui.transcript.widget import Transcript

SIZE = (160, 48)
WORDS = [
    "the",
    "parser",
    "reads",
    "*bytes*",
    "in",
    "text",
    "mode",
    "so",
    "**every**",
    "line",
    "end",
    "becomes",
    "one",
    "character",
    "and",
    "`len`",
    "differs",
    "on",
    "Windows",
    "where",
    "a",
    "file",
    "has",
    "two",
    "of",
    "them",
    "for",
    "each",
    "line",
]
CODE = (
    "\n\n```python\ndef parse(data: bytes) -> list[str]:\n    return data.decode().split()\n```\n\n"
)
NOW = 1_700_000_000_000


def conversation(messages: int) -> list[Item]:
    chance = random.Random(7)
    items: list[Item] = []
    for turn in range(messages // 2):
        prompt = " ".join(chance.choices(WORDS, k=chance.randint(3, 40)))
        items.append(PromptItem(id=f"p{turn}", text=prompt, at=NOW))
        parts = [" ".join(chance.choices(WORDS, k=chance.randint(10, 90))) for _ in range(3)]
        if not turn % 4:
            parts.append(CODE.strip())
        cards = [
            ToolCard(tool_call_id=f"c{turn}", name="read_file", arguments="a.py", state="ok")
        ] * (turn % 3 == 0)
        items.append(
            AnswerItem(
                id=f"a{turn}",
                at=NOW,
                model="model",
                text="\n\n".join(parts),
                cards=cards,
                footer="model · 1,204 · $0.0021",
            )
        )
    return items


def tokens(count: int) -> list[str]:
    """Rich Markdown in pieces of about a token."""
    chance = random.Random(11)
    made: list[str] = []
    while len(made) < count:
        kind = chance.random()
        if kind < 0.1:
            made.extend(CODE.replace(" ", "\0 ").split("\0"))
        elif kind < 0.2:
            made.extend(["\n\n", "- ", "item", " one", "\n", "- ", "item", " two", "\n\n"])
        elif kind < 0.25:
            made.extend(["\n\n", "| a", " | b |\n", "|---|---|\n", "| 1 ", "| 2 |", "\n\n"])
        else:
            made.extend(f"{word} " for word in chance.choices(WORDS, k=chance.randint(10, 60)))
            made.append("\n\n")
    return made[:count]


class Bench(App[None]):
    CSS = "Transcript { height: 1fr; } Input { height: 1; border: none; }"

    def compose(self) -> ComposeResult:
        yield Transcript()
        yield Input()


async def costs(steps: int, step: Callable[[int], Awaitable[None]]) -> float:
    """CPU milliseconds of a step with what it paints: the lower quartile, since others run too."""
    spent: list[float] = []
    for number in range(steps):
        start = process_time()
        await step(number)
        spent.append((process_time() - start) * 1000)
    return sorted(spent)[len(spent) // 4]


async def browse(messages: int, steps: int = 60) -> dict[str, float]:
    items = conversation(messages)
    app = Bench()
    figures: dict[str, float] = {}
    async with app.run_test(size=SIZE) as pilot:
        transcript = app.query_one(Transcript)
        await pilot.pause()

        async def painted() -> None:
            await pilot._wait_for_screen()
            # The compositor paints on its own timer: 1/240 s.
            await asyncio.sleep(0.012)

        gc.collect()
        gc.disable()
        start = process_time()
        transcript.load(items)
        await painted()
        figures["open ms"] = (process_time() - start) * 1000
        refiner = transcript._refiner
        refiner.busy()
        start = process_time()
        while refiner.working:  # noqa: ASYNC110 - it has no event, and needs none but here
            await asyncio.sleep(0.1)
        figures["refine ms"] = (process_time() - start) * 1000

        async def wheel(number: int) -> None:
            transcript.scroll_lines(3 if number % 2 else -3)
            await painted()

        async def page(number: int) -> None:
            transcript.action_page(1 if number % 2 else -1)
            await painted()

        async def focus(number: int) -> None:
            app.query_one(Input if number % 2 else Transcript).focus()
            await painted()

        async def key(number: int) -> None:
            app.query_one(Input).insert_text_at_cursor("x")
            await painted()

        async def resize(number: int) -> None:
            await pilot.resize_terminal(SIZE[0] - 1 - number % 9, SIZE[1])
            await painted()

        async def idle(_: int) -> None:
            await painted()

        async def find(_: int) -> None:
            transcript.find("windows")

        async def new_page(_: int) -> None:
            transcript.action_page(-1)
            await painted()

        figures["find ms"] = await costs(5, find)
        transcript.clear_find()
        base = await costs(steps, idle)
        for name, step, count in (
            ("wheel ms", wheel, steps),
            ("page ms", page, steps),
            ("unseen page ms", new_page, 2 if messages < 100 else 20),
            ("key ms", key, steps),
            ("focus ms", focus, steps),
            ("resize ms", resize, 18),
        ):
            figures[name] = max(0.0, await costs(count, step) - base)
        gc.enable()
    return figures


async def stream(messages: int, count: int, rate: int) -> list[float]:
    """CPU seconds per thousand tokens, thousand by thousand."""
    pieces = tokens(count)
    items = conversation(messages)
    answer = AnswerItem(id="stream", at=NOW, model="model", status="streaming")
    app = Bench()
    spent: list[float] = []
    async with app.run_test(size=SIZE) as pilot:
        transcript = app.query_one(Transcript)
        transcript.load([*items, answer])
        await pilot.pause()
        transcript._refiner.stop()
        gc.collect()
        gc.disable()
        begun = perf_counter()
        for thousand in range(0, count, 1000):
            start = process_time()
            for number in range(thousand, thousand + 1000):
                transcript.push_text("stream", pieces[number])
                ahead = begun + number / rate - perf_counter()
                if ahead > 0:
                    await asyncio.sleep(ahead)
            spent.append(process_time() - start)
        gc.enable()
    return spent


def least(one: dict[str, float], other: dict[str, float]) -> dict[str, float]:
    return {name: min(value, other[name]) for name, value in one.items()}


def memory(messages: int) -> float:
    """Megabytes of Python objects that a transcript adds to its items, when what is near is refined."""

    async def measured() -> float:
        items = conversation(messages)
        app = Bench()
        async with app.run_test(size=SIZE) as pilot:
            transcript = app.query_one(Transcript)
            await pilot.pause()
            gc.collect()
            tracemalloc.start()
            transcript.load(items)
            for _ in range(30):
                transcript.action_page(-1)
                await pilot.pause()
            gc.collect()
            used = tracemalloc.get_traced_memory()[0] / 1e6
            tracemalloc.stop()
            return used

    return asyncio.run(measured())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--messages", type=int, default=10_000)
    parser.add_argument("--tokens", type=int, default=20_000)
    parser.add_argument("--rate", type=int, default=1_000, help="tokens a second")
    parser.add_argument("--rounds", type=int, default=2)
    arguments = parser.parse_args()
    few, many = asyncio.run(browse(10)), asyncio.run(browse(arguments.messages))
    for _ in range(arguments.rounds - 1):  # taken in turn, so that a busy minute hits both
        few = least(few, asyncio.run(browse(10)))
        many = least(many, asyncio.run(browse(arguments.messages)))
    print(f"{'CPU':>16} {10:>10,} {arguments.messages:>10,} messages   ratio")
    for name, value in many.items():
        # Ten messages have no page that was not seen, and nothing to refine.
        same = name not in ("unseen page ms", "refine ms") and few[name] > 0.01
        ratio = f"{value / few[name]:18.2f}" if same else f"{'—':>18}"
        print(f"{name:>16} {few[name]:10.2f} {value:10.2f} {ratio}")
    print(f"{'memory MB':>16} {memory(10):10.2f} {memory(arguments.messages):10.2f}")
    spent = asyncio.run(stream(arguments.messages, arguments.tokens, arguments.rate))
    print(f"stream at {arguments.rate:,} tokens/s, CPU s per 1,000 tokens:")
    print("  " + " ".join(f"{seconds:.2f}" for seconds in spent))
    edge = min(3, len(spent))
    print(f"  last {edge} / first {edge}: {sum(spent[-edge:]) / sum(spent[:edge]):.2f}")


if __name__ == "__main__":
    main()
