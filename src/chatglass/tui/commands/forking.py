"""Commands on forks: make one, go to where one came from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chatglass.chat.attached_files import message_files
from chatglass.tui.commands.table import Command
from chatglass.tui.transcript.items import AnswerItem, PromptItem

if TYPE_CHECKING:
    from chatglass.tui.app import ChatglassApp


async def fork(app: ChatglassApp, argument: str) -> None:
    """Fork the session on screen at the message under the cursor, else at the last one."""
    from chatglass.chat.forking import fork_session
    from chatglass.store.protocol import StoreError

    session, workspace = app.current, app.workspace
    if session is None or workspace is None:
        app.chat.say("The program still starts.")
        return
    place = _place(app)
    if place is None:
        app.chat.say("There is nothing to fork from yet.", "warning")
        return
    store = session.engine.context.store
    try:
        made = await fork_session(store, session.id, place.id, into=workspace.store)
        await app.open_session(made.session)
    except StoreError as error:
        app.chat.say(str(error), "error")
        return
    if made.prompt is not None and isinstance(place, PromptItem):
        app.chat.composer.restore_prompt(place.text, message_files(made.prompt))
    app.chat.composer.focus()
    app.chat.say("Forked: what you say from here on is a session of its own.")


def _place(app: ChatglassApp) -> PromptItem | AnswerItem | None:
    """The message under the cursor or above it; without a cursor the last one that was said."""
    transcript = app.chat.transcript
    items, selected = transcript.items, transcript.selected
    end = len(items)
    if selected is not None:
        end = 1 + next(at for at, item in enumerate(items) if item.id == selected.item_id)
    for item in reversed(items[:end]):
        if isinstance(item, AnswerItem) or (isinstance(item, PromptItem) and item.state == "sent"):
            return item
    return None


async def origin(app: ChatglassApp, argument: str) -> None:
    """Show the message that the session on screen was forked from."""
    from chatglass.tui.commands.sessions import open_at

    if app.current is None:
        return
    forked_from = app.current.engine.context.session.forked_from
    if forked_from is None:
        app.chat.say("This session is no fork.")
    else:
        await open_at(app, *forked_from)


COMMANDS: dict[str, Command] = {"session.fork": fork, "session.origin": origin}
