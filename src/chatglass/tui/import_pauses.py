"""Between two modules of an import in a thread, a key that was pressed goes first.

A thread that imports takes every second turn of the interpreter, and two of them take two of three,
so that a frame of 10 ms is painted in 20 to 30. Held up for a moment, they leave it alone.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import ModuleType

PAUSE = 0.015
"""Seconds in which a key is taken in and painted. Between two pauses is as long a time for
importing, however fast keys come."""


class ImportPauses:
    """Stands first among the finders of `sys.meta_path`, and finds nothing."""

    def __init__(
        self,
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._now = now
        self._sleep = sleep
        self._pressed_at = float("-inf")
        self._paused_until = float("-inf")
        self._lock = threading.Lock()
        self._users = 0

    def pressed(self) -> None:
        """A key has come; called in any thread."""
        self._pressed_at = self._now()

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> None:
        """Called by an import for each module that is not loaded yet."""
        if not self._users or threading.current_thread() is threading.main_thread():
            return
        now = self._now()
        end = self._pressed_at + PAUSE
        if now < end and now >= self._paused_until + PAUSE:
            self._paused_until = end
            self._sleep(end - now)

    @contextmanager
    def during(self) -> Iterator[None]:
        """Make the imports of all threads pause."""
        with self._lock:
            self._users += 1
            # It stays there: an import that goes through the finders in another thread would pass
            # one over if this one were taken out in front of it.
            if self not in sys.meta_path:
                sys.meta_path.insert(0, self)
        try:
            yield
        finally:
            with self._lock:
                self._users -= 1


PAUSES = ImportPauses()
"""Of this process: there is one way of importing."""
