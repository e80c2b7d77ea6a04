"""One running server for the tests of a module that leave it as it was."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from mcp_servers.running import Running, own_server


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def own(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    folder = tmp_path_factory.mktemp("own")
    async with Running(folder, {"own": own_server("", folder / "notes")}) as running:
        await running.state("own", "ready")
        yield running


@pytest.fixture
def running(own: Running) -> Running:
    """It, without the progress of earlier tests."""
    own.progress.clear()
    return own
