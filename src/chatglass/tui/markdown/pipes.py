"""Lines of a table as GFM reads them (https://github.github.com/gfm/#tables-extension-)."""

from __future__ import annotations

import re

from chatglass.tui.markdown.blocks import Align

_MAX_COLUMNS = 128  # of a table; with more it is text
_DELIMITER_ROW = re.compile(r"(?:-[-:|]|[:|][-:| \t])[-:| \t]*")
_DELIMITER = re.compile(r":?-+:?")
_PIPE = re.compile(r"(?<!\\)\|")


def row_cells(line: str) -> list[str]:
    """The cells of a table row, `\\|` standing for a pipe."""
    parts = _PIPE.split(line.strip(" \t"))
    if parts and not parts[0]:
        del parts[0]
    if parts and not parts[-1]:
        del parts[-1]
    return [part.replace("\\|", "|").strip(" \t") for part in parts]


def delimiter_aligns(body: str) -> tuple[Align, ...] | None:
    """How the columns stand, if `body` is a delimiter row."""
    if not _DELIMITER_ROW.fullmatch(body):
        return None
    parts = [part.strip(" \t") for part in body.split("|")]
    if parts and not parts[0]:
        del parts[0]
    if parts and not parts[-1]:
        del parts[-1]
    if not parts or len(parts) > _MAX_COLUMNS or not all(map(_DELIMITER.fullmatch, parts)):
        return None
    return tuple(
        ("center" if part[0] == ":" else "right") if part[-1] == ":" else "left" for part in parts
    )
