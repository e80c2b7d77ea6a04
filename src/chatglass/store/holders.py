"""Which process this is, and whether one that left its mark still lives.

A pid alone is used again sooner or later; with the time the process started and the boot of the
machine it is not. Only processes that see each other's pids can judge one another: two
containers on one folder can't.
"""

from __future__ import annotations

import os
import subprocess
from functools import lru_cache
from pathlib import Path

from chatglass.store.records import Holder

_PROC = Path("/proc")


def this_process(claimed_at: int) -> Holder:
    """This process as a holder."""
    pid = os.getpid()
    return Holder(pid=pid, started=_own_start(pid), boot=_boot(), claimed_at=claimed_at)


def is_same_process(one: Holder, other: Holder) -> bool:
    return (one.pid, one.started, one.boot) == (other.pid, other.started, other.boot)


def is_alive(holder: Holder) -> bool:
    """Whether that very process still runs (a killed one that waits for its parent does not)."""
    return holder.boot == _boot() and _start(holder.pid) == holder.started


@lru_cache(maxsize=1)
def _own_start(pid: int) -> str:
    # Keyed by pid, so that a forked child doesn't take its parent's.
    return _start(pid) or ""


def _start(pid: int) -> str | None:
    """When `pid` started, in the system's words; None where no such process runs."""
    if (_PROC / "self" / "stat").exists():
        return _start_from_proc(pid)
    return _start_from_ps(pid)


def _start_from_proc(pid: int) -> str | None:
    """Field 22 of /proc/PID/stat, in clock ticks since boot (proc(5))."""
    try:
        stat = (_PROC / str(pid) / "stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The name, in parentheses, may itself hold spaces and parentheses.
    fields = stat[stat.rindex(")") + 2 :].split()
    return None if fields[0] in "ZX" else fields[19]


def _start_from_ps(pid: int) -> str | None:
    """For systems without /proc, such as macOS."""
    try:
        done = subprocess.run(
            ["ps", "-o", "stat=,lstart=", "-p", str(pid)],
            capture_output=True,
            text=True,
            timeout=5,
            env={**os.environ, "LC_ALL": "C"},
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return _start_unknown(pid)
    state, _, started = done.stdout.strip().partition(" ")
    return None if not state or state.startswith("Z") else started.strip()


def _start_unknown(pid: int) -> str | None:
    """Without a way to ask when it started, its being there has to do."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return None
    except PermissionError:
        return ""
    return ""


@lru_cache(maxsize=1)
def _boot() -> str:
    try:
        return (_PROC / "sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        pass
    try:
        done = subprocess.run(
            ["sysctl", "-n", "kern.bootsessionuuid"],
            capture_output=True,
            text=True,
            timeout=5,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip()
