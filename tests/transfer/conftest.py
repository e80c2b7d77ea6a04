"""An empty store, and the fixtures' files."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from chatglass.store.sqlite import SqliteStore


@pytest.fixture
async def store() -> AsyncIterator[SqliteStore]:
    store = SqliteStore(None)
    await store.open()
    yield store
    await store.close()


@pytest.fixture
def fixtures() -> Path:
    return Path(__file__).parent / "fixtures"
