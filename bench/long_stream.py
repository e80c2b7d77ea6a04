"""An answer into a session of 10,000 messages and into an empty one, and idling with each open."""

from __future__ import annotations

from bench import subject
from bench.rows import Row, ratio
from bench.subject import FakeLLM

_LOADED = 5.0
"""Seconds in which all is imported and the heights around the screen are exact."""
_TYPED = 30
_IDLE_S = 15.0


def long_stream(llm: FakeLLM, messages: int = 10_000, rounds: int = 2) -> list[Row]:
    """Frames, CPU and echo at 1,000 tokens a second, the two in turns; the better of the rounds.

    On a busy machine fewer frames are painted, so CPU is best compared frame by frame.
    """
    best: dict[str, dict[str, float]] = {}
    for number in range(rounds):
        for kind in ("empty", "long"):
            figures = _streamed(
                llm, messages if kind == "long" else 0, f"{kind[0].upper()}{number}"
            )
            kept = best.setdefault(kind, figures)
            best[kind] = {name: min(value, kept[name]) for name, value in figures.items()}
    empty, long = best["empty"], best["long"]
    rows: list[Row] = []
    for name, value in long.items():
        aim = "≤ 0.2 %" if name.startswith("idle") else "≤ 1.3×"
        compared = f"{ratio(value, empty[name])} of {empty[name]:.2f}"
        rows.append(Row(f"{messages:,} messages: {name}", f"{value:.2f}", compared, aim))
    return rows


def _streamed(llm: FakeLLM, messages: int, tag: str) -> dict[str, float]:
    with subject.folder() as data:
        if messages:
            subject.store(data, messages=messages)
        with subject.chatglass(llm, data, *(("-c",) if messages else ())) as app:
            app.wait(subject.SESSION_OPEN if messages else subject.COMPOSER_READY)
            app.settle()
            app.pump(_LOADED)
            idle, _ = app.idle(_IDLE_S)
            app.write(f"n8000 r1000 m{tag}")
            app.wait(f"m{tag}")
            at = app.write("\r")
            end = app.watch(f"END-OF-REPLY-{tag}", at)
            app.pump(1.5)
            echo = app.echo(_TYPED, every=0.15)
            app.pump_until(lambda: end.at is not None, 60.0)
            app.pump(0.2)
            assert end.at is not None
            times = llm.times(tag)
            first, last = times["first"], times["last"]
            cpu = app.cpu_between(first, last)
            frames = app.frames_between(first, last)
            return {
                "echo p50, ms": echo.p50,
                "echo p95, ms": echo.p95,
                "CPU of a frame, ms": 1_000 * cpu / max(1, frames),
                "CPU per 1,000 tokens, s": cpu / 8,
                "last token late, s": max(0.0, end.at - times["last"]),
                "idle CPU before it, %": idle,
            }
