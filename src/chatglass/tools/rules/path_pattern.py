"""What a rule says of a file: `src/main.py`, `src/*.py`, `src/**`, `/tmp/out/**`, `"odd (name)"`.

Relative to the session's working directory, or absolute. `*` stands for part of one name, `**` as
the last part for the folder and everything below it; neither for a name that begins with a dot. In
double quotes, with the escapes of JSON, every character stands for itself.
"""

from __future__ import annotations

import json
import os
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from chatglass.tools.rules.match import InvalidRule, Match

_BARE = re.compile(r"[^\s\"'\\()?\[\]{}~*\x00-\x1f\x7f]+")
"""A name that may stand without quotes. `*` is written in with it where it is a wildcard."""


@dataclass(frozen=True, slots=True)
class PathPattern:
    """`names` are those between the slashes; with `wild` a `*` in them is a wildcard."""

    names: tuple[str, ...]
    absolute: bool = False
    wild: bool = False

    def __post_init__(self) -> None:
        for name in self.names:
            if name in ("", ".", "..") or "/" in name or "\0" in name:
                raise InvalidRule(f"{name!r} is not the name of a file or folder")
        if not self.names and not self.absolute:
            raise InvalidRule("it names no file")
        if self.wild and not all(_may_be_bare(name) for name in self.names):
            raise InvalidRule("* can't stand beside characters that need quotes")
        if self.wild and any("**" in name for name in self.names[:-1]):
            raise InvalidRule("** only stands at the end of a path")
        if self.wild and self.names and "**" in self.names[-1] and self.names[-1] != "**":
            raise InvalidRule("** stands for a whole name")
        if self.wild and not any("*" in name for name in self.names):
            raise InvalidRule("there is no wildcard in it")

    @classmethod
    def exactly(cls, path: str, root: str) -> PathPattern:
        """Of one resolved, absolute path."""
        inside = PurePosixPath(path).is_relative_to(root) and path != root
        names = PurePosixPath(path).relative_to(root if inside else "/").parts
        return cls(names, absolute=not inside)

    def folder(self) -> PathPattern | None:
        """Of everything in the folder of an exact path; None for what has no folder of its own."""
        above = self.names[:-1]
        if not above or not all(_may_be_bare(name) and "*" not in name for name in above):
            return None
        return PathPattern((*above, "**"), self.absolute, wild=True)

    def __str__(self) -> str:
        text = ("/" if self.absolute else "") + "/".join(self.names)
        bare = all(_may_be_bare(name) and ("*" not in name or self.wild) for name in self.names)
        return (
            text if bare and self.names else json.dumps(text, ensure_ascii=not text.isprintable())
        )

    # -- matching; `path` and `root` are resolved and absolute

    def allows(self, path: str, root: str) -> bool:
        parts = self._parts_of(path, root)
        return parts is not None and _fits(self.names, parts, self.wild, hidden=False)

    def concerns(self, paths: Sequence[str], root: str) -> Match:
        """Whether a rule that asks or denies speaks of one of `paths`: as it was written, and where
        it leads. Names that differ only in case or in how letters are composed may be the same."""
        for path in paths:
            parts = self._parts_of(path, root)
            if parts is not None and _fits(self.names, parts, self.wild, hidden=True):
                return "yes"
        same = PathPattern(_folded(self.names), self.absolute, self.wild)
        for path in paths:
            parts = same._parts_of(_fold(path), _fold(root))
            if parts is not None and _fits(same.names, parts, self.wild, hidden=True):
                return "perhaps"
        return "no"

    def _parts_of(self, path: str, root: str) -> tuple[str, ...] | None:
        base = "/" if self.absolute else root
        given = PurePosixPath(path)
        return given.relative_to(base).parts if given.is_relative_to(base) else None


def parse_path(text: str) -> PathPattern:
    """Raises InvalidRule."""
    exact = text.startswith('"')
    if exact:
        try:
            found: Any = json.loads(text)
        except ValueError as error:
            raise InvalidRule(f"{text} is no text in quotes: {error}") from None
        path = str(found)
    else:
        path = text
        for name in text.split("/"):
            if name and not _may_be_bare(name):
                raise InvalidRule(f"{name!r} needs double quotes around the whole path")
    absolute = path.startswith("/")
    names = tuple((path[1:] if absolute else path).split("/")) if path != "/" else ()
    return PathPattern(names, absolute, wild=not exact and "*" in path)


def both_ends(given: str, resolved: str, root: str) -> tuple[str, ...]:
    """A path as it was written, and where it leads."""
    written = os.path.normpath(os.path.join(root, os.path.expanduser(given)))
    return (resolved, written)


def _may_be_bare(name: str) -> bool:
    bare = name.replace("*", "")
    return (not bare or bool(_BARE.fullmatch(bare))) and bare.isprintable()


def _fits(names: Sequence[str], parts: Sequence[str], wild: bool, *, hidden: bool) -> bool:
    if not wild:
        return tuple(names) == tuple(parts)
    below = names[-1] == "**"
    names = names[:-1] if below else names
    if len(parts) < len(names) or (len(parts) > len(names) and not below):
        return False
    rest = parts[len(names) :]
    if not hidden and any(part.startswith(".") for part in rest):
        return False
    return all(_fits_name(name, part, hidden) for name, part in zip(names, parts, strict=False))


def _fits_name(name: str, part: str, hidden: bool) -> bool:
    if "*" not in name:
        return name == part
    if not hidden and part.startswith(".") and not name.startswith("."):
        return False
    pattern = ".*".join(re.escape(piece) for piece in name.split("*"))
    return re.fullmatch(pattern, part, re.DOTALL) is not None


def _folded(names: Sequence[str]) -> tuple[str, ...]:
    return tuple(_fold(name) for name in names)


def _fold(text: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFKC", text).casefold())
