"""Paths for completion: the files under a root, and which of them fit what was typed."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

IGNORED = frozenset(
    {
        ".git",
        ".hg",
        ".svn",
        ".venv",
        "venv",
        "node_modules",
        "__pycache__",
        ".mypy_cache",
        ".pytest_cache",
        ".ruff_cache",
        ".tox",
        ".idea",
        "target",
        "dist",
        "build",
    }
)
MOST_PATHS = 20_000
"""A home folder may hold millions of files; the nearest ones to the root come first."""


def list_paths(root: Path, stopped: Callable[[], bool]) -> list[str]:
    """Files and folders (with a final `/`) under `root`, relative, nearest first.

    Blocks; for a thread, which ends soon after `stopped()` is true. Symlinked folders are not
    entered; what can't be read is left out.
    """
    found: list[str] = []
    level = [""]
    while level and len(found) < MOST_PATHS:
        below: list[str] = []
        for folder in level:
            if stopped():
                return found
            folders, files = _scan(root / folder, folder)
            below += folders
            found += [f"{name}/" for name in folders]
            found += files
        level = below
    return found[:MOST_PATHS]


def _scan(path: Path, prefix: str) -> tuple[list[str], list[str]]:
    folders: list[str] = []
    files: list[str] = []
    try:
        with os.scandir(path) as entries:
            for entry in entries:
                name = f"{prefix}/{entry.name}" if prefix else entry.name
                if entry.is_dir(follow_symlinks=False):
                    if entry.name not in IGNORED:
                        folders.append(name)
                elif entry.is_file():
                    files.append(name)
    except OSError:
        # A folder without the right to read it has nothing to offer.
        return [], []
    return sorted(folders), sorted(files)


def rank(paths: Sequence[str], query: str, limit: int) -> list[str]:
    """At most `limit` of `paths` that fit `query`, best first; case does not matter.

    A name that starts with the query goes before a path that holds it, and that before one that
    holds its letters in order. Ties keep the order of `paths`.
    """
    if not query:
        return list(paths[:limit])
    wanted = query.lower()
    scored: list[tuple[int, int, str]] = []
    for place, path in enumerate(paths):
        score = _score(path.lower(), wanted)
        if score is not None:
            scored.append((score, place, path))
    scored.sort()
    return [path for _, _, path in scored[:limit]]


def _score(path: str, wanted: str) -> int | None:
    if path.startswith(wanted):
        return 0
    name = path.rstrip("/").rpartition("/")[2]
    if name.startswith(wanted):
        return 1
    if wanted in name:
        return 2
    if wanted in path:
        return 3
    at = -1
    for letter in wanted:
        at = path.find(letter, at + 1)
        if at < 0:
            return None
    return 4


class PathIndex:
    """The paths under one root, listed in a thread and kept for `LIFE` seconds."""

    LIFE = 30.0

    def __init__(self, root: Path, clock: Callable[[], float]) -> None:
        self.root = root
        self._clock = clock
        self._paths: list[str] = []
        self._listed_at = float("-inf")
        self._lock = threading.Lock()

    def matches(self, query: str, limit: int, stopped: Callable[[], bool]) -> list[str]:
        """Blocks; for a thread. Lists the root where the list is old, and ranks."""
        with self._lock:
            if self._clock() - self._listed_at > self.LIFE:
                paths = list_paths(self.root, stopped)
                if stopped():
                    return []
                self._paths, self._listed_at = paths, self._clock()
            paths = self._paths
        return rank(paths, query, limit)
