"""Commands on the program: keys, interrupt, quit, diagnostics."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from chatglass.tui.actions.registry import ACTIONS
from chatglass.tui.commands.table import Command

if TYPE_CHECKING:
    from chatglass.tui.app import ChatglassApp

_TWICE_SECONDS = 2.0


async def keys(app: ChatglassApp, argument: str) -> None:
    from chatglass.tui.actions.keys_screen import KeysScreen

    async def chosen(action_id: str | None) -> None:
        if action_id is not None:
            await app.run_action(ACTIONS[action_id].run)

    await app.push_screen(KeysScreen(app.focused), chosen)


async def interrupt(app: ChatglassApp, argument: str) -> None:
    """Copy what is selected, else stop, else clear, and twice in a row quit."""
    chat = app.chat
    if selected := app.screen.get_selected_text():
        await chat.copy(selected, "selection")
        app.screen.clear_selection()
    elif app.screen is chat and (written := chat.composer.selected_text):
        await chat.copy(written, "selection")
    elif app.screen is not chat:
        app.screen.dismiss(None)
    elif chat.session is not None and chat.session.working:
        chat.session.engine.stop()
    elif not chat.composer.is_empty:
        chat.composer.clear()
    elif time.monotonic() - app.interrupted_at < _TWICE_SECONDS:
        await app.leave()
    else:
        app.interrupted_at = time.monotonic()
        chat.say("Press ^C again to quit.", subject="quit", timeout=_TWICE_SECONDS)


async def quit_program(app: ChatglassApp, argument: str) -> None:
    await app.leave()


async def debug(app: ChatglassApp, argument: str) -> None:
    from chatglass.tui.screens.diagnostics import DiagnosticsScreen

    await app.push_screen(DiagnosticsScreen())


COMMANDS: dict[str, Command] = {
    "help.keys": keys,
    "app.interrupt": interrupt,
    "app.quit": quit_program,
    "app.debug": debug,
}
