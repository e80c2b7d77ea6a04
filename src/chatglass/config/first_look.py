"""FirstLook: the few settings that the first frame needs, read before the strict reading.

Importing and running the strict reader takes 0.2 s of CPU, which would come before anything is
on screen. Whatever is wrong here is left to it: it runs right after the first frame and reports.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

TEXT_WIDTH = 120
"""Columns of the transcript's text at most: longer lines are hard to read on a wide screen."""


@dataclass(frozen=True, slots=True)
class FirstLook:
    theme: str = "chatglass-dark"
    sidebar: bool = True
    reduced_motion: bool = False
    text_width: int = TEXT_WIDTH
    keys: Mapping[str, str] = field(default_factory=dict[str, str])


def reduced_motion_wanted(environ: Mapping[str, str]) -> bool:
    """Whether `CHATGLASS_REDUCED_MOTION` is set to anything but nothing or `0`."""
    return environ.get("CHATGLASS_REDUCED_MOTION", "") not in ("", "0")


def has_table(path: Path, name: str) -> bool:
    """Whether the settings have a table of that name, or can't be read: then the strict reader,
    which takes 0.2 s, has something to say."""
    import tomllib

    try:
        return name in tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return False
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError):
        return True


def first_look(path: Path) -> FirstLook:
    """What `path` says, as far as it can be read."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return FirstLook()
    import tomllib  # 4 ms, which only a settings file is worth

    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return FirstLook()
    theme: Any = table.get("theme")
    sidebar: Any = table.get("sidebar")
    keys: Any = table.get("keys")
    columns: Any = table.get("text_width")
    texts = cast(dict[str, Any], keys) if isinstance(keys, dict) else {}
    return FirstLook(
        theme=theme if isinstance(theme, str) else "chatglass-dark",
        sidebar=sidebar if isinstance(sidebar, bool) else True,
        reduced_motion=table.get("reduced_motion") is True,
        text_width=columns if type(columns) is int and columns >= 0 else TEXT_WIDTH,
        keys={name: key for name, key in texts.items() if isinstance(key, str)},
    )
