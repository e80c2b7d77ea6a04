"""Starting the tools beside the built-in ones, before the first request needs them."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from typing import TYPE_CHECKING

from chatglass.chat.workspace import Workspace
from chatglass.config.errors import ConfigError
from chatglass.config.options import Options

if TYPE_CHECKING:
    from chatglass.tools.own.own_tools import OwnTools

_WITHIN_S = 10.0


async def start_tools(
    workspace: Workspace, own: OwnTools | None, say: Callable[[str], None]
) -> None:
    """Start what has tools beside the built-in ones, and wait a little: the first request needs
    them. `say` is told what keeps one from starting. Raises ConfigError where nothing of a file that
    the command line names is a tool, and where it names a tool that there is not."""
    options = workspace.options
    if own is not None:
        own.start()
    if workspace.has_servers:
        await _start_servers(workspace, say)
    if own is not None:
        # A file that was asked for is waited for until its import is given up.
        await own.settled(*(() if options.tools else (_WITHIN_S,)))
        if useless := own.useless:
            raise ConfigError(f"--tools {' '.join(useless)}")
        for problem in own.problems:
            say(str(problem))
        own.on_problem = lambda problem: say(str(problem))
        for label in own.loading:
            say(f"{label}: still being imported; the turn begins without its tools.")
    _check_tool_names(options, workspace)


async def _start_servers(workspace: Workspace, say: Callable[[str], None]) -> None:
    from chatglass.tools.mcp.events import ConfigFaulty, McpEvent, ProjectIgnored

    def tell(event: McpEvent) -> None:
        match event:
            case ConfigFaulty(problems):
                for problem in problems:
                    say(str(problem))
            case ProjectIgnored(file=file, reason=reason):
                say(f"{file}: its servers are not started: {reason}.")
            case _:
                pass

    servers = workspace.make_servers()
    servers.subscribe(tell)
    servers.start()
    await servers.settled(_WITHIN_S)
    for server in servers.snapshots():
        if server.state == "starting":
            say(f"{server.name}: still starting; the turn begins without its tools.")
        elif server.state in ("failed", "restarting"):
            say(f"{server.name}: {server.state}. {server.error}")


def _check_tool_names(options: Options, workspace: Workspace) -> None:
    known = [spec.name for spec in workspace.tools.specs()]
    for name in options.allow_tools:
        loading = workspace.own_tools.loading if workspace.own_tools else []
        if known and name not in known and not loading and not _of_absent_server(name, workspace):
            near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
            hint = f"Did you mean {near[0]}?" if near else f"There are: {', '.join(known)}."
            raise ConfigError(f"--allow-tool {name}: there is no such tool. {hint}")


def _of_absent_server(name: str, workspace: Workspace) -> bool:
    """Whether a server that is not ready (which was said) may have a tool of that name."""
    snapshots = workspace.servers.snapshots() if workspace.servers else ()
    return any(
        name.startswith(f"{server.slug}__") for server in snapshots if server.state != "ready"
    )
