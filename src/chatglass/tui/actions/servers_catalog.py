"""The actions around MCP servers, and the keys of their screen."""

from __future__ import annotations

from chatglass.tui.actions.action import Action, key_in

SERVER_ACTIONS: tuple[Action, ...] = (
    Action(
        id="servers.show",
        label="MCP servers",
        tooltip="Show the MCP servers: their state, tools and log",
        slash="mcp",
    ),
    key_in(
        "servers", "servers.restart", "Restart",
        "Start the server, or connect anew; of an untrusted one: ask", "r", footer=10,
    ),
    key_in(
        "servers", "servers.stop", "Stop", "Disconnect from the server until it is restarted", "s",
        footer=20,
    ),
    key_in(
        "servers", "servers.log", "Log", "Show the server's log, or what it offers", "l", footer=30,
    ),
    key_in(
        "servers", "servers.copy", "Copy", "Copy what is shown of the server", "y", footer=40,
    ),
)  # fmt: skip
