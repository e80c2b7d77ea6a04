from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from headless.program import Program, program


@pytest.fixture
async def chatglass(tmp_path: Path) -> AsyncIterator[Program]:
    async with program(tmp_path) as made:
        yield made
