"""Commands: action ids and the functions that run them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from chatglass.tui.app import ChatglassApp

Command = Callable[["ChatglassApp", str], Awaitable[None]]
"""Runs one action with the argument that was typed behind its slash command (or nothing)."""


class Commands:
    def __init__(self, commands: Mapping[str, Command]) -> None:
        self._commands = commands

    def __contains__(self, action_id: object) -> bool:
        return action_id in self._commands

    async def run(self, app: ChatglassApp, action_id: str, argument: str = "") -> None:
        """Run an action. Raises KeyError for an id that no command has."""
        await self._commands[action_id](app, argument.strip())
