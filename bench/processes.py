"""CPU and memory of a process tree, from /proc (Linux)."""

from __future__ import annotations

import os
import time
from collections.abc import Collection, Iterable
from pathlib import Path

_PAGE = os.sysconf("SC_PAGE_SIZE")
_TICK = os.sysconf("SC_CLK_TCK")


def children(pid: int) -> list[int]:
    found: list[int] = []
    try:
        for task in os.listdir(f"/proc/{pid}/task"):
            text = Path(f"/proc/{pid}/task/{task}/children").read_text()
            found += map(int, text.split())
    except OSError:
        pass  # it ended meanwhile
    return found


def tree(root: int, without: Collection[int] = ()) -> list[int]:
    """`root` and all below it, less `without` and what is below those."""
    found: list[int] = []
    waiting = [root]
    while waiting:
        pid = waiting.pop()
        if pid not in without:
            found.append(pid)
            waiting += children(pid)
    return found


def cpu_seconds(pids: Iterable[int]) -> float:
    """User and system time, and that of children they have waited for."""
    total = 0.0
    for pid in pids:
        try:
            # The clock id of a process's CPU clock, see clock_getcpuclockid(3).
            total += time.clock_gettime((~pid << 3) | 2)
            stat = Path(f"/proc/{pid}/stat").read_bytes().rsplit(b")", 1)[1].split()
        except OSError:
            continue
        total += (int(stat[13]) + int(stat[14])) / _TICK
    return total


def resident(pids: Iterable[int]) -> int:
    """Resident bytes; pages that several share count in each."""
    total = 0
    for pid in pids:
        try:
            total += int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE
        except OSError:
            continue
    return total
