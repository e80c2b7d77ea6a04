"""Commands on sessions: new, list, rename, clear."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from chatglass.tui.commands.table import Command, idle_session, own_session

if TYPE_CHECKING:
    from chatglass.store.records import SessionRow
    from chatglass.tui.app import ChatglassApp


async def new(app: ChatglassApp, argument: str) -> None:
    """A new session with the model of the one on screen."""
    if app.workspace is None:
        app.chat.say("The program still starts.")
        return
    row = await app.workspace.new_session()
    if app.current is not None:
        shown = app.current.engine.context.session
        row = app.workspace.like(row, shown)
    await app.open_session(row)
    app.chat.composer.focus()


async def list_sessions(app: ChatglassApp, argument: str) -> None:
    from chatglass.store.protocol import StoreError
    from chatglass.store.records import SessionQuery
    from chatglass.tui.sessions.screen import SessionsScreen

    workspace = app.workspace
    if workspace is None:
        app.chat.say("The program still starts.")
        return
    app.chat.outbox.store_draft_now()

    async def read() -> list[SessionRow]:
        return await workspace.store.list_sessions(SessionQuery())

    async def rename(session_id: str, title: str) -> None:
        await workspace.store.rename_session(session_id, title, by_user=True)
        if session_id in app.sessions:
            await app.sessions[session_id].engine.context.rename(title)
            app.chat.session_changed(app.sessions[session_id])

    async def delete(session_id: str) -> None:
        session = app.sessions.pop(session_id, None)
        if session is not None:
            await session.engine.close()
        await workspace.store.delete_session(session_id)
        if session is not None and session is app.current:
            app.chat.forget()
            await new(app, "")

    async def chosen(session_id: str | None) -> None:
        if session_id is None or session_id == (app.current and app.current.id):
            return
        try:
            await app.open_session(await workspace.store.get_session(session_id))
        except StoreError as error:
            app.chat.say(str(error), "error")

    screen = SessionsScreen(
        read,
        rename=rename,
        delete=delete,
        root=str(Path.cwd()),
        current=app.current.id if app.current else None,
    )
    await app.push_screen(screen, chosen)
    screen.set_marks(
        {session.id for session in app.sessions.values() if session.working},
        {session.id for session in app.sessions.values() if session.asking},
    )


async def rename(app: ChatglassApp, argument: str) -> None:
    from chatglass.tui.dialogs.dialogs import TextDialog

    session = own_session(app)
    if session is None:
        return

    async def rename_to(title: str | None) -> None:
        if title and title.strip():
            await session.engine.context.rename(title.strip())
            app.chat.session_changed(session)

    if argument:
        await rename_to(argument)
    else:
        await app.push_screen(TextDialog("Title of this session", session.title), rename_to)


async def clear(app: ChatglassApp, argument: str) -> None:
    """Go on with an empty conversation in this session."""
    session = idle_session(app)
    if session is None:
        return
    await session.engine.context.clear_conversation_history()
    await app.chat.reload()
    app.chat.say("Cleared. What was said stays stored: after your next prompt, < on it leads back.")


COMMANDS: dict[str, Command] = {
    "session.new": new,
    "session.list": list_sessions,
    "session.rename": rename,
    "session.clear": clear,
}
