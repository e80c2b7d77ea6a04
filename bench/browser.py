"""The session browser over a library of 10,000 sessions and 500,000 messages, in a headless app.

    python -m bench.browser [--library FOLDER] [--small FOLDER]

A folder that has no store is filled first (bench/make_store.py; two minutes for the library). From
outside, through a terminal, `bench.run sessions` measures the same screen.
Times are milliseconds. Opening: from the key until the newest sessions are painted, and until all
are listed. A keystroke: from the key until its first results are painted, debouncing included.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from resource import RUSAGE_SELF, getrusage

# As chatglass does it, before textual is imported.
os.environ.setdefault("TEXTUAL_FPS", "240")

from textual.app import App
from textual.pilot import Pilot

from bench.make_store import make
from chatglass.config.paths import find_paths
from chatglass.store.records import SessionQuery
from chatglass.store.session_search import parse_search
from chatglass.store.sqlite import SqliteStore
from chatglass.tui.sessions.screen import SessionsScreen

SIZE = (160, 48)
TYPED = (
    "generator", "with statement", "dispatch_", "read_file", "文件", "错误 object", "the class", "ing",
    "coroutine", "tool:run import", "cost>0.05 module", "nowhere at all", "is xyz",
)  # fmt: skip
"""Rare and common words, identifiers, pairs of Chinese, facets, and what is nowhere."""
LISTED = 10_000


@dataclass
class Figures:
    opened: list[float] = field(default_factory=list[float])
    open_cpu: list[float] = field(default_factory=list[float])
    listed: list[float] = field(default_factory=list[float])
    keys: list[float] = field(default_factory=list[float])
    cpu: list[float] = field(default_factory=list[float])
    """Of the whole process, the store's threads too, for each key."""
    stalls: list[float] = field(default_factory=list[float])
    """The longest that the event loop did not come round, for each key."""
    memory: float = 0.0
    """Megabytes that opening and searching added."""


class Stalls:
    """The longest pause between two turns of the event loop."""

    def __init__(self) -> None:
        self.worst = 0.0
        self._last = time.perf_counter()
        self._task = asyncio.ensure_future(self._run())

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(0.001)
            now = time.perf_counter()
            self.worst, self._last = max(self.worst, now - self._last), now

    def stop(self) -> float:
        self._task.cancel()
        return self.worst * 1_000


async def browse(folder: Path, opens: int) -> Figures:
    """Open the browser `opens` times, then type into the last one."""
    store = SqliteStore(find_paths(str(folder)).store)
    await store.open()
    figures = Figures()
    app: App[None] = App()
    before = _resident()
    async with app.run_test(size=SIZE) as pilot:
        screen = await _open(app, store, figures)
        for _ in range(opens - 1):
            screen.dismiss(None)
            await pilot.pause()
            screen = await _open(app, store, figures)
        await _quiet(app)
        gc.collect()
        gc.freeze()
        gc.disable()
        for text in TYPED:
            for character in text:
                await _type(pilot, screen, character, figures)
            await _clear(pilot, screen)
        gc.enable()
    figures.memory = _resident() - before
    await store.close()
    return figures


async def _open(app: App[None], store: SqliteStore, figures: Figures) -> SessionsScreen:
    async def rename(*_: object) -> None:
        return None

    screen = SessionsScreen(store, rename=rename, delete=lambda _: None, root="/work")
    cpu = time.process_time()
    begun = time.perf_counter()
    app.push_screen(screen)
    await _until(lambda: bool(screen.listing.rows) and bool(screen.session_list._painted))
    figures.opened.append((time.perf_counter() - begun) * 1_000)
    figures.open_cpu.append((time.process_time() - cpu) * 1_000)
    await _quiet(app, group="sessions")
    figures.listed.append((time.perf_counter() - begun) * 1_000)
    return screen


async def _type(
    pilot: Pilot[None], screen: SessionsScreen, character: str, figures: Figures
) -> None:
    """One key, as from a keyboard, and the time until the list shows its results."""
    shown = screen.session_list
    stalls = Stalls()
    cpu = time.process_time()
    begun = time.perf_counter()
    screen._filter.insert_text_at_cursor(character)
    wanted = parse_search(screen._filter.value, root="/work")
    painted = shown.lines_painted

    def is_shown() -> bool:
        search, rows = screen.listing.search, screen.listing.rows
        if (search.words, len(search.checks)) != (wanted.words, len(wanted.checks)):
            return False
        # Where no rows are left, there is nothing to paint.
        return not rows or shown.lines_painted != painted

    await _until(is_shown)
    figures.keys.append((time.perf_counter() - begun) * 1_000)
    figures.cpu.append((time.process_time() - cpu) * 1_000)
    # The next key comes 80 ms later, as from a quick typist, while the search still goes on.
    await asyncio.sleep(max(0.0, 0.08 - (time.perf_counter() - begun)))
    figures.stalls.append(stalls.stop())


async def _clear(pilot: Pilot[None], screen: SessionsScreen) -> None:
    screen._filter.value = ""
    await pilot.pause()
    await _quiet(screen.app)


async def _quiet(app: App[object], group: str = "") -> None:
    await _until(
        lambda: all(worker.is_finished for worker in app.workers if group in ("", worker.group))
    )


async def _until(condition: Callable[[], bool]) -> None:
    # A pause, not 0: a loop that spins would keep the store's threads from the interpreter.
    done = condition()
    while not done:
        await asyncio.sleep(0.0005)
        done = condition()


def _resident() -> float:
    """Megabytes in memory now."""
    with open("/proc/self/status", encoding="ascii") as status:
        line = next(line for line in status if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1_000


def _line(label: str, values: list[float], aim: str = "") -> str:
    ordered = sorted(values)
    p95 = ordered[min(len(ordered) - 1, round(len(ordered) * 0.95))]
    return f"{label:<44}{statistics.median(values):9.1f}{p95:9.1f}{ordered[-1]:9.1f}  {aim}"


async def main(library: Path, small: Path) -> None:
    for folder, count in ((small, 10), (library, LISTED)):
        if not find_paths(str(folder)).store.exists():
            print(f"filling {folder} …")
            await make(folder, in_library=count)
    few = await browse(small, opens=8)
    many = await browse(library, opens=8)
    store = SqliteStore(find_paths(str(library)).store)
    await store.open()
    rows = await store.list_sessions(SessionQuery(include_archived=True))
    size = await store.size()
    await store.close()
    messages = sum(row.messages for row in rows)
    print(f"{len(rows):,} sessions, {messages:,} messages; store {size.total / 1e6:,.0f} MB, "
          f"of these the index {size.search / 1e6:,.0f} MB")  # fmt: skip
    print(f"{'ms':<44}{'median':>9}{'p95':>9}{'worst':>9}")
    print(_line("open, 10 sessions", few.opened))
    print(_line("  CPU of it", few.open_cpu))
    print(_line("open, 10,000 sessions", many.opened, "aim: under 150"))
    print(_line("  CPU of it", many.open_cpu))
    print(_line("  until all 10,000 are listed", many.listed))
    print(_line("keystroke to results, 10 sessions", few.keys))
    print(_line("keystroke to results, 500,000 messages", many.keys, "aim: p95 under 50"))
    print(_line("  CPU of it", many.cpu))
    print(_line("  longest stall of the event loop", many.stalls))
    ratio = statistics.median(many.open_cpu) / statistics.median(few.open_cpu)
    print(f"CPU of opening 10,000 against 10: {ratio:.2f} ×")
    print(f"memory: +{many.memory:.0f} MB (10 sessions: +{few.memory:.0f} MB); "
          f"at most {getrusage(RUSAGE_SELF).ru_maxrss / 1e3:.0f} MB")  # fmt: skip


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--library", type=Path)
    parser.add_argument("--small", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        asyncio.run(
            main(options.library or Path(temporary, "library"),
                 options.small or Path(temporary, "small"))
        )  # fmt: skip
