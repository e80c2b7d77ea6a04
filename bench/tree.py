"""A tool result of 50 MB in the inspector: opened, folded, searched, scrolled.

    python -m bench.tree [megabytes]

Each line is one thing done; see `bench.inspector` for CPU and stalls. Memory is what this process
holds more than before the result was shown; the result's own text is in it.
"""

from __future__ import annotations

import asyncio
import gc
import sys
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

from textual.app import App

from bench.inspector import NOW, SIZE, Figures, Held, _json_of, _line, _until, measured
from chatglass.store.records import ToolCallRow
from chatglass.tui.inspector.screen import InspectorScreen


def _resident() -> float:
    """Megabytes."""
    fields = Path("/proc/self/statm").read_text().split()
    return int(fields[1]) * 4096 / 1e6


async def main(megabytes: float) -> None:
    text = _json_of(megabytes)
    call = ToolCallRow(
        id="c", session_id="s", turn_id="t", request_id="r", message_id="m", call_id="c",
        position=0, name="run_command", arguments="{}", proposed_at=NOW, started_at=NOW,
        finished_at=NOW, state="ok", result_bytes=len(text), seen_bytes=1000,
    )  # fmt: skip
    app: App[None] = App()
    gc.disable()
    async with app.run_test(size=SIZE) as pilot:
        screen = InspectorScreen(Held(text), [replace(call)], open_id="c")
        app.push_screen(screen)
        await pilot.pause()
        view = screen.inspector.view
        screen.inspector.detail._wanted = "tree"
        before = _resident()
        print(
            f"{len(text) / 1e6:.0f} MB of JSON{'':<22}{'CPU':>8}{'wall':>8}{'stall':>9}{'its CPU':>9}"
        )

        async def step(label: str, act: Callable[[], Awaitable[None]]) -> Figures:
            async with measured() as figures:
                await act()
            print(_line(label, figures), flush=True)
            return figures

        def settled() -> bool:
            return all(worker.is_finished for worker in view.workers if worker.node is view)

        async def press(*keys: str) -> None:
            await pilot.press(*keys)
            await _until(pilot, settled)

        async def opened() -> None:
            await pilot.press("2")
            await _until(
                pilot, lambda: view.ready and view.is_tree and len(view.source) == len(text)
            )

        await step("opened, with the last row there", opened)
        containers = len(view._folds.containers) if view._folds else 0
        print(f"  {view.text_lines:,} lines, {containers:,} objects and arrays")
        gc.collect()
        print(f"  memory {_resident() - before:+.0f} MB")
        await step("all folded", lambda: press("0"))
        print(f"  {len(view.rows):,} rows left, {_resident() - before:+.0f} MB")
        await step("one of them unfolded", lambda: press("down", "down", "right"))
        await step("and folded", lambda: press("left"))
        await step("the outermost folded", lambda: press("home", "left"))
        await step("and unfolded", lambda: press("right"))
        await step("to the end", lambda: press("end"))
        await step("path and value copied", lambda: press("P", "Y"))

        async def sought() -> None:
            view.find('score": 99999')
            await _until(pilot, settled)

        await step("a text found, and its fold opened", sought)
        await step("all unfolded", lambda: press("asterisk"))
        await step("a page further, ten times", lambda: press(*["pagedown"] * 10))

        async def wider() -> None:
            await pilot.resize_terminal(120, 40)
            await _until(pilot, lambda: view.ready and settled())

        await step("another width", wider)

        async def beside() -> None:
            screen.inspector.detail._wanted = "raw"
            screen.inspector.detail._arrange()
            await _until(pilot, lambda: screen.inspector.detail.raw.ready)

        await step("the raw text", beside)
        gc.collect()
        print(f"  memory {_resident() - before:+.0f} MB")


if __name__ == "__main__":
    asyncio.run(main(float(sys.argv[1]) if len(sys.argv) > 1 else 50.0))
