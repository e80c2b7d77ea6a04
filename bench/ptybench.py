"""Drives a terminal program through a pty and times it from outside.

A reader process of its own drains the pty, stamps each read with CLOCK_MONOTONIC, answers the
terminal's queries, and samples CPU and memory of the program's process tree. This process feeds
the recorded bytes to a screen afterwards, so its own slowness moves no time stamp: what it calls
"seen at" is the stamp of the read that painted the text.

    python -m bench.ptybench [--ready REGEX] [--keys N] [--idle S] -- COMMAND...
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import json
import os
import pty
import random
import re
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time
from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.processes import tree
from bench.reader import HEAD, SAMPLE, SAMPLE_EVERY, record
from bench.screen import Painted

now = time.monotonic
_FRAME = b"\x1b[?2026h"


class NotSeen(Exception):
    """What was waited for did not come; `str()` is the screen."""


@dataclass(slots=True)
class Watch:
    """When `pattern` was first seen on a line painted at or after `since`."""

    pattern: re.Pattern[str]
    since: float
    at: float | None = None


@dataclass(frozen=True, slots=True)
class Latencies:
    """Milliseconds, sorted; `missed` never showed."""

    values: Sequence[float]
    missed: int = 0

    def quantile(self, part: float) -> float:
        if not self.values:
            return float("nan")
        return self.values[min(len(self.values) - 1, int(part * len(self.values)))]

    @property
    def p50(self) -> float:
        return self.quantile(0.5)

    @property
    def p95(self) -> float:
        return self.quantile(0.95)

    @property
    def worst(self) -> float:
        return self.quantile(1.0)


@dataclass(slots=True)
class _Log:
    """What the reader has recorded."""

    sample_times: list[float] = field(default_factory=list[float])
    cpu: list[float] = field(default_factory=list[float])
    memory: list[int] = field(default_factory=list[int])
    chunks: list[tuple[float, int]] = field(default_factory=list[tuple[float, int]])
    frames: list[float] = field(default_factory=list[float])
    ended: bool = False


class App:
    """One program in a pty. Times are CLOCK_MONOTONIC seconds."""

    def __init__(
        self,
        command: Sequence[str],
        env: Mapping[str, str] | None = None,
        cwd: str | None = None,
        size: tuple[int, int] = (160, 48),
    ) -> None:
        columns, rows = size
        self.screen = Painted(columns, rows)
        self.log = _Log()
        self.watches: list[Watch] = []
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        folder = "/dev/shm" if os.path.isdir("/dev/shm") else None
        handle, self._path = tempfile.mkstemp(prefix="ptybench", dir=folder)
        os.close(handle)
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": os.environ.get("HOME", "/"),
            "TERM": "xterm-256color",
            "COLORTERM": "truecolor",
            "LANG": "C.UTF-8",
            **{name: os.environ[name] for name in ("PYTHONPATH",) if name in os.environ},
            **(env or {}),
        }
        self.started = now()
        self.process = subprocess.Popen(
            command, stdin=slave, stdout=slave, stderr=slave, env=environment, cwd=cwd,
            start_new_session=True,
        )  # fmt: skip
        os.close(slave)
        self._reader = os.fork()
        if self._reader == 0:
            try:
                record(self._master, self._path, self.process.pid)
            finally:
                os._exit(0)
        self._file = open(self._path, "rb")  # noqa: SIM115  (closed in close())

    # -- writing
    def write(self, data: str | bytes) -> float:
        """Send keys; when they were sent."""
        at = now()
        with contextlib.suppress(OSError):  # the program has ended
            os.write(self._master, data.encode() if isinstance(data, str) else data)
        return at

    # -- reading
    def watch(self, pattern: str, since: float | None = None) -> Watch:
        watch = Watch(re.compile(pattern), now() if since is None else since)
        self.watches.append(watch)
        return watch

    def pump(self, seconds: float) -> None:
        """Work off what is recorded, and go on for so long."""
        end = now() + seconds
        while self._step() or now() < end:
            pass

    def pump_until(self, happened: Callable[[], bool], timeout: float = 60.0) -> None:
        """Raises NotSeen where it has not happened after `timeout` or the program's end."""
        end = now() + timeout
        while not happened():
            if not self._step() and (self.log.ended or now() > end):
                raise NotSeen(self.screen.text())

    def wait(
        self, pattern: str, timeout: float = 60.0, since: float = 0.0, *, look: bool = True
    ) -> float:
        """When `pattern` was painted; now, if it is on screen already and `look` is set."""
        compiled = re.compile(pattern)
        if look and any(map(compiled.search, self.screen.lines())):
            return now()
        watch = self.watch(pattern, since)
        try:
            self.pump_until(lambda: watch.at is not None, timeout)
        finally:
            self.watches = [one for one in self.watches if one is not watch]
        assert watch.at is not None
        return watch.at

    def settle(self, gap: float = 0.4, timeout: float = 20.0) -> None:
        """Until nothing was painted for `gap` seconds."""
        end = now() + timeout
        while now() < end:
            self.pump(0.05)
            if not self.log.chunks or now() - self.log.chunks[-1][0] > gap:
                return

    def _step(self) -> bool:
        """Take in one record; False, after a short sleep, where there is none."""
        place = self._file.tell()
        head = self._file.read(HEAD.size)
        if len(head) == HEAD.size:
            kind, at, size = HEAD.unpack(head)
            data = self._file.read(size)
            if len(data) == size:
                self._take(kind, at, data)
                return True
        self._file.seek(place)
        time.sleep(0.001)
        return False

    def _take(self, kind: bytes, at: float, data: bytes) -> None:
        log = self.log
        if kind == b"S":
            cpu, memory = SAMPLE.unpack(data)
            log.sample_times.append(at)
            log.cpu.append(cpu)
            log.memory.append(memory)
        elif kind == b"X":
            log.ended = True
        else:
            log.chunks.append((at, len(data)))
            log.frames += [at] * data.count(_FRAME)
            changed = self.screen.feed(data)
            for watch in [one for one in self.watches if at >= one.since]:
                if any(map(watch.pattern.search, changed)):
                    watch.at = at
                    self.watches.remove(watch)

    # -- figures
    def cpu_at(self, at: float) -> float:
        """CPU seconds of the tree at a time, straight between samples."""
        times, cpu = self.log.sample_times, self.log.cpu
        if not times:
            return 0.0
        place = bisect_left(times, at)
        if place == 0:
            return cpu[0]
        if place == len(times):
            return cpu[-1]
        before, after = times[place - 1], times[place]
        part = (at - before) / max(1e-9, after - before)
        return cpu[place - 1] + (cpu[place] - cpu[place - 1]) * part

    def cpu_between(self, start: float, end: float) -> float:
        return self.cpu_at(end) - self.cpu_at(start)

    def bytes_between(self, start: float, end: float) -> int:
        return sum(size for at, size in self.log.chunks if start <= at <= end)

    def frames_between(self, start: float, end: float) -> int:
        """Synchronised updates begun, which is Textual's unit of painting."""
        return bisect_left(self.log.frames, end) - bisect_left(self.log.frames, start)

    def memory(self) -> int:
        """Resident bytes of the tree at the last sample."""
        return self.log.memory[-1] if self.log.memory else 0

    # -- measurements
    def echo(self, keys: int = 40, every: float = 0.1, *, seed: int = 1) -> Latencies:
        """Type letters at that pace; the time from each to its whole prefix on screen.

        Whoever calls it must see to it that a text field has the focus; `erase` takes them back.
        """
        chance = random.Random(seed)
        text = "zq"
        while len(text) < keys + 2:
            text += chance.choice([c for c in "bcdfghjklmnpqrstvwxyz" if c != text[-1]])
        sent: list[tuple[float, Watch]] = []
        due = now() + 0.05
        for end in range(1, len(text) + 1):
            while now() < due:
                self._step()
            watch = self.watch(re.escape(text[:end]), since=float("inf"))
            watch.since = self.write(text[end - 1])
            sent.append((watch.since, watch))
            due += every * chance.uniform(0.7, 1.3)
        with contextlib.suppress(NotSeen):
            self.pump_until(lambda: all(watch.at is not None for _, watch in sent), 6.0)
        ours = [watch for _, watch in sent]
        self.watches = [watch for watch in self.watches if watch not in ours]
        self._typed = len(text)
        seen = [1000 * (w.at - at) for at, w in sent[2:] if w.at is not None]
        return Latencies(sorted(seen), missed=len(sent) - 2 - len(seen))

    def erase(self) -> None:
        """Take back what `echo` typed."""
        self.write(b"\x7f" * self._typed)
        self.settle(0.2)

    def act(self, data: str | bytes, gap: float = 0.25) -> tuple[float, float]:
        """Send something; milliseconds to the first bytes painted, and CPU ms until it is quiet."""
        self.pump(0)
        at = self.write(data)
        known = len(self.log.chunks)
        with contextlib.suppress(NotSeen):
            self.pump_until(lambda: len(self.log.chunks) > known, 3.0)
        self.settle(gap)
        self.pump(2 * SAMPLE_EVERY)
        first = next((t for t, _ in self.log.chunks[known:]), float("nan"))
        last = self.log.chunks[-1][0] + SAMPLE_EVERY
        return 1000 * (first - at), 1000 * self.cpu_between(at, last)

    def idle(self, seconds: float) -> tuple[float, int]:
        """CPU in percent and bytes painted while nothing is done."""
        self.pump(0)
        start = now()
        self.pump(seconds)
        end = now()
        self.pump(2 * SAMPLE_EVERY)
        return 100 * self.cpu_between(start, end) / (end - start), self.bytes_between(start, end)

    # -- end
    def close(self) -> None:
        """End the program, with everything it started."""
        pids = tree(self.process.pid)
        for ending in (signal.SIGTERM, signal.SIGKILL):
            for pid in pids:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, ending)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(1.0)
        self.process.wait()
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._reader, signal.SIGTERM)
        os.waitpid(self._reader, 0)
        os.close(self._master)
        self._file.close()
        Path(self._path).unlink()

    def __enter__(self) -> App:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--ready", default=r"\S", help="what shows that it can be used")
    parser.add_argument("--keys", type=int, default=0, help="how many keys to time")
    parser.add_argument("--idle", type=float, default=0.0, help="seconds to watch it idle")
    parser.add_argument("command", nargs="+")
    options = parser.parse_args()
    figures: dict[str, object] = {}
    with App(options.command) as app:
        try:
            ready = app.wait(options.ready)
        except NotSeen as screen:
            sys.exit(f"not ready; on screen:\n{screen}")
        app.settle()
        figures["ready_s"] = round(ready - app.started, 3)
        figures["ready_cpu_s"] = round(app.cpu_at(ready), 3)
        if options.keys:
            echo = app.echo(options.keys)
            figures["echo_ms"] = {"p50": round(echo.p50, 1), "p95": round(echo.p95, 1)}
        if options.idle:
            figures["idle_cpu_percent"] = round(app.idle(options.idle)[0], 2)
        figures["memory_mb"] = round(app.memory() / 2**20, 1)
    print(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
