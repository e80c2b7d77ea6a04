"""What the event loop does itself while the rest is imported: keys wait for all of it."""

from __future__ import annotations

import asyncio
import gc
import importlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import ExitStack
from importlib.machinery import PathFinder
from pathlib import Path

import pytest
from bench.make_store import new_session
from tests.start.test_first_frame import HEAVY

from chatglass.config.paths import find_paths
from chatglass.store.sqlite import SqliteStore
from chatglass.tui.idle_collector import IdleCollector
from chatglass.tui.import_pauses import PAUSE, ImportPauses

STARTED = """
import asyncio, json, sys, threading
from chatglass.cli import parse
from chatglass.config.first_look import FirstLook
from chatglass.tui.app import ChatglassApp
from chatglass.tui.life import Life

here, started = [], asyncio.Event()

class Recorder:
    def find_spec(self, name, path=None, target=None):
        if threading.current_thread() is threading.main_thread():
            here.append(name)

begin = Life.begin
async def recorded(self):
    sys.meta_path.insert(0, Recorder())
    await begin(self)
    started.set()
Life.begin = recorded

async def run():
    app = ChatglassApp(parse(sys.argv[1:]), FirstLook())
    async with app.run_test(size=(160, 48)) as pilot:
        await started.wait()
        while app.current.engine.state == "starting":
            await pilot.pause(0.01)
    print(json.dumps({"here": here, "all": sorted(sys.modules)}))

asyncio.run(run())
"""


LIBRARIES = (*HEAVY, "httpx2", "httpcore2", "anyio")
SMALL = {"genai_prices.validation", "genai_prices.decompose"}
"""Come with the first price."""


def started(folder: Path, address: str, *flags: str) -> dict[str, list[str]]:
    """The modules that the event loop imported behind the first frame, and all there are then."""
    flags = (*flags, "--base-url", address, "--model", "gpt-5", "--data-dir", str(folder))
    environment = {**os.environ, "OPENAI_API_KEY": "x", "CHATGLASS_CONFIG": str(folder / "none")}
    ran = subprocess.run(
        [sys.executable, "-c", STARTED, *flags], capture_output=True, text=True, env=environment
    )
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)


@pytest.mark.parametrize("address", ["https://api.openai.com/v1", "http://127.0.0.1:9/v1"])
def test_the_event_loop_imports_nothing_heavy_at_the_start(address: str, tmp_path: Path) -> None:
    found = started(tmp_path, address)
    assert {"openai", "genai_prices.data", "httpx2"} <= set(found["all"])
    assert {name for name in found["here"] if name.startswith(LIBRARIES)} <= SMALL
    panels = ("chatglass.tui.inspector", "chatglass.tui.approval.panel", "chatglass.chat.engine")
    assert not [name for name in found["here"] if name.startswith(panels)]
    assert len(found["here"]) < 30, found["here"]


def test_what_draws_a_resumed_session_is_imported_in_a_thread(tmp_path: Path) -> None:
    async def store_session() -> None:
        store = SqliteStore(find_paths(str(tmp_path)).store)
        await store.open()
        writer = await new_session(store, "With code")
        await writer.add("user", "Show me code")
        await writer.add("assistant", "*Here*:\n\n```python\nprint(1)\n```\n")
        await store.close()

    asyncio.run(store_session())
    found = started(tmp_path, "http://127.0.0.1:9/v1", "-c")
    assert {"markdown_it", "pygments.lexers.python"} <= set(found["all"])
    drawing = ("markdown_it", "mdurl", "pygments")
    assert not [name for name in found["here"] if name.startswith(drawing)]


def test_what_was_loaded_is_not_looked_through_for_garbage() -> None:
    collections: list[str] = []

    def noted(phase: str, _: dict[str, int]) -> None:
        collections.append(phase)

    gc.callbacks.append(noted)
    enabled = gc.isenabled()
    gc.disable()
    try:
        loaded = [[] for _ in range(1_000)]
        before = gc.get_freeze_count()
        IdleCollector().freeze()
        assert gc.get_freeze_count() >= before + len(loaded)
        assert not collections
    finally:
        gc.callbacks.remove(noted)
        gc.unfreeze()
        if enabled:
            gc.enable()


class Clock:
    def __init__(self) -> None:
        self.time = 100.0
        self.slept: list[float] = []

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time += seconds


def in_a_thread(pauses: ImportPauses) -> None:
    with pauses.during():
        thread = threading.Thread(target=pauses.find_spec, args=("a.module",))
        thread.start()
        thread.join()


def test_an_import_waits_for_the_frame_of_a_key_and_then_goes_on() -> None:
    clock = Clock()
    pauses = ImportPauses(clock.now, clock.sleep)
    in_a_thread(pauses)
    assert not clock.slept  # nobody types
    pauses.pressed()
    clock.time += PAUSE / 3
    in_a_thread(pauses)
    assert clock.slept == pytest.approx([PAUSE * 2 / 3])
    in_a_thread(pauses)
    assert len(clock.slept) == 1  # the frame is made


def test_keys_that_come_without_end_leave_an_import_half_of_the_time() -> None:
    clock = Clock()
    pauses = ImportPauses(clock.now, clock.sleep)
    for _ in range(1_000):
        pauses.pressed()
        in_a_thread(pauses)
        clock.time += 0.001
    assert sum(clock.slept) <= 0.5 * (clock.time - 100.0) + PAUSE


def test_what_the_event_loop_imports_never_waits() -> None:
    clock = Clock()
    pauses = ImportPauses(clock.now, clock.sleep)
    pauses.pressed()
    pauses.find_spec("a.module")
    assert not clock.slept


def test_nothing_pauses_once_all_is_imported() -> None:
    clock = Clock()
    pauses = ImportPauses(clock.now, clock.sleep)
    with pauses.during(), pauses.during():
        assert sys.meta_path.count(pauses) == 1
    pauses.pressed()
    thread = threading.Thread(target=pauses.find_spec, args=("a.module",))
    thread.start()
    thread.join()
    assert not clock.slept


class EndsPauses:
    """A finder: when an import comes to it, what was imported in another thread is all there."""

    def __init__(self, end: Callable[[], None]) -> None:
        self.find_spec = lambda name, path=None, target=None: end()


def test_an_import_that_is_under_way_when_the_pauses_end_passes_no_finder_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "lies_on_the_path.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    imported = ExitStack()
    finders = list(sys.meta_path)
    finders.insert(finders.index(PathFinder), EndsPauses(imported.close))
    monkeypatch.setattr(sys, "meta_path", finders)
    imported.enter_context(ImportPauses().during())
    importlib.import_module("lies_on_the_path")
