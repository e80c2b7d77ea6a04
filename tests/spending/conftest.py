from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from chat.harness import Bench, bench
from commands.conftest import data, run
from headless.program import Program, program

__all__ = ["chatglass", "data", "here", "run"]


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[Bench]:
    async with bench(tmp_path) as made:
        yield made


@pytest.fixture
async def chatglass(tmp_path: Path) -> AsyncIterator[Program]:
    async with program(tmp_path) as made:
        yield made
