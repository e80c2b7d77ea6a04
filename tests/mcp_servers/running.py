"""Servers as the app runs them, with a tool manager, and ways to wait for what they do."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from chatglass.tools.mcp.config_file import find_servers
from chatglass.tools.mcp.events import McpEvent, ServerChanged, ServerSnapshot
from chatglass.tools.mcp.ports import McpPorts
from chatglass.tools.mcp.restarts import RestartPolicy
from chatglass.tools.mcp.servers import McpOptions, McpServers
from chatglass.tools.mcp.trust import TrustStore
from chatglass.tools.tool import Progress, ToolOutput
from chatglass.tools.tool_manager import ToolManager

OWN_SERVER = Path(__file__).with_name("own_server.py")
QUICK = RestartPolicy(first_s=0.05, longest_s=0.2, attempts=3, stable_s=30)


def own_server(fault: str = "", notes: Path | None = None) -> dict[str, Any]:
    arguments = [str(OWN_SERVER), fault, str(notes or os.devnull)]
    return {"command": sys.executable, "args": arguments}


class Running:
    """`async with Running(tmp_path, {...})`: the entries of an `mcp.json`, started."""

    def __init__(
        self,
        folder: Path,
        servers: dict[str, Any],
        *,
        ports: McpPorts | None = None,
        environment: dict[str, str] | None = None,
        **options: Any,
    ) -> None:
        self.root = folder / "root"
        self.notes = folder / "notes"
        self.root.mkdir(exist_ok=True)
        file = folder / "mcp.json"
        file.write_text(json.dumps({"mcpServers": servers}))
        self.manager = ToolManager()
        known = {**os.environ, **(environment or {})}
        self.trust = TrustStore(folder / "trust.json", environment=known)
        self.servers = McpServers(
            find_servers(file, self.root),
            McpOptions(
                root=self.root,
                logs=folder / "logs",
                tokens=folder / "tokens.json",
                environment=known,
                **{"policy": QUICK, "start_timeout_s": 20.0, **options},
            ),
            trust=self.trust,
            replace_tools=self.manager.replace_source,
            ports=ports,
        )
        self.events: list[McpEvent] = []
        self.progress: list[Progress] = []
        self._changed = asyncio.Event()

    async def __aenter__(self) -> Running:
        self.servers.subscribe(self._take)
        self.servers.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.servers.close(8)

    def _take(self, event: McpEvent) -> None:
        self.events.append(event)
        self._changed.set()

    async def until(self, condition: Callable[[], bool], within_s: float = 30) -> None:
        """Wait for events until `condition` holds."""
        async with asyncio.timeout(within_s):
            while not condition():
                self._changed.clear()
                await self._changed.wait()

    async def state(self, name: str, state: str) -> ServerSnapshot:
        """Wait until the server is in that state."""
        await self.until(lambda: self.servers.snapshot(name).state == state)
        return self.servers.snapshot(name)

    def states(self, name: str) -> list[str]:
        """The states that a server has been in, each change once."""
        found: list[str] = []
        for event in self.events:
            if isinstance(event, ServerChanged) and event.server.name == name:
                found.append(event.server.state)
        return [state for place, state in enumerate(found) if [state] != found[place - 1 : place]]

    async def call(self, name: str, **arguments: Any) -> ToolOutput:
        tool = self.manager.get(name)
        return await tool.run(tool.validate(arguments), self.root, self._report)

    def _report(self, progress: Progress) -> None:
        self.progress.append(progress)
        self._changed.set()

    def log_text(self, name: str) -> str:
        return "\n".join(line.text for line in self.servers.log(name))
