"""Blocking work beside the event loop, in threads that never hold up the end of the program."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class Stopped(Exception):
    """Raised by work in a thread that found its `stop` set; nobody waits for it any more."""


def check(stop: threading.Event) -> None:
    """Raise Stopped where the call has been cancelled or timed out. Poll it in every loop."""
    if stop.is_set():
        raise Stopped


async def in_thread(work: Callable[[threading.Event], T]) -> T:
    """`work(stop)` in a daemon thread of its own; cancelling sets `stop` and returns at once.

    A thread of the loop's executor would be joined when the program ends: one that hangs on a
    dead network file system would then hang the program.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()
    stop = threading.Event()

    def settle(result: T | None, error: BaseException | None) -> None:
        if future.done():
            return
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(result)  # type: ignore[arg-type]

    def run() -> None:
        result: T | None = None
        error: BaseException | None = None
        try:
            result = work(stop)
        except BaseException as caught:  # noqa: BLE001 - handed to the awaiting task, whatever it is
            error = caught
        try:
            loop.call_soon_threadsafe(settle, result, error)
        except RuntimeError:
            # The loop is closed: the program is ending, and nobody awaits the result.
            return

    threading.Thread(target=run, name="chatglass-tool", daemon=True).start()
    try:
        return await future
    finally:
        stop.set()
