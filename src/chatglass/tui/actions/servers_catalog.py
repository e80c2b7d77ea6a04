"""The actions around MCP servers, and the keys of their screen."""

from __future__ import annotations

from chatglass.tui.actions.action import Action


def _key(name: str, label: str, tooltip: str, *keys: str) -> Action:
    return Action(
        id=f"servers.{name}",
        label=label,
        tooltip=tooltip,
        keys=keys,
        place="servers",
        command=name,
        palette=False,
    )


SERVER_ACTIONS: tuple[Action, ...] = (
    Action(
        id="servers.show",
        label="MCP servers",
        tooltip="Show the MCP servers: their state, tools and log",
        slash="mcp",
    ),
    _key("restart", "Restart", "Start the server, or connect anew; of an untrusted one: ask", "r"),
    _key("stop", "Stop", "Disconnect from the server until it is restarted", "s"),
    _key("log", "Log", "Show the server's log, or what it offers", "l"),
    _key("copy", "Copy", "Copy what is shown of the server", "y"),
)
