from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from chat.harness import Bench, bench


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[Bench]:
    """A session's surroundings: a store on disk, the demo server over HTTP."""
    async with bench(tmp_path) as made:
        yield made
