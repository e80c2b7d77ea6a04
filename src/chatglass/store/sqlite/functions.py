"""The functions of ours that SQL may call."""

from __future__ import annotations

from sqlite3 import Connection

from chatglass.store.search_words import cjk_pairs


def define(connection: Connection) -> None:
    """`folded(text)`: for comparing without case. `cjk_pairs(text)`: see `search_words`."""
    connection.create_function("folded", 1, _folded, deterministic=True)
    connection.create_function("cjk_pairs", 1, cjk_pairs, deterministic=True)


def _folded(text: str | None) -> str | None:
    return None if text is None else text.casefold()
