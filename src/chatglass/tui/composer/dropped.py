"""What a terminal pastes when a file is dropped on it: its path, quoted in one way or another."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from chatglass.chat.mentions import resolved
from chatglass.values import figures
from chatglass.values.images import look_at

_LONGEST = 4_096
_HEADER = 65_536


@dataclass(frozen=True, slots=True)
class DroppedFile:
    path: Path
    about: str
    """What it is, as `PNG, 800×600, 52.1 kB`."""


def may_be_path(text: str) -> bool:
    """Whether a paste may be the path of a file: one line that begins like one."""
    text = text.strip()
    begins = text[:1] in ("/", "~", "'", '"') or text.startswith(("file://", "./", "../"))
    return begins and len(text) <= _LONGEST and "\n" not in text


def dropped_file(text: str, root: Path) -> DroppedFile | None:
    """The file that a paste names; None where it is no file's path. Looks at it: for a thread."""
    path = _path_of(text.strip(), root)
    try:
        if path is None or not path.is_file():
            return None
        with path.open("rb") as file:
            facts = look_at(file.read(_HEADER), path.stat().st_size)
        return DroppedFile(path, str(facts or figures.size(path.stat().st_size)))
    except (OSError, ValueError):
        return None


def _path_of(text: str, root: Path) -> Path | None:
    if text.startswith("file://"):
        parts = urlsplit(text)
        return Path(unquote(parts.path)) if parts.netloc in ("", "localhost") else None
    try:
        words = shlex.split(text)
    except ValueError:
        words = []  # a lone quote in it: it is part of the name
    # A name with blanks that nobody has quoted is one path all the same.
    return resolved(words[0] if len(words) == 1 else text, root)
