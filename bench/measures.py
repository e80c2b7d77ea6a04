"""One function for each row group of the table of aims. Each returns its rows."""

from __future__ import annotations

import statistics

from bench import subject
from bench.append import append
from bench.long_stream import long_stream
from bench.ptybench import App, Latencies
from bench.reader import SAMPLE_EVERY
from bench.rows import Row, ratio
from bench.servers import servers
from bench.subject import FakeLLM

MB = 2**20
_SHORT = 200
"""Messages of a short session: with fewer, eight pages up go beyond its start and paint nothing."""
HEAVY_IMPORTS = 4.0
"""Seconds after the first use in which everything has been imported."""


def start(llm: FakeLLM, rounds: int = 7) -> list[Row]:
    """First cells, a usable composer, and keys while the heavy imports load; floor in turns."""
    firsts: dict[str, list[float]] = {"floor": [], "app": []}
    usables: dict[str, list[float]] = {"floor": [], "app": []}
    cpu: list[float] = []
    waits: list[float] = []
    for number in range(rounds):
        with subject.floor() as app:
            firsts["floor"].append(app.wait(r"\S") - app.started)
            app.wait(subject.FLOOR_READY)
            app.write("zqx")
            usables["floor"].append(app.wait("zqx") - app.started)
        with subject.folder() as data, subject.chatglass(llm, data) as app:
            firsts["app"].append(app.wait(r"\S") - app.started)
            app.write("zqx")  # before the composer is there: these must be kept
            usable = app.wait("zqx")
            usables["app"].append(usable - app.started)
            app.pump(0.05)
            cpu.append(app.cpu_at(usable))
            if number == 0:
                app.write("\x7f" * 3)
                echo = app.echo(int(HEAVY_IMPORTS / 0.05), every=0.05)
                waits.append(echo.worst)
    floor_first, first = (statistics.median(firsts[k]) for k in ("floor", "app"))
    floor_usable, usable_s = (statistics.median(usables[k]) for k in ("floor", "app"))
    return [
        Row(
            "first cells",
            f"{1000 * first:.0f} ms",
            f"{ratio(first, floor_first)} of {1000 * floor_first:.0f} ms",
            "≤ 0.3× floor",
        ),
        Row(
            "composer usable, early keys kept",
            f"{1000 * usable_s:.0f} ms, {statistics.median(cpu):.2f} s CPU",
            f"{ratio(usable_s, floor_usable)} of {1000 * floor_usable:.0f} ms",
            "≤ 1.4× floor",
        ),
        Row("longest wait of a key while imports load", f"{waits[0]:.0f} ms", "", "≤ 120 ms"),
    ]


def stream(llm: FakeLLM) -> list[Row]:
    """Answers of 20,000 tokens at 1,000 a second and of 2,000 at 200 a second."""
    rows: list[Row] = []
    with subject.folder() as data, subject.chatglass(llm, data) as app:
        _ready(app)
        first, seen, last, echo = _streamed(app, llm, "n20000 r1000 mA1", "A1", 16.0)
        frames = app.frames_between(first, last) / (last - first)
        head, tail = app.cpu_between(first, first + 1), app.cpu_between(first + 19, first + 20)
        rows += [
            Row("1,000 tok/s: frames", f"{frames:.0f} /s", "", "≥ 25 /s"),
            Row("CPU of the 1st thousand", f"{head:.2f} s", "", "≤ 0.5 s"),
            Row("CPU of the 20th thousand", f"{tail:.2f} s", ratio(tail, head), "≤ 1.3×, ≤ 0.5 s"),
            Row("echo p50 / p95", f"{echo.p50:.0f} / {echo.p95:.0f} ms", _missed(echo.missed), "p95 ≤ 30 ms"),
            Row("last token late", f"{seen - last:.3f} s", "", ""),
        ]  # fmt: skip
        app.erase()
        first, seen, last, echo = _streamed(app, llm, "n2000 r200 mB1", "B1", 8.0)
        per_thousand = app.cpu_between(first, last) / 2
        rows += [
            Row("200 tok/s: echo p50 / p95", f"{echo.p50:.0f} / {echo.p95:.0f} ms", _missed(echo.missed), "≤ 8 / 16 ms"),
            Row("last token late", f"{seen - last:.3f} s", "", "≤ 0.05 s"),
            Row("CPU per 1,000 tokens, with typing", f"{per_thousand:.2f} s", "", ""),
        ]  # fmt: skip
    return rows


def long_session(llm: FakeLLM, messages: int = 10_000) -> list[Row]:
    """The same actions in a session of `_SHORT` messages and in a long one."""
    results: list[dict[str, float]] = []
    for size in (_SHORT, messages):
        with subject.folder() as data:
            subject.store(data, messages=size)
            with subject.chatglass(llm, data, "-c") as app:
                app.wait(r"\S")
                usable = app.watch("zqx", app.write("zqx"))  # before the composer is there
                opened = app.wait(subject.SESSION_OPEN)
                app.pump_until(lambda usable=usable: usable.at is not None, 10.0)
                app.pump(0.1)
                assert usable.at is not None
                figures = {
                    "resumed: usable composer, ms": 1_000 * (usable.at - app.started),
                    "resumed: its last line painted, ms": 1_000 * (opened - app.started),
                    "opened, CPU s": app.cpu_at(opened),
                }
                app.write("\x7f" * 3)
                _ready(app)
                app.pump(HEAVY_IMPORTS)
                figures["memory, MB"] = app.memory() / MB
                echo = app.echo(40)
                app.erase()
                figures["key → paint, p50 ms"] = echo.p50
                figures["key → paint, p95 ms"] = echo.p95
                for name, keys in (
                    ("wheel", (subject.WHEEL_UP,) * 8 + (subject.WHEEL_DOWN,) * 4),
                    ("page", (subject.PAGE_UP,) * 8 + (subject.PAGE_DOWN,) * 4),
                    ("focus change", (subject.FOCUS_OUT, subject.FOCUS_IN) * 4),
                ):
                    acts = [app.act(key) for key in keys]
                    figures[f"{name}, ms"] = statistics.median(ms for ms, _ in acts)
                    figures[f"{name}, CPU ms"] = statistics.median(cpu for _, cpu in acts)
                results.append(figures)
    short, long = results
    rows: list[Row] = []
    for name, value in long.items():
        more = value - short[name]
        if name.startswith("memory"):
            rows.append(Row(name, f"{value:.0f}", f"{more:+.0f} MB", "≤ +15 MB"))
        elif name.startswith("resumed"):
            aim = "≤ 300 ms" if "usable" in name else ""
            rows.append(Row(name, f"{value:.0f}", f"{more:+.0f} ms over {_SHORT} messages", aim))
        elif name.startswith("opened"):
            rows.append(
                Row(name, f"{value:.2f}", f"{more:+.2f} s over {_SHORT} messages", "≤ 0.3 s")
            )
        else:
            rows.append(Row(name, f"{value:.1f}", ratio(value, short[name]), "≤ 1.3×"))
    return rows


def idle(llm: FakeLLM, seconds: float = 20.0) -> list[Row]:
    """After an answer, with nothing to do."""
    with subject.folder() as data, subject.chatglass(llm, data) as app:
        _ready(app)
        _streamed(app, llm, "n500 r0 mA1", "A1", 0.0)
        app.pump(HEAVY_IMPORTS)
        cpu, size = app.idle(seconds)
    with subject.floor() as app:
        app.wait(subject.FLOOR_READY)
        app.settle()
        floor_cpu, floor_size = app.idle(seconds)
    return [
        Row("idle CPU", f"{cpu:.2f} %", f"floor {floor_cpu:.2f} %", "≤ 0.2 %"),
        Row(
            "bytes painted",
            f"{size / seconds:.0f} /s",
            f"floor {floor_size / seconds:.0f} /s",
            "a cursor's",
        ),
    ]


def memory(llm: FakeLLM) -> list[Row]:
    """After an answer, when all imports are loaded."""
    with subject.folder() as data, subject.chatglass(llm, data) as app:
        _ready(app)
        _streamed(app, llm, "n500 r0 mA1", "A1", 0.0)
        app.pump(HEAVY_IMPORTS)
        used = app.memory() / MB
    with subject.floor() as app:
        app.wait(subject.FLOOR_READY)
        app.pump(0.5)
        base = app.memory() / MB
    return [
        Row("resident, all imports loaded", f"{used:.0f} MB", f"floor {base:.0f} MB", "≤ 160 MB")
    ]


def tool_result(llm: FakeLLM, megabytes: float = 5.0) -> list[Row]:
    """Opening a large result in the inspector, and paging in it."""
    with subject.folder() as data:
        subject.store(data, result_mb=megabytes)
        with subject.chatglass(llm, data, "-c") as app:
            app.wait(subject.SESSION_OPEN)
            _ready(app)
            app.pump(HEAVY_IMPORTS)
            before = app.memory()
            screen, screen_cpu = app.act(subject.OPEN_INSPECTOR)
            at = app.write(subject.RESULT_SECTION)
            shown = app.wait(subject.RESULT_SHOWN, since=at)
            app.settle()
            app.pump(0.1)
            cpu = screen_cpu / 1000 + app.cpu_between(at, app.log.chunks[-1][0] + SAMPLE_EVERY)
            pages = [app.act(subject.PAGE_DOWN)[0] for _ in range(12)]
            more = (app.memory() - before) / MB
    return [
        Row("inspector open", f"{screen:.0f} ms, {screen_cpu:.0f} ms CPU", "", ""),
        Row(
            "its result shown",
            f"{1000 * (shown - at):.0f} ms, both {cpu:.2f} s CPU",
            "",
            "≤ 0.3 s CPU",
        ),
        Row("slowest page of 12", f"{max(pages):.0f} ms", "", "≤ 50 ms"),
        Row("memory", f"{more:+.0f} MB", "", ""),
    ]


def sessions(llm: FakeLLM, count: int = 10_000) -> list[Row]:
    """The list of many sessions: opening it, and typing a filter."""
    with subject.folder() as data:
        subject.store(data, sessions=count)
        with subject.chatglass(llm, data) as app:
            _ready(app)
            app.pump(HEAVY_IMPORTS)
            at = app.write(subject.OPEN_SESSIONS)
            shown = app.wait(subject.SESSIONS_OPEN, since=at)
            app.settle()
            app.pump(0.1)
            cpu = app.cpu_between(at, app.log.chunks[-1][0])
            keys = [app.act(letter) for letter in "rivers"]
    return [
        Row("list open", f"{1000 * (shown - at):.0f} ms, {1000 * cpu:.0f} ms CPU", "", "≤ 100 ms CPU"),
        Row(
            "filter, a letter",
            f"{statistics.median(ms for ms, _ in keys):.0f} ms, "
            f"{statistics.median(cpu for _, cpu in keys):.0f} ms CPU",
            "",
            "≤ 30 ms",
        ),
    ]  # fmt: skip


def _ready(app: App) -> None:
    app.wait(subject.COMPOSER_READY)
    app.settle()


def _missed(count: int) -> str:
    return f"{count} keys never seen" if count else ""


def _streamed(
    app: App, llm: FakeLLM, prompt: str, tag: str, typing: float
) -> tuple[float, float, float, Latencies]:
    """Ask, type for `typing` seconds from the second second on, and wait for the last token.

    First token sent, last token seen, last token sent, and the echo of what was typed.
    """
    app.write(prompt)
    app.wait(prompt[-6:])
    at = app.write("\r")
    end = app.watch(f"END-OF-REPLY-{tag}", at)
    app.pump(2.0 if typing else 0.0)
    echo = app.echo(int(typing / 0.2), every=0.2) if typing else Latencies(())
    app.pump_until(lambda: end.at is not None, 120.0)
    app.settle()
    assert end.at is not None
    times = llm.times(tag)
    app.pump(0.1)
    return times["first"], end.at, times["last"], echo


MEASURES = {
    "start": start,
    "stream": stream,
    "long-session": long_session,
    "long-stream": long_stream,
    "idle": idle,
    "memory": memory,
    "tool-result": tool_result,
    "sessions": sessions,
    "servers": servers,
    "append": append,
}
