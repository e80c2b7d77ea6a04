"""How large the store and its search index are, without reading either."""

from __future__ import annotations

from collections.abc import Iterator
from sqlite3 import Connection

from chatglass.store.records import StoreSize

_STRUCTURE = 10
"""Rowid in an FTS5 data table of the record that lists its segments (fts5_index.c, "FTS5_STRUCTURE_ROWID")."""
_PAGE = 4050
"""Bytes of a page of an FTS5 index by default, about."""


def of_store(db: Connection) -> StoreSize:
    (pages,) = db.execute("PRAGMA page_count").fetchone()
    (page_size,) = db.execute("PRAGMA page_size").fetchone()
    index = sum(_leaves(db, table) for table in ("search_data", "search_pairs_data"))
    (in_files,) = db.execute(
        "SELECT coalesce(sum(file_bytes), 0) FROM tool_results WHERE file IS NOT NULL"
    ).fetchone()
    return StoreSize(total=pages * page_size + in_files, search=index * _PAGE)


def _leaves(db: Connection, table: str) -> int:
    """Pages of an index: its structure record names the first and last leaf of each segment.

    The record: 4 bytes of a cookie, then varints: levels, segments, writes; for each level merges
    and segments; for each of these its id, first and last leaf.
    """
    row = db.execute(f"SELECT block FROM {table} WHERE id = {_STRUCTURE}").fetchone()
    if row is None:
        return 0
    numbers = _varints(row[0][4:])
    levels, _, _ = next(numbers), next(numbers), next(numbers)
    leaves = 0
    for _ in range(levels):
        _, segments = next(numbers), next(numbers)
        for _ in range(segments):
            _, first, last = next(numbers), next(numbers), next(numbers)
            leaves += last - first + 1
    return leaves


def _varints(data: bytes) -> Iterator[int]:
    """SQLite's varints of up to 8 bytes (larger ones don't occur here); zeros after the end."""
    value = 0
    for byte in data:
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            yield value
            value = 0
    while True:
        yield 0
