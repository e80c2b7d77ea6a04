"""Mentions: the files that a prompt names as `@path`."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

_WRITTEN = re.compile(r"(?<![^\s(\[{\"'])@(\S+)")
_BEHIND = ".,;:!?)]}\"'>"
"""What may follow a path and is no part of it."""
_LOOKS_LIKE_FILE = re.compile(r"\w\.\w{1,5}$")


@dataclass(frozen=True, slots=True)
class Mention:
    """`written` is what stands in the prompt, its `@` included; `path` the file it names, or None
    with a `problem` in words. Where that is `certain`, a file was meant; else it may be anything."""

    written: str
    path: Path | None
    problem: str = ""
    certain: bool = True


def may_mention(text: str) -> bool:
    """Whether there is anything to look for."""
    return "@" in text and _WRITTEN.search(text) is not None


def find_mentions(text: str, root: Path, is_known: Callable[[str], bool]) -> list[Mention]:
    """The mentions in `text`, each once, seen from `root`. Looks at files: for a thread.

    `is_known`: whether what is written names something else, such as a server's resource.
    """
    found: dict[str, Mention] = {}
    for match in _WRITTEN.finditer(text):
        mention = _mention(match[1], root, is_known)
        if mention is not None:
            found.setdefault(mention.written, mention)
    return list(found.values())


def _mention(written: str, root: Path, is_known: Callable[[str], bool]) -> Mention | None:
    for end in range(len(written), 0, -1):
        name = written[:end]
        if is_known(name):
            return None
        path = resolved(name, root)
        if path is not None and path.is_file():
            return Mention(f"@{name}", path)
        if written[end - 1] not in _BEHIND:
            break
    name = written.rstrip(_BEHIND) or written
    path = resolved(name, root)
    if path is not None and path.is_dir():
        return Mention(f"@{name}", None, f"{name} is a folder; name a file in it.")
    if "/" in name:
        return Mention(f"@{name}", None, f"There is no file {name}.")
    if _LOOKS_LIKE_FILE.search(name):
        return Mention(f"@{name}", None, f"There is no file {name}.", certain=False)
    return None


def resolved(name: str, root: Path) -> Path | None:
    """The path that is written as `name`, seen from `root`; None where it can't be one."""
    try:
        path = Path(name).expanduser()
        return path if path.is_absolute() else root / path
    except (RuntimeError, ValueError):  # no such user, a NUL
        return None
