"""Running one tool call outside of a session: what a fixture of a server's tool does under pytest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from chatglass.chat.workspace import Workspace
from chatglass.config.options import Options
from chatglass.tools.tool import Progress, Tool, ToolOutput

_SETTLE_SECONDS = 20.0


async def replay(
    name: str,
    arguments: Mapping[str, Any],
    root: Path,
    *,
    mcp_config: Sequence[str] = (),
) -> ToolOutput:
    """Run the tool with the settings of the user, its MCP servers included; `mcp_config` names more
    files of servers. Nothing is asked and nothing stored: whoever runs the test has decided.

    Raises UnknownTool (its server did not start), InvalidArguments, ConfigError.
    """
    workspace = Workspace(Options(no_save=True, mcp_config=tuple(mcp_config)))
    try:
        if workspace.has_servers:
            servers = workspace.make_servers()
            servers.start()
            await servers.settled(_SETTLE_SECONDS)
        return await run_tool(workspace.tools.get(name), arguments, root)
    finally:
        await workspace.close()


async def run_tool(tool: Tool, arguments: Mapping[str, Any], root: Path) -> ToolOutput:
    """Validate, judge and run, as the program does."""
    valid = tool.validate(dict(arguments))
    # Some tools refuse to run what was never judged.
    tool.assess(valid, root)

    def report(_: Progress) -> None:
        """Nobody looks on."""

    return await tool.run(valid, root, report)
