"""Commands: action ids and the functions that run them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING

from chatglass.tui.notify.toasts import SUBJECT

if TYPE_CHECKING:
    from chatglass.tui.app import ChatglassApp
    from chatglass.tui.open_session import OpenSession

Command = Callable[["ChatglassApp", str], Awaitable[None]]
"""Runs one action with the argument that was typed behind its slash command (or nothing)."""


def own_session(app: ChatglassApp) -> OpenSession | None:
    """The session on screen, where it may be changed here; else says why not."""
    session = app.current
    if session is None:
        app.chat.say("The program still starts.")
        return None
    if session.engine.holder is not None:
        app.chat.say(app.chat.outbox.objection(session), "warning")
        return None
    return session


def idle_session(app: ChatglassApp) -> OpenSession | None:
    """The session on screen, where no turn runs in it; else says why not."""
    session = own_session(app)
    if session is None:
        return None
    match session.engine.state:
        case "idle":
            return session
        case "working":
            app.chat.say("The session is at work; stop the turn first (Esc).", "warning")
        case "starting":
            app.chat.say("The session still starts.")
        case _:
            app.chat.say(app.chat.outbox.objection(session), "warning")
    return None


def refused(app: ChatglassApp, why: str) -> None:
    """Say what is wrong with what was typed behind a command, and put it back to be mended."""
    app.chat.say(why, "warning")
    app.chat.composer.bring_command_back()


class Commands:
    def __init__(self, commands: Mapping[str, Command]) -> None:
        self._commands = commands

    def __contains__(self, action_id: object) -> bool:
        return action_id in self._commands

    async def run(self, app: ChatglassApp, action_id: str, argument: str = "") -> None:
        """Run an action; what it says takes the place of what the one before it said. Where the
        store fails it, that is said. Raises KeyError for an id that no command has."""
        command = self._commands[action_id]
        before = SUBJECT.set("command")
        try:
            await command(app, argument.strip())
        except _store_error() as error:
            app.chat.say(str(error), "error")
        finally:
            SUBJECT.reset(before)


def _store_error() -> type[Exception]:
    """Imported only where something was raised, since commands come with the first frame."""
    from chatglass.store.protocol import StoreError

    return StoreError
