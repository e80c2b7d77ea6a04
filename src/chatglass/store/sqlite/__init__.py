"""Sessions in one SQLite file."""

from __future__ import annotations

from chatglass.store.sqlite.store import SqliteStore

__all__ = ["SqliteStore"]
