"""Commands on sessions: new, list, rename, clear."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from chatglass.tui.commands.table import Command, idle_session, own_session
from chatglass.tui.transcript.cursor import Selected

if TYPE_CHECKING:
    from chatglass.store.protocol import SessionStore
    from chatglass.store.records import SessionRow
    from chatglass.tui.app import ChatglassApp
    from chatglass.tui.open_session import OpenSession

_SEARCHED = 65_536
"""Characters of a result that the search index holds."""


async def new(app: ChatglassApp, argument: str) -> None:
    """A new session with the model of the one on screen, in a tab of its own."""
    if app.workspace is None:
        app.chat.say("The program still starts.")
        return
    await app.chat.outbox.draft_changed()  # a text makes a tab one that is in use
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
            await open_at(app, choice.session_id, choice.message_id, choice.words)

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


async def open_at(app: ChatglassApp, session_id: str, message_id: str, words: str = "") -> None:
    """Show a session, from that message on if one is given, with the words marked by which it was
    found. What can't be opened is said."""
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
    app.chat.call_after_refresh(_show_message, app, message_id, words)


async def _show_message(app: ChatglassApp, message_id: str, words: str) -> None:
    from chatglass.store.search_words import search_words

    app.chat.jump_to_message(message_id)
    found = search_words(words)
    session = app.current
    if session is None or found.reach == "nothing" or message_id not in app.chat.transcript:
        return
    if not app.chat.conversation.show_found(message_id, found.pattern):
        await _show_result(app, session, message_id, found.pattern)


async def _show_result(
    app: ChatglassApp, session: OpenSession, message_id: str, pattern: re.Pattern[str]
) -> None:
    """The words stand in the result of a call of that message: point at the call."""
    from chatglass.store.protocol import StoreError

    for call in [each for each in session.view.calls.values() if each.message_id == message_id]:
        try:
            result = await session.engine.context.store.tool_result(call.id)
        except StoreError:
            continue  # opening the call says why
        if result is None or not pattern.search(result.produced[:_SEARCHED]):
            continue
        if session is app.current:
            app.chat.transcript.select_again(Selected(message_id, "card", call.id))
            if app.chat.inspector.open_call(call.id, take_focus=False):
                app.chat.inspector.show_section("result")
        return


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
