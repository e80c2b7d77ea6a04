"""Finishing what a cancellation would tear: a write, and what memory has to hold after it."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable, Coroutine
from typing import Any, ParamSpec, TypeVar

T = TypeVar("T")
P = ParamSpec("P")


async def finished(work: Coroutine[Any, Any, T]) -> tuple[T, bool]:
    """The result of `work`, which runs to its end in any case, and whether the caller was cancelled
    meanwhile; then it is up to the caller to end."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task), False
    except asyncio.CancelledError:
        if not task.done():
            await asyncio.wait([task])
        return task.result(), True


async def to_the_end(work: Coroutine[Any, Any, T]) -> T:
    """The result of `work`, which runs to its end even if the caller is cancelled meanwhile; the
    cancellation is raised then. Where `work` fails, its own error is raised in any case."""
    result, cancelled = await finished(work)
    if cancelled:
        raise asyncio.CancelledError
    return result


def unbroken(
    method: Callable[P, Coroutine[Any, Any, T]],
) -> Callable[P, Coroutine[Any, Any, T]]:
    """A method that runs to its end once it was called (`to_the_end`)."""

    @functools.wraps(method)
    async def whole(*args: P.args, **kwargs: P.kwargs) -> T:
        return await to_the_end(method(*args, **kwargs))

    return whole
