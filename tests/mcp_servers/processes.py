"""Watching processes that are not children of the test."""

from __future__ import annotations

import asyncio
from pathlib import Path


def alive(pid: int) -> bool:
    """Whether it runs (a zombie does not)."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state not in ("Z", "X")


async def gone(pids: list[int], within_s: float) -> list[int]:
    """Those of `pids` that still run after so long; nothing tells us of strangers' ends, so we look."""
    async with asyncio.timeout(within_s + 1):
        for _ in range(round(within_s / 0.02)):
            if not any(map(alive, pids)):
                return []
            await asyncio.sleep(0.02)
    return [pid for pid in pids if alive(pid)]


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
