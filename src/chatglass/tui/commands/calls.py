"""Commands on tool calls: run again, compare, copy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chatglass.tui.commands.table import Command

if TYPE_CHECKING:
    from chatglass.tui.app import ChatglassApp


async def run_again(app: ChatglassApp, argument: str) -> None:
    await app.chat.calls.run_again()


async def edit_run(app: ChatglassApp, argument: str) -> None:
    await app.chat.calls.run_again(edit=True)


async def stop(app: ChatglassApp, argument: str) -> None:
    app.chat.calls.stop()


async def send(app: ChatglassApp, argument: str) -> None:
    await app.chat.calls.send()


async def pin(app: ChatglassApp, argument: str) -> None:
    app.chat.calls.pin()


async def copy(app: ChatglassApp, argument: str) -> None:
    await app.chat.calls.copy()


COMMANDS: dict[str, Command] = {
    "calls.run_again": run_again,
    "calls.edit_run": edit_run,
    "calls.stop": stop,
    "calls.send": send,
    "calls.pin": pin,
    "calls.copy": copy,
}
