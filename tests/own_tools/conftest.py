"""One worker for the tests of a module that leave it as it was."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from own_tools.loaded import MANY, Loaded


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def many(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Loaded]:
    async with Loaded(tmp_path_factory.mktemp("root"), MANY) as loaded:
        yield loaded
