"""Own tools in their workers, with a tool manager."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from chatglass.tools.own.own_tools import OwnTools
from chatglass.tools.own.sources import find_sources
from chatglass.tools.tool import Progress, ToolOutput
from chatglass.tools.tool_manager import ToolManager

MANY = Path(__file__).with_name("many_tools.py")


class Loaded:
    """`async with Loaded(root, file, ...)`: these files, imported."""

    def __init__(
        self,
        root: Path,
        *files: Path,
        environment: Callable[[], dict[str, str]] = lambda: dict(os.environ),
        loading_s: float = 30.0,
        known_keys: tuple[str, ...] = (),
    ) -> None:
        self.root = root
        self.manager = ToolManager.with_builtins(known_keys=lambda: known_keys)
        sources = find_sources(map(str, files))
        self.own = OwnTools(
            sources,
            root=root,
            environment=environment,
            replace_tools=self.manager.replace_own,
            loading_s=loading_s,
        )
        self.progress: list[Progress] = []
        self.reported = asyncio.Event()

    async def __aenter__(self) -> Loaded:
        self.own.start()
        await self.own.settled()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.own.close()

    @property
    def names(self) -> list[str]:
        return [spec.name for spec in self.manager.specs() if spec.own]

    @property
    def problems(self) -> list[str]:
        return [problem.text for problem in self.own.problems]

    async def call(self, name: str, *, root: Path | None = None, **arguments: Any) -> ToolOutput:
        tool = self.manager.get(name)
        return await tool.run(tool.validate(arguments), root or self.root, self._report)

    def _report(self, progress: Progress) -> None:
        self.progress.append(progress)
        self.reported.set()
