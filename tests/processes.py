"""Watching processes that are not children of the test."""

from __future__ import annotations

import asyncio
import contextlib
import os
from pathlib import Path


def alive(pid: int) -> bool:
    """Whether it runs (a zombie does not)."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    # The second where it ends between the opening and the reading of that file.
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state not in ("Z", "X")


async def gone(pids: list[int], within_s: float) -> list[int]:
    """Wait for the ends of `pids`; those that still run after so long."""
    await asyncio.gather(*(_end_of(pid, within_s) for pid in pids))
    return [pid for pid in pids if alive(pid)]


async def _end_of(pid: int, within_s: float) -> None:
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    loop, ended = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(descriptor, ended.set)
    try:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                await ended.wait()
    finally:
        loop.remove_reader(descriptor)
        os.close(descriptor)


async def noted(file: Path, word: str, count: int, within_s: float = 20) -> list[int]:
    """The numbers behind `word` in a server's notes, once there are `count`."""
    async with asyncio.timeout(within_s):
        # Another process writes the file: nothing here could set an event.
        while len(found := _noted(file, word)) < count:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    return found


def _noted(file: Path, word: str) -> list[int]:
    lines = file.read_text().splitlines() if file.exists() else []
    return [int(line.split()[1]) for line in lines if line.startswith(f"{word} ")]
