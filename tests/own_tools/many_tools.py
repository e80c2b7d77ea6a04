"""Own tools of every kind, and some functions that are none; loaded by the tests in a worker."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, Field
from typing_extensions import TypedDict

from chatglass.tools.own import report, tool

print("printed while it is imported")
started = 0


@dataclass
class Point:
    x: int
    y: int = 0


class Size(TypedDict):
    wide: int


class Card(BaseModel):
    title: str
    count: Annotated[int, Field(ge=0)] = 1


def typed(
    word: str,
    colour: Literal["red", "green"] = "red",
    many: list[int] | None = None,
    table: dict[str, float] = {},  # noqa: B006
    point: Point | None = None,
    size: Size | None = None,
    card: Card | None = None,
    limit: Annotated[int, Field(description="From the hint.", le=10)] = 5,
) -> dict[str, object]:
    """Gives back what it got.

    A second paragraph.

    Args:
        word: Any word.
        limit: From the docstring.

    Returns:
        What it got.
    """
    kinds = [type(each).__name__ for each in (point, size, card)]
    return {"word": word, "colour": colour, "many": many, "limit": limit, "kinds": kinds}


def numpy_style(a: int) -> int:
    """Doubles.

    Parameters
    ----------
    a : int
        What is doubled.
    """
    return a * 2


def rest_style(a: int) -> str:
    """Text.

    :param a: What is written.
    """
    return f"{a} ✓"


@tool(name="slow_one", timeout_s=0.5, read_only=True)
async def sleeps(seconds: float) -> str:
    """Sleeps."""
    report("asleep", 0.25)
    await asyncio.sleep(seconds)
    return "slept"


def hangs() -> str:
    """A thread that nothing can stop, with a child process."""
    child = subprocess.Popen(["sleep", "1000"])
    report(f"{os.getpid()} {child.pid}")
    while True:
        time.sleep(1)


def where() -> dict[str, str]:
    """The process and its folder."""
    return {"pid": str(os.getpid()), "folder": str(Path.cwd())}


def variables() -> dict[str, str]:
    """Its environment."""
    return dict(os.environ)


def noisy() -> str:
    """Prints, and runs a program that does."""
    print("printed in a call")
    subprocess.run(["echo", "by a child"], check=True)
    return input("a question? ") if sys.stdin.read(1) else "nothing to read"


def raises(kind: str) -> None:
    """Fails."""
    if kind == "exit":
        sys.exit(3)
    if kind == "gone":
        print("last words", file=sys.stderr, flush=True)
        os._exit(4)
    raise ValueError(f"no {kind}")


def big(characters: int) -> str:
    """So many."""
    return "x" * characters


def strange() -> object:
    """Nothing that JSON can hold."""
    return object()


def counts() -> int:
    """How often it was called in this process."""
    global started
    started += 1
    return started


def bare(a, b: int):
    return a, b


def rest(*words: str) -> str:
    return " ".join(words)


def runs__ahead() -> str:
    return ""


def calculate(expression: str) -> str:
    """A built-in tool has this name."""
    return expression


def yields() -> object:
    yield 1


def _helper() -> None: ...
