"""What the questions showed, so that a run that would touch something else can refuse."""

from __future__ import annotations

import json
import threading
from collections import OrderedDict
from pathlib import Path

from chatglass.tools.tool import JsonObject

_KEPT = 2_000


class Shown:
    """The facts of the last assessment of each call: a resolved path, a content, an address."""

    def __init__(self) -> None:
        self._facts: OrderedDict[str, frozenset[str]] = OrderedDict()
        # Assessments run in threads.
        self._lock = threading.Lock()

    def remember(self, arguments: JsonObject, root: Path, *facts: str) -> None:
        key = _key(arguments, root)
        with self._lock:
            self._facts[key] = frozenset(facts)
            self._facts.move_to_end(key)
            while len(self._facts) > _KEPT:
                self._facts.popitem(last=False)

    def covers(self, arguments: JsonObject, root: Path, *facts: str) -> bool:
        """Whether the last assessment of this very call named all of `facts`."""
        with self._lock:
            return frozenset(facts) <= self._facts.get(_key(arguments, root), frozenset())

    def known(self, arguments: JsonObject, root: Path) -> bool:
        """Whether this very call has been assessed."""
        with self._lock:
            return _key(arguments, root) in self._facts


def _key(arguments: JsonObject, root: Path) -> str:
    return json.dumps([str(root), arguments], sort_keys=True)
