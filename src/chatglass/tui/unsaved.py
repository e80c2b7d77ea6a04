"""Unsaved: a session whose store fails goes on in memory, if the user says so."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from chatglass.values.text import visible

if TYPE_CHECKING:
    from chatglass.chat.engine import Engine
    from chatglass.store.protocol import SessionStore
    from chatglass.store.records import WholeSession
    from chatglass.tui.open_session import OpenSession
    from chatglass.tui.screens.chat_screen import ChatScreen


class Unsaved:
    """Asks whether to go on without saving, moves sessions into memory, and at the end back."""

    def __init__(self, chat: ChatScreen) -> None:
        self._chat = chat
        self._stores: dict[str, SessionStore] = {}
        """In memory, by session."""

    def ask(self, session: OpenSession) -> None:
        """What was written in the session on screen last could not be stored. Asked when the user
        sends something, since whoever is typing answers by accident."""
        from chatglass.tui.dialogs.dialogs import ConfirmDialog

        cause, session.store_failure = session.store_failure, ""

        def decided(yes: bool | None) -> None:
            if yes:
                self._chat.run_worker(
                    self._go_on(session, cause), group=f"unsaved-{session.id}", exit_on_error=False
                )

        question = (
            f"{cause}\n\nThe session can go on in memory: what is stored already stays as it is, and "
            "what is new is lost when the program ends, unless the store can be written again then. "
            "The prompt is kept below in either case."
        )
        dialog = ConfirmDialog(
            "Go on without saving?",
            visible(question),
            no="No, try to save again with the next Enter",
        )
        self._chat.app.push_screen(dialog, decided)

    async def _go_on(self, session: OpenSession, cause: str) -> None:
        from chatglass.chat.ledger import LedgerUnavailable
        from chatglass.store.open_store import in_file
        from chatglass.store.protocol import StoreError

        store = in_file(None)
        engine = session.engine
        await engine.conversation.end()
        try:
            await store.open()
            await store.add_whole_session(await what_is_known(engine))
            await self._move(session, store)
        except (StoreError, LedgerUnavailable) as error:
            self._chat.say(f"It can't go on in memory: {error}", "error")
            return
        session.unsaved = cause
        self._stores[session.id] = store
        session.view.notice("This session is not saved from here on.", cause, "warning")
        self._chat.session_changed(session)

    async def _move(self, session: OpenSession, store: SessionStore) -> None:
        """Give the session an engine on another store."""
        app, old = self._chat.app, session.engine
        assert app.workspace is not None
        engine = await app.workspace.engine(
            await store.get_session(session.id),
            decide_tool=session.approval.decide,
            judge=session.approval.policy.judge,
            ask_to_go_on=session.approval.ask_to_go_on,
            ask_budget=session.budget.ask,
            store=store,
        )
        await engine.start()
        session.engine = engine
        session.held = bool(engine.queue)
        session.view.compactions = engine.context.compactions
        await old.context.close()
        await self._chat.reload(session)

    async def save_session(self, session: OpenSession) -> str:
        """Try to store what of a session went on in memory. Why that failed, else empty."""
        from chatglass.store.protocol import StoreError

        store, workspace = self._stores.get(session.id), self._chat.app.workspace
        if store is None or workspace is None:
            return ""
        try:
            await workspace.store.add_whole_session(await store.whole_session(session.id))
        except StoreError as error:
            return f"What is new in “{session.title}” was not saved: {error}"
        return ""

    async def save(self, sessions: dict[str, OpenSession]) -> list[str]:
        """Try to store all that went on in memory. What is to be said of it at the end."""
        from chatglass.store.protocol import StoreError

        said = [await self.save_session(session) for session in sessions.values()]
        for store in self._stores.values():
            with suppress(StoreError):
                await store.close()
        self._stores.clear()
        return [text for text in said if text]


async def what_is_known(engine: Engine) -> WholeSession:
    """The session as it is stored, with what the engine holds beyond that."""
    from dataclasses import replace

    from chatglass.store.protocol import StoreError
    from chatglass.store.records import WholeSession

    context = engine.context
    try:
        whole = await context.store.whole_session(engine.session_id)
    except StoreError:
        # Not even read: what is in memory is left, and begins the path.
        whole = WholeSession(session=context.session)
    in_memory = context.path.rows
    if not whole.messages and in_memory:
        in_memory = [replace(in_memory[0], parent_id=None), *in_memory[1:]]
    messages = {row.id: row for row in whole.messages}
    for row in in_memory:
        if row.id not in messages or messages[row.id].status == "partial":
            ended = "interrupted" if row.status == "partial" else row.status
            messages[row.id] = replace(row, status=ended)
    session = replace(context.session, leaf_id=context.path.leaf_id, draft=whole.session.draft)
    return replace(whole, session=session, messages=tuple(messages.values()))
