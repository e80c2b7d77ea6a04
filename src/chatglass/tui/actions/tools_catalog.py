"""The action that shows the tools, and the key of their screen."""

from __future__ import annotations

from chatglass.tui.actions.action import Action, key_in

TOOLS_ACTIONS: tuple[Action, ...] = (
    Action(
        id="tools.show",
        label="Tools",
        tooltip="Show the tools the model may call: built in, your own, those of MCP servers",
        slash="tools",
    ),
    key_in(
        "tools", "tools.copy", "Copy", "Copy the tool's entry as it is sent to the model", "y",
        footer=10,
    ),
)  # fmt: skip
