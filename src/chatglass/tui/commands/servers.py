"""Commands on MCP servers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chatglass.tui.commands.table import Command

if TYPE_CHECKING:
    from chatglass.tui.app import ChatglassApp


async def show(app: ChatglassApp, argument: str) -> None:
    workspace = app.workspace
    servers = app.servers.running
    if workspace is None:
        app.chat.say("The program still starts.")
    elif servers is not None:
        from chatglass.tui.servers.screen import ServersScreen

        await app.push_screen(ServersScreen(servers, app.servers.look))
    elif app.options.no_tools:
        app.chat.say("--no-tools starts no MCP servers.")
    elif workspace.has_servers:
        app.chat.say("The MCP servers are not started yet.")
    else:
        app.chat.say(
            f"No MCP servers are configured. Name some in {workspace.paths.mcp_file}:"
            " chatglass mcp add NAME -- COMMAND"
        )


COMMANDS: dict[str, Command] = {"servers.show": show}
