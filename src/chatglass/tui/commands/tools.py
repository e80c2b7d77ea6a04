"""The command on tools."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chatglass.tui.commands.table import Command

if TYPE_CHECKING:
    from chatglass.tui.app import ChatglassApp


async def show(app: ChatglassApp, argument: str) -> None:
    if app.workspace is None:
        app.chat.say("The program still starts.")
        return
    from chatglass.tui.tool_list.screen import ToolsScreen

    await app.push_screen(ToolsScreen(app.workspace))


COMMANDS: dict[str, Command] = {"tools.show": show}
