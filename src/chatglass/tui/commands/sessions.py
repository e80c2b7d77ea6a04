"""Commands on sessions: new, list, rename, clear."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from chatglass.tui.commands.table import Command, idle_session, own_session

if TYPE_CHECKING:
    from chatglass.store.protocol import SessionStore
    from chatglass.store.records import SessionRow
    from chatglass.tui.app import ChatglassApp


async def new(app: ChatglassApp, argument: str) -> None:
    """A new session with the model of the one on screen, in a tab of its own."""
    if app.workspace is None:
        app.chat.say("The program still starts.")
        return
    if app.current is not None and app.current.is_blank:
        app.chat.say("This session is new already.")
    else:
        await app.new_session()
    app.chat.composer.focus()


async def list_sessions(app: ChatglassApp, argument: str) -> None:
    """The browser of saved sessions."""
    from chatglass.tui.sessions.screen import SessionChoice, SessionsScreen

    workspace = app.workspace
    if workspace is None:
        app.chat.say("The program still starts.")
        return
    app.chat.outbox.store_draft_now()

    async def rename(session_id: str, title: str, by_user: bool) -> None:
        if session_id in app.sessions:
            await app.sessions[session_id].engine.context.rename(title)
            app.chat.session_changed(app.sessions[session_id])
        else:
            await workspace.store.rename_session(session_id, title, by_user=by_user)

    def delete(session_ids: list[str]) -> None:
        app.run_worker(delete_sessions(app, session_ids), group="delete", exit_on_error=False)

    async def chosen(choice: SessionChoice | None) -> None:
        if choice is not None:
            await open_at(app, choice.session_id, choice.message_id)

    screen = SessionsScreen(
        workspace.store,
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


async def delete_sessions(app: ChatglassApp, session_ids: list[str]) -> None:
    """Delete these for good, and say which could not be."""
    from chatglass.store.protocol import StoreError

    assert app.workspace is not None
    for session_id in session_ids:
        session = app.sessions.get(session_id)
        if session is not None:
            await app.tabs.close(session)
            await app.tabs.ended(session_id)
        try:
            await app.workspace.store.delete_session(session_id)
        except StoreError as error:
            app.chat.say(str(error), "error")


async def open_at(app: ChatglassApp, session_id: str, message_id: str) -> None:
    """Show a session, from that message on if one is given. What can't be opened is said."""
    from chatglass.store.protocol import StoreError

    assert app.workspace is not None
    store = app.workspace.store
    try:
        session = app.sessions.get(session_id)
        if session is None:
            row = await store.get_session(session_id)
            if message_id:
                row = await _uncover(store, row, message_id)
            await app.open_session(row)
        elif session is not app.current:
            await app.open_session(session.engine.context.session)
        if not message_id:
            return
        is_hidden = session is not None and message_id not in app.chat.transcript
        if session is not None and is_hidden and session.engine.state == "idle":
            await session.engine.show_branch_of(message_id)
            await app.chat.reload(session)
    except StoreError as error:
        app.chat.say(str(error), "error")
        return
    # Behind the layout of what was loaded just now.
    app.chat.call_after_refresh(app.chat.jump_to_message, message_id)


async def _uncover(store: SessionStore, row: SessionRow, message_id: str) -> SessionRow:
    """Make the branch that the message is on the shown one, of a session that is open nowhere."""
    if not await store.forks(row.id):
        return row
    shown = await store.path(row.id, row.leaf_id)
    if any(message.id == message_id for message in shown) or await store.claim(row.id) is not None:
        return row
    await store.set_leaf(row.id, await store.leaf_below(message_id))
    return await store.get_session(row.id)


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
    await app.chat.reload(session)
    app.chat.say("Cleared. What was said stays stored: after your next prompt, < on it leads back.")


COMMANDS: dict[str, Command] = {
    "session.new": new,
    "session.list": list_sessions,
    "session.rename": rename,
    "session.clear": clear,
}
