"""The inspector, measured inside a headless app.

    python -m bench.inspector [runs]

CPU is that of this process and its children. A stall is the time between two turns of the event
loop; beside the wall time stands the loop's own CPU time in it, which other programs on the
machine can't stretch.
"""

from __future__ import annotations

import asyncio
import gc
import json
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from resource import RUSAGE_CHILDREN, RUSAGE_SELF, getrusage

from textual.app import App
from textual.pilot import Pilot

from chatglass.chat.call_round import CallRound
from chatglass.chat.call_schema import CallSchema
from chatglass.chat.call_tokens import CallTokens
from chatglass.store.records import ToolCallRow, ToolResult
from chatglass.tui.inspector.screen import InspectorScreen

SIZE = (160, 48)
NOW = 1_700_000_000_000


@dataclass
class Figures:
    cpu: float = 0.0
    """Seconds, with children."""
    wall: float = 0.0
    stall: float = 0.0
    stall_cpu: float = 0.0


def _cpu() -> float:
    usages = getrusage(RUSAGE_SELF), getrusage(RUSAGE_CHILDREN)
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


@asynccontextmanager
async def measured() -> AsyncIterator[Figures]:
    """Figures of what happens inside; the watch on the loop costs about 1 % itself."""
    figures = Figures()

    async def watch() -> None:
        wall, cpu = time.perf_counter(), time.thread_time()
        while True:
            await asyncio.sleep(0.001)
            now, used = time.perf_counter(), time.thread_time()
            figures.stall = max(figures.stall, now - wall - 0.001)
            figures.stall_cpu = max(figures.stall_cpu, used - cpu)
            wall, cpu = now, used

    gc.collect()
    watcher = asyncio.create_task(watch())
    await asyncio.sleep(0.01)
    figures.stall = figures.stall_cpu = 0.0
    wall, cpu = time.perf_counter(), _cpu()
    try:
        yield figures
    finally:
        figures.wall, figures.cpu = time.perf_counter() - wall, _cpu() - cpu
        watcher.cancel()


async def _until(pilot: Pilot[None], done: Callable[[], bool]) -> None:
    while not done():
        await pilot.pause(0.002)
    await pilot.pause()


def _json_of(megabytes: float) -> str:
    row = {
        "path": "src/package/module/file.py",
        "line": "    return some_function(argument, other=value)  # as it was",
        "score": 1.25,
        "tags": ["a", "b"],
    }
    count = int(megabytes * 1e6 / len(json.dumps(row)))
    return json.dumps([row | {"score": i * 1.5} for i in range(count)])


RESULTS: dict[str, Callable[[], str]] = {
    "JSON, objects": lambda: _json_of(5),
    "JSON, numbers": lambda: json.dumps([i * 7 for i in range(650_000)]),
    "JSON, one string": lambda: json.dumps(["word and \\ word " * 340_000]),
    "text, lines": lambda: "a line of output as programs write them, 60 characters long\n" * 84_000,
    "text, one line": lambda: "x" * 5_000_000,
    "text, Chinese": lambda: "中文文本没有空格,一行接着一行。\n" * 100_000,
}


class Held:
    """A CallSource of one result."""

    def __init__(self, text: str) -> None:
        self._text = text

    async def result(self, tool_call_id: str) -> ToolResult:
        return ToolResult(self._text, self._text[:1000])

    async def find_calls(self, words: str) -> frozenset[str]:
        return frozenset()

    async def round(self, call: ToolCallRow) -> CallRound:
        return CallRound(request=None, taken_back_by=None, before=())

    async def schema(self, call: ToolCallRow) -> CallSchema:
        return CallSchema(sent=None, spec=None)

    async def tokens(self, call: ToolCallRow, seen: str) -> CallTokens:
        return CallTokens(arguments=0, result=0)


async def open_result(text: str) -> Figures:
    """From the key that asks for the result to the last row of it."""

    call = ToolCallRow(
        id="c", session_id="s", turn_id="t", request_id="r", message_id="m", call_id="c",
        position=0, name="run_command", arguments="{}", proposed_at=NOW, started_at=NOW,
        finished_at=NOW, state="ok", result_bytes=len(text), seen_bytes=1000,
    )  # fmt: skip
    app: App[None] = App()
    async with app.run_test(size=SIZE) as pilot:
        screen = InspectorScreen(Held(text), [call], open_id="c")
        app.push_screen(screen)
        await pilot.pause()
        view = screen.inspector.view
        async with measured() as figures:
            await pilot.press("2")
            await _until(pilot, lambda: view.ready and len(view.source) == len(text))
    return figures


async def _best(runs: int, once: Callable[[], Awaitable[Figures]]) -> Figures:
    """The run with the least CPU: what others on the machine took is no property of ours."""
    return min([await once() for _ in range(runs)], key=lambda figures: figures.cpu)


def _line(label: str, figures: Figures) -> str:
    return (
        f"{label:<34}{figures.cpu * 1000:8.0f}{figures.wall * 1000:8.0f}"
        f"{figures.stall * 1000:9.1f}{figures.stall_cpu * 1000:9.1f}"
    )


async def main(runs: int) -> None:
    print(f"{'best of ' + str(runs) + ', ms':<34}{'CPU':>8}{'wall':>8}{'stall':>9}{'its CPU':>9}")
    small = await _best(runs, lambda: open_result('{"a": 1}'))
    print(_line("a result of 8 bytes", small))
    for label, make in RESULTS.items():
        text = make()
        figures = await _best(runs, lambda text=text: open_result(text))
        print(_line(f"{label}, {len(text) / 1e6:.1f} M characters", figures))


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 3))
