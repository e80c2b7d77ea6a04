"""Searches files line by line: a script of its own, so that no pattern can hang the app.

    python -I -S search_worker.py PACKAGES QUERY

PACKAGES is the folder that holds the chatglass package, QUERY a JSON object with `pattern`,
`path`, `root`, `glob`, `secrets` (whether secrets may be searched), `own_folders`,
`max_matches`. It prints JSON lines: `{"match": [path, line number, text]}`,
`{"searching": path}` now and then, and at the end one object with `done`.
"""

from __future__ import annotations

import json
import os
import re
import stat
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

SKIPPED_FOLDERS = frozenset(
    [
        ".git",
        ".hg",
        ".svn",
        "node_modules",
        ".venv",
        "venv",
        "__pycache__",
        ".tox",
        ".nox",
        ".mypy_cache",
        ".ruff_cache",
        ".pytest_cache",
        ".hypothesis",
        ".gradle",
        ".terraform",
    ]
)
_LARGEST = 20 * 1024 * 1024
_BINARY_PROBE = 8192
_LINE_SHOWN = 400


class _Search:
    def __init__(self, query: dict[str, Any], secret_name: Callable[[str], bool]) -> None:
        self._query = query
        self._secret_name = secret_name
        self._own = tuple(query["own_folders"])
        self._glob = glob_pattern(query["glob"]) if query["glob"] else None
        self._literal = False
        try:
            self._pattern = re.compile(query["pattern"])
        except (re.error, RecursionError, OverflowError):
            self._literal = True
            self._pattern = re.compile(re.escape(query["pattern"]))
        self._matches = self._files = 0
        self._skipped: dict[str, list[str]] = {}
        self._last_word = time.monotonic()

    def run(self) -> None:
        full = False
        for path, name in self._candidates():
            if self._search_file(path, name):
                full = True
                break
        _say({"done": True, "files": self._files, "full": full, "literal": self._literal,
              "skipped": self._skipped})  # fmt: skip

    def _candidates(self) -> Iterator[tuple[str, str]]:
        start = self._query["path"]
        if not stat.S_ISDIR(os.lstat(start).st_mode):
            yield start, self._name(start)
            return
        open_ends = [start]
        while open_ends:
            folder = open_ends.pop()
            try:
                entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
            except OSError as error:
                self._skip(
                    f"unreadable ({(error.strerror or 'error').lower()})", self._name(folder)
                )
                continue
            below: list[str] = []
            for entry in entries:
                # Links are not followed: they lead to what is searched anyway, or outside.
                if entry.is_symlink() or not self._may_enter(entry):
                    continue
                if entry.is_dir(follow_symlinks=False):
                    below.append(entry.path)
                elif self._wanted(entry.path, entry.name):
                    yield entry.path, self._name(entry.path)
            open_ends.extend(reversed(below))

    def _may_enter(self, entry: os.DirEntry[str]) -> bool:
        if entry.name in SKIPPED_FOLDERS and entry.is_dir(follow_symlinks=False):
            self._skip("not searched unless named as path", entry.name)
            return False
        if self._query["secrets"]:
            return True
        if self._secret_name(entry.name) or entry.path in self._own:
            self._skip("may hold secrets", self._name(entry.path))
            return False
        return True

    def _wanted(self, path: str, name: str) -> bool:
        if self._glob is None:
            return True
        within = os.path.relpath(path, self._query["path"])
        return self._glob.fullmatch(name if "/" not in self._query["glob"] else within) is not None

    def _search_file(self, path: str, name: str) -> bool:
        """True where no more matches are wanted."""
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
        except OSError as error:
            self._skip(f"unreadable ({(error.strerror or 'error').lower()})", name)
            return False
        with os.fdopen(descriptor, "rb") as file:
            state = os.fstat(descriptor)
            if not stat.S_ISREG(state.st_mode):
                return False
            if state.st_size > _LARGEST:
                self._skip(f"larger than {_LARGEST // 1024 // 1024} MB", name)
                return False
            data = file.read(_LARGEST)
        encoding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8"
        if encoding == "utf-8" and b"\0" in data[:_BINARY_PROBE]:
            return False
        self._files += 1
        self._tell(name)
        return self._search_text(data.decode(encoding, "replace").removeprefix("\ufeff"), name)

    def _search_text(self, text: str, name: str) -> bool:
        for number, line in enumerate(text.split("\n"), start=1):
            # With its line end, so that \r\n can be searched for; and without, so that $ holds.
            found = self._pattern.search(line + "\n") or (
                line.endswith("\r") and self._pattern.search(line[:-1])
            )
            if not found:
                continue
            self._matches += 1
            _say({"match": [name, number, _around(line.rstrip("\r"), found.start())]})
            if self._matches >= self._query["max_matches"]:
                return True
        return False

    def _tell(self, name: str) -> None:
        now = time.monotonic()
        if now - self._last_word > 0.25:
            self._last_word = now
            _say({"searching": name})

    def _skip(self, why: str, name: str) -> None:
        names = self._skipped.setdefault(why, [])
        if name not in names and len(names) < 20:
            names.append(name)

    def _name(self, path: str) -> str:
        within = os.path.relpath(path, self._query["root"])
        return path if within == ".." or within.startswith("../") else within


def glob_pattern(glob: str) -> re.Pattern[str]:
    """`*` and `?` within a name, `**` across folders, `[abc]`, `{one,two}`."""
    result, place, depth = "", 0, 0
    while place < len(glob):
        character = glob[place]
        if glob.startswith("**/", place):
            result, place = result + "(?:.*/)?", place + 3
            continue
        if glob.startswith("**", place):
            result, place = result + ".*", place + 2
            continue
        end = glob.find("]", place + 2) if character == "[" else -1
        if end != -1:
            inside = glob[place + 1 : end].replace("\\", "\\\\").replace("[", "\\[")
            inside = "^" + inside[1:] if inside[0] in "!^" else inside
            result, place = result + f"[{inside}]", end + 1
            continue
        if character == "{" and "}" in glob[place:]:
            result, depth = result + "(?:", depth + 1
        elif character == "}" and depth:
            result, depth = result + ")", depth - 1
        elif character == "," and depth:
            result += "|"
        else:
            result += {"*": "[^/]*", "?": "[^/]"}.get(character) or re.escape(character)
        place += 1
    try:
        return re.compile(result + ")" * depth, re.DOTALL)
    except re.error:
        return re.compile(re.escape(glob))


def _around(line: str, start: int) -> str:
    if len(line) <= _LINE_SHOWN:
        return line
    first = max(0, min(start - _LINE_SHOWN // 4, len(line) - _LINE_SHOWN))
    return ("…" if first else "") + line[first : first + _LINE_SHOWN] + "…"


def _say(record: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(record) + "\n")
    # Flushed at once: what was found before a timeout is kept.
    sys.stdout.flush()


if __name__ == "__main__":
    sys.path.insert(0, sys.argv[1])
    from chatglass.tools.secret_names import secret_name

    _Search(json.loads(sys.argv[2]), secret_name).run()
