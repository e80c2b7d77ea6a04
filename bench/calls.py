"""A session of 1,000 tool calls in the inspector, measured inside a headless app.

    python -m bench.calls [calls]

All figures are CPU of this process, which a loaded machine stretches least; of a key from its press
to the end of the painting that follows, without a terminal. What a key that does nothing takes is the
measuring itself.
"""

from __future__ import annotations

import asyncio
import gc
import statistics
import sys
import time
from collections.abc import Sequence

from textual.app import App
from textual.pilot import Pilot

from chatglass.store.records import RequestRow, ToolCallRow, ToolResult
from chatglass.tui.inspector.calls_head import View
from chatglass.tui.inspector.screen import InspectorScreen

SIZE = (160, 48)
NOW = 1_700_000_000_000
_BESIDE, _REQUESTS = 4, 5
"""Calls of an answer, and such answers of a turn."""
KEYS = 60


class Nothing:
    """A source that knows nothing of a call but its row."""

    async def result(self, tool_call_id: str) -> ToolResult | None:
        return None

    async def find_calls(self, words: str) -> frozenset[str]:
        return frozenset()

    def __getattr__(self, name: str) -> object:
        raise AttributeError(name)


def rows(count: int) -> tuple[list[ToolCallRow], list[RequestRow]]:
    """Turns of five requests with four calls at once each, minutes apart."""
    calls: list[ToolCallRow] = []
    requests: list[RequestRow] = []
    for number in range(count):
        answer, place = divmod(number, _BESIDE)
        turn = answer // _REQUESTS
        begun = NOW + turn * 300_000 + answer % _REQUESTS * 6_000
        if place == 0:
            requests.append(
                RequestRow(
                    id=f"request-{answer}", session_id="s", turn_id=f"turn-{turn}", message_id="m",
                    purpose="answer", endpoint="demo", base_url="", model="demo-fast",
                    started_at=begun, first_token_at=begun + 400, finished_at=begun + 2_000,
                    status="complete",
                )
            )  # fmt: skip
        calls.append(
            ToolCallRow(
                id=f"call-{number}", session_id="s", turn_id=f"turn-{turn}",
                request_id=f"request-{answer}", message_id="m", call_id=str(number), position=place,
                name=("read_file", "search_files", "run_command", "git__log")[number % 4],
                arguments=f'{{"path": "src/module_{number}.py", "limit": {number}}}',
                proposed_at=begun + 2_000, decided_at=begun + 2_000 + 300 * place,
                started_at=begun + 2_100 + 300 * place,
                finished_at=begun + 2_500 + 700 * place + number % 90 * 10,
                state="error" if number % 50 == 7 else "ok", decided_by="user",
                result_bytes=number * 37, seen_bytes=number * 37,
            )
        )  # fmt: skip
    return calls, requests


async def opened(view: View, calls: Sequence[ToolCallRow], requests: Sequence[RequestRow]) -> float:
    """Milliseconds of CPU from opening the full screen to its first painting."""
    app: App[None] = App()
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        gc.collect()
        cpu = time.process_time()
        screen = InspectorScreen(Nothing(), calls, requests=requests, view=view)  # pyright: ignore[reportArgumentType]
        await app.push_screen(screen)
        await pilot.pause()
        return 1_000 * (time.process_time() - cpu)


async def pressed(pilot: Pilot[None], key: str) -> float:
    started = time.process_time()
    await pilot.press(key)
    await pilot.pause()
    return 1_000 * (time.process_time() - started)


async def keys(view: View, calls: Sequence[ToolCallRow], requests: Sequence[RequestRow]) -> None:
    """Print the CPU of the keys that move, scale and filter."""
    app: App[None] = App()
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        screen = InspectorScreen(Nothing(), calls, requests=requests, view=view)  # pyright: ignore[reportArgumentType]
        await app.push_screen(screen)
        await pilot.pause()
        inspector = screen.inspector
        inspector.calls_panel.focus_calls()
        await pilot.pause()
        floor = [await pressed(pilot, "f20") for _ in range(KEYS)]
        measured = {"a key that does nothing": floor}
        names = ["up", "pageup", "home"] if view == "list" else ["up", "pageup", "z", "plus", "0"]
        for key in names:
            measured[key] = [await pressed(pilot, key) for _ in range(KEYS // 2)]
            await pressed(pilot, "end")
        await pressed(pilot, "f")
        measured["a letter of the filter"] = [
            await pressed(pilot, key) for key in "search_files module_1" * 2 if key not in " _"
        ]
        for name, times in measured.items():
            times.sort()
            p95 = times[int(len(times) * 0.95)]
            print(f"{view:<9} {name:<26} p50 {statistics.median(times):5.1f}  p95 {p95:5.1f} ms")


async def main(count: int) -> None:
    calls, requests = rows(count)
    few, few_requests = rows(20)
    views: tuple[View, ...] = ("list", "timeline")
    for view in views:
        small = min([await opened(view, few, few_requests) for _ in range(3)])
        large = min([await opened(view, calls, requests) for _ in range(3)])
        print(f"{view:<9} opening with {count:,} calls: {large:.0f} ms CPU; with 20: {small:.0f}")
        await keys(view, calls, requests)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000))
