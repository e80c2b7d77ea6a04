"""Two chatglass on one store, each in a terminal of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from chatglass.store.sqlite.check import check
from e2e.demo_process import DemoProcess
from e2e.pty_program import PtyProgram

Start = Callable[..., PtyProgram]


@pytest.fixture
def start(environment: dict[str, str], project: Path) -> Iterator[Start]:
    demo = DemoProcess(rate=2000)
    started: list[PtyProgram] = []

    def one(*flags: str) -> PtyProgram:
        env = {**environment, **demo.env}
        started.append(PtyProgram("--model", "demo", *flags, cwd=project, env=env))
        return started[-1]

    yield one
    for program in started:
        program.close()
    assert demo.state()["violations"] == []
    demo.close()


def test_both_work_and_one_goes_on_when_the_other_dies(
    start: Start, environment: dict[str, str]
) -> None:
    first = start()
    first.sees("Write a message")
    first.type("calculate 6*7\r")
    first.sees("gives 42")
    first.sees_no("working")

    second = start("-c")
    second.sees(f"read-only: open in another chatglass (process {first.pid})")
    second.sees("gives 42")
    second.type("calculate 2+3\r")
    second.sees("prompt is kept below")
    assert "│ calculate 2+3" in second.text

    # The one that holds it goes on, and a third works beside both on a session of its own.
    first.type("calculate 10*10\r")
    first.sees("gives 100")
    third = start()
    third.sees("Write a message")
    third.type("calculate 4*5\r")
    third.sees("gives 20")

    first.kill()
    second.sees("nobody else has it open now")
    second.type("\r")
    second.sees("gives 5.")
    second.sees("gives 100")
    second.sees_no("read-only")
    third.kill()
    second.kill()
    assert check(Path(environment["CHATGLASS_DATA_DIR"]) / "sessions.sqlite3").faults == []
