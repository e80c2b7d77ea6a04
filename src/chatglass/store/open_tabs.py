"""Which sessions a process has open in which order, so that a later one can open them again.

Each process writes a file of its own for its directory, whole or not at all, so neither a crash nor a
second process in that directory spoils what is there.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from chatglass.store import holders
from chatglass.store.records import Holder
from chatglass.values.clock import now_ms


@dataclass(frozen=True, slots=True)
class OpenTabs:
    """Ids of sessions in the order of their tabs, and that of the one on screen."""

    sessions: tuple[str, ...] = ()
    shown: str = ""


class OpenTabsFile:
    """Of this process, for the working directory `root`. All of it reads or writes files."""

    def __init__(self, folder: Path, root: str) -> None:
        self._folder = folder
        self._root = root
        self._prefix = hashlib.sha256(root.encode("utf-8", "surrogateescape")).hexdigest()[:16]
        self._own = folder / f"{self._prefix}-{os.getpid()}.json"

    def last(self) -> OpenTabs:
        """What the process had open that ended last in this directory; nothing where there is none,
        or where it can't be read."""
        ours = holders.this_process(now_ms())
        for path in self._files():
            found = _read(path, self._root)
            if found is not None and (
                holders.is_same_process(found[1], ours) or not holders.is_alive(found[1])
            ):
                return found[0]
        return OpenTabs()

    def keep(self, tabs: OpenTabs) -> None:
        """Write what is open now, and forget processes that ended before. Raises OSError."""
        ours = holders.this_process(now_ms())
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        part = self._own.with_suffix(".part")
        value = {
            "root": self._root,
            "sessions": tabs.sessions,
            "shown": tabs.shown,
            "pid": ours.pid,
            "started": ours.started,
            "boot": ours.boot,
        }
        part.write_text(json.dumps(value), encoding="utf-8")
        part.replace(self._own)
        for path in self._files():
            found = _read(path, self._root)
            if path != self._own and (found is None or not holders.is_alive(found[1])):
                path.unlink(missing_ok=True)

    def _files(self) -> list[Path]:
        """The files for this directory, the newest first."""
        written: list[tuple[int, Path]] = []
        for path in self._folder.glob(f"{self._prefix}-*.json"):
            try:
                written.append((path.stat().st_mtime_ns, path))
            except FileNotFoundError:
                continue  # another process has just removed it
        return [path for _, path in sorted(written, reverse=True)]


def _read(path: Path, root: str) -> tuple[OpenTabs, Holder] | None:
    try:
        value: Any = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if not isinstance(value, dict):
        return None
    table = cast(dict[str, Any], value)
    sessions, pid = table.get("sessions"), table.get("pid")
    if table.get("root") != root or not isinstance(sessions, list) or not isinstance(pid, int):
        return None
    ids = tuple(one for one in cast(list[Any], sessions) if isinstance(one, str))
    holder = Holder(
        pid=pid,
        started=str(table.get("started", "")),
        boot=str(table.get("boot", "")),
        claimed_at=0,
    )
    return OpenTabs(ids, str(table.get("shown", ""))), holder
