"""What may run unasked: the rules of every built-in tool.

Reading inside the session's root is free, except in the home folder or above it, and except for
secrets. Everything else asks. Some calls ask whatever was granted before (`always_ask`).
"""

from __future__ import annotations

import difflib
import shutil
from pathlib import Path

from chatglass.tools.addresses import Target
from chatglass.tools.places import Place, Surroundings, makes_a_repository
from chatglass.tools.regular_file import NotReadable, read_regular
from chatglass.tools.tool import Assessment, ToolSpec, Verdict
from chatglass.values.figures import counted
from chatglass.values.text import storable

_DIFF_SOURCE_LIMIT = 1_000_000
"""The most bytes of each side that a diff is made of: difflib takes a second for more."""
_DIFF_LINES = 4_000


def read_place(place: Place, surroundings: Surroundings, *, verb: str = "read") -> Assessment:
    """Reading a file or folder."""
    details = {"path": str(place.path), "exists": _exists(place.path)}
    if not place.inside:
        return Assessment(
            verdict="ask",
            why=f"It would {verb} outside the working directory {place.root}.",
            rule="reading outside the working directory asks",
            details=details,
            private=bool(place.secret),
        )
    if place.secret:
        return Assessment(
            verdict="ask",
            why=f"It would {verb} what is private: {place.secret}.",
            rule="secrets ask",
            details=details,
            private=True,
        )
    if surroundings.root_is_wide(place.root):
        return Assessment(
            verdict="ask",
            why=f"It would {verb} in {place.root}, which is or holds your home folder.",
            rule="reading in the home folder asks",
            details=details,
        )
    return Assessment(
        verdict="allow",
        why="It reads inside the working directory.",
        rule="reading inside the working directory is allowed",
        details=details,
    )


def write_place(place: Place, content: str) -> Assessment:
    """Writing a file. The details show a unified diff to what is there."""
    reasons: list[str] = []
    if not place.inside:
        reasons.append(f"it is outside the working directory {place.root}")
    if place.guarded:
        reasons.append(place.guarded)
    if place.secret and place.secret != place.guarded:
        reasons.append(place.secret)
    pointer = makes_a_repository(place.path)
    if pointer and not place.guarded:
        reasons.append("with a file HEAD git may take the folder for a repository of its own")
    always = bool(place.guarded or place.secret or pointer)
    return Assessment(
        verdict="ask",
        why="It would write a file" + (": " + "; ".join(reasons) if reasons else "") + ".",
        rule="writing here always asks" if always else "writing asks",
        details={
            "path": str(place.path),
            "exists": _exists(place.path),
            "diff": _diff(place.path, content),
        },
        always_ask=always,
    )


def run_in_shell(command: str, root: Path) -> Assessment:
    """Running a command."""
    return Assessment(
        verdict="ask",
        why="It would run a command with your rights.",
        rule="running asks",
        details={"command": command, "folder": str(root), "shell": shell()},
    )


def fetch(target: Target) -> Assessment:
    """Fetching an address that has been resolved."""
    details = {
        "address": ", ".join(target.addresses) or "does not resolve",
        "origin": target.origin,
    }
    if not target.addresses:
        return Assessment(
            verdict="ask",
            why=f"It would fetch from {target.host}, which does not resolve: {target.failure}.",
            rule="fetching asks",
            details=details,
        )
    if target.private:
        found = ", ".join(f"{address} ({kind})" for address, kind in target.private.items())
        return Assessment(
            verdict="ask",
            why=f"It would fetch from this machine or its network: {target.host} is {found}.",
            rule="fetching from private addresses always asks",
            details=details,
            always_ask=True,
        )
    return Assessment(
        verdict="ask",
        why=f"It would fetch from {target.host}.",
        rule="fetching asks",
        details=details,
    )


def harmless(why: str) -> Assessment:
    """A call that touches nothing."""
    return Assessment(verdict="allow", why=why, rule="it touches nothing")


def shell() -> str:
    """The shell that commands run in."""
    return shutil.which("bash") or "/bin/sh"


def _exists(path: Path) -> str:
    try:
        found = path.lstat()
    except FileNotFoundError:
        return "no"
    except OSError as error:
        return f"unknown: {error.strerror}"
    if path.is_dir():
        return "yes, a folder"
    return f"yes, {counted(found.st_size, 'byte')}" if path.is_file() else "yes, not a regular file"


def _diff(path: Path, content: str) -> str:
    try:
        old = read_regular(path, limit=_DIFF_SOURCE_LIMIT + 1)
    except FileNotFoundError:
        old = b""
    except (NotReadable, OSError) as error:
        return f"(no comparison: {error})"
    if len(old) > _DIFF_SOURCE_LIMIT or len(content) > _DIFF_SOURCE_LIMIT:
        return f"(too large to compare; it would hold {counted(len(content), 'character')})"
    if b"\0" in old:
        return f"(what is there is binary; it would hold {counted(len(content), 'character')})"
    before = storable(old.decode("utf-8", "replace")).splitlines(keepends=True)
    after = content.splitlines(keepends=True)
    if len(before) > _DIFF_LINES or len(after) > _DIFF_LINES:
        return f"({counted(len(before), 'line')} there, {counted(len(after), 'line')} instead: too many to compare)"
    lines = difflib.unified_diff(before, after, "now", "after", n=3)
    text = "".join(
        line if line.endswith("\n") else line + "\n\\ no newline at the end\n" for line in lines
    )
    return text or "(no change)"


_RUN_UNASKED = frozenset(
    ["read_file", "list_directory", "search_files", "calculate", "current_time"]
)


def usual_verdict(spec: ToolSpec) -> Verdict:
    """What holds of a tool where nothing else is said: `allow` runs unasked inside the working
    directory. Only built-in tools do."""
    return "allow" if spec.name in _RUN_UNASKED and not (spec.server or spec.own) else "ask"
