"""The SQLite store, in a file and in memory, does what every store must."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from chatglass.store.protocol import SessionStore
from chatglass.store.sqlite import SqliteStore
from store.conformance import StoreConformance


class TestInAFile(StoreConformance):
    @pytest.fixture
    async def store(self, tmp_path: Path) -> AsyncIterator[SessionStore]:
        store = SqliteStore(tmp_path / "sessions.sqlite3")
        await store.open()
        yield store
        await store.close()


class TestInMemory(StoreConformance):
    @pytest.fixture
    async def store(self) -> AsyncIterator[SessionStore]:
        store = SqliteStore(None)
        await store.open()
        yield store
        await store.close()
