"""Ids: ULIDs, so that rows sort by the time they were made (https://github.com/ulid/spec)."""

from __future__ import annotations

import threading

_lock = threading.Lock()
_last = 0


def new_id() -> str:
    """26 characters, unique, and greater than every id this process made before."""
    # Its import takes 9 ms, which the first frame would wait for; none is made before it.
    from ulid import ULID

    global _last
    with _lock:
        _last = max(int(ULID()), _last + 1)
        return str(ULID.from_int(_last))
