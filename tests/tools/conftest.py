"""A session's root inside a home folder, and the built-in tools over it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from chatglass.tools.places import Surroundings
from chatglass.tools.tool import Assessment, Progress, ToolOutput
from chatglass.tools.tool_manager import ToolManager


@dataclass
class Bench:
    """Validates, assesses and runs calls the way the engine does."""

    manager: ToolManager
    root: Path
    home: Path
    keys: list[str]
    reported: list[Progress] = field(default_factory=list)
    on_report: Callable[[Progress], None] | None = None

    def assess(self, name: str, **arguments: Any) -> Assessment:
        tool = self.manager.get(name)
        return tool.assess(tool.validate(arguments), self.root)

    async def run(self, name: str, **arguments: Any) -> ToolOutput:
        """Run without asking anew: the last assessment holds."""
        tool = self.manager.get(name)
        return await tool.run(tool.validate(arguments), self.root, self._report)

    async def call(self, name: str, **arguments: Any) -> ToolOutput:
        """Assess, take the answer to be yes, run."""
        await asyncio.to_thread(self.assess, name, **arguments)
        return await self.run(name, **arguments)

    def _report(self, progress: Progress) -> None:
        self.reported.append(progress)
        if self.on_report:
            self.on_report(progress)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    home = tmp_path / "home"
    root = home / "project"
    root.mkdir(parents=True)
    own = home / ".config" / "chatglass"
    own.mkdir(parents=True)
    keys: list[str] = []
    manager = ToolManager.with_builtins(
        known_keys=lambda: keys,
        key_variables=("MY_ENDPOINT_VARIABLE",),
        surroundings=Surroundings(home=home, own_folders=(own,)),
    )
    return Bench(manager, root, home, keys)
