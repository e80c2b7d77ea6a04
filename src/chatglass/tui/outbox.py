"""Outbox: what becomes of a prompt between the composer and the session's queue."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chatglass.chat.attached_files import message_files, queued_files
from chatglass.tui.transcript.items import PromptItem
from chatglass.values.clock import now_ms
from chatglass.values.ids import new_id

if TYPE_CHECKING:
    from chatglass.store.records import QueuedPrompt
    from chatglass.tui.composer.composer import Composer
    from chatglass.tui.open_session import OpenSession
    from chatglass.tui.screens.chat_screen import ChatScreen


class Outbox:
    """Sends, queues, takes back and edits prompts, and stores drafts, for the chat screen."""

    def __init__(self, chat: ChatScreen) -> None:
        self._chat = chat
        self.unsent: list[Composer.Submitted] = []
        """Prompts that were entered before there was a session to keep them."""
        self._draft_failure = ""
        """Why the draft could not be stored the last time."""

    # -- sending

    async def submit(self, message: Composer.Submitted) -> None:
        """Take a prompt from the composer."""
        chat = self._chat
        if chat.session is not None:
            await self._send(chat.session, message)
            return
        self.unsent.append(message)
        chat.transcript.append(
            PromptItem(
                id=new_id(),
                text=message.text,
                at=now_ms(),
                state="waiting",
                attachments=tuple(file.name for file in message.attachments),
            )
        )

    async def send_unsent(self) -> None:
        """There is a session now."""
        unsent, self.unsent = self.unsent, []
        assert self._chat.session is not None
        for message in unsent:
            await self._send(self._chat.session, message)

    async def _send(self, session: OpenSession, message: Composer.Submitted) -> None:
        """Store a prompt and let it be answered, now or after what is under way."""
        from chatglass.store.protocol import StoreError

        chat = self._chat
        if session.engine.state == "read-only":
            await chat.takeover.take(session)
        if session.engine.state in ("read-only", "failed"):
            await self._give_back(session, message.draft)
            chat.say(f"{self.objection(session)} The prompt is kept below.", "warning")
            return
        if session.store_failure:
            await self._give_back(session, message.draft)
            chat.unsaved.ask(session)
            return
        attachments = [file.content() for file in message.attachments]
        try:
            if session.editing is not None and session.engine.state == "idle":
                await session.engine.branch_before_prompt(session.editing)
                session.editing = None
                await chat.reload(session)
            queued = await session.engine.submit(message.text, attachments)
        except StoreError as error:
            await self._give_back(session, message.draft)
            if session.engine.holder is not None:
                chat.say(str(error), "error")
            else:
                session.store_failure = str(error)
                chat.unsaved.ask(session)
            return
        session.draft = ""
        # The stored one may be a part of the prompt, from half a second before its end.
        await self._store(session)
        session.held = False
        session.view.queue(queued, waiting=session.engine.state == "starting")
        chat.app.turns.drive(session)
        if session is chat.session:
            chat.composer.set_history(session.view.prompts())
            chat.transcript.jump_to_end()
            chat.signs.tell_state()

    async def _give_back(self, session: OpenSession, draft: str) -> None:
        """A prompt that was not taken stands in the composer again, or in the session's draft where
        another one is on screen by now."""
        if session is self._chat.session:
            self._chat.composer.restore(draft)
        else:
            session.draft = "\n\n".join(text for text in (draft, session.draft) if text)
            await self._store(session)

    @staticmethod
    def objection(session: OpenSession) -> str:
        """Why nothing can be sent or changed in the session here; empty where it can."""
        match session.engine.state:
            case "read-only":
                holder = session.engine.holder
                process = f" (process {holder.pid})" if holder else ""
                return f"This session is open in another chatglass{process}; here it is read-only."
            case "failed":
                return f"Nothing can be sent in this session: {session.engine.failure}"
            case _:
                return ""

    # -- what is queued

    def send_held(self) -> bool:
        """Go on with what waits since a turn was stopped. False where nothing does."""
        session = self._chat.session
        if session is None or not session.held or not session.engine.queue:
            return False
        session.held = False
        self._chat.app.turns.drive(session)
        self._chat.signs.tell_state()
        return True

    async def take_back(self, prompt_id: str) -> bool:
        """Put a queued prompt into the composer again. False where it is not queued any more."""
        chat, session = self._chat, self._chat.session
        if session is None:
            return False
        prompt = await session.engine.unqueue(prompt_id)
        if prompt is None:
            return False
        session.view.unqueue(prompt_id)
        chat.composer.restore_prompt(prompt.text, queued_files(prompt))
        chat.composer.focus()
        chat.signs.tell_state()
        return True

    async def take_refused(self, session: OpenSession, prompt: QueuedPrompt) -> None:
        """A prompt that was not taken goes back to where it was written."""
        if session is self._chat.session:
            await self.take_back(prompt.id)
        elif await session.engine.unqueue(prompt.id) is not None:
            session.view.unqueue(prompt.id)
            await self._give_back(session, prompt.text)

    # -- editing a prompt that was sent

    async def edit(self, session: OpenSession, prompt: PromptItem) -> None:
        """Write a prompt anew: nothing changes until it is sent. Raises StoreError."""
        row = await session.engine.context.messages.find(prompt.id)
        if session.editing is None:
            session.draft_before_edit = self._chat.composer.draft
        session.editing = prompt.id
        self._chat.composer.set_draft("")
        self._chat.composer.restore_prompt(prompt.text, message_files(row) if row else ())
        self._chat.composer.focus()
        self._chat.signs.tell_state()

    def leave_edit(self) -> bool:
        """Give the edit up and bring the draft from before it back. False where none is on."""
        session = self._chat.session
        if session is None or session.editing is None:
            return False
        session.editing = None
        self._chat.composer.set_draft(session.draft_before_edit)
        self._chat.signs.tell_state()
        return True

    # -- drafts

    async def draft_changed(self) -> None:
        """Store what stands in the composer now: the news of it may be older than a switch of
        the session."""
        chat, session = self._chat, self._chat.session
        draft = chat.composer.draft
        if session is None or session.draft == draft or session.engine.holder is not None:
            return
        session.draft = draft
        await self._store(session)

    async def _store(self, session: OpenSession) -> None:
        from chatglass.store.protocol import StoreError

        try:
            await session.engine.save_draft(session.draft)
        except StoreError as error:
            # Once: every pause in typing would say it again.
            if str(error) != self._draft_failure:
                self._chat.say(str(error), "error")
            self._draft_failure = str(error)
        else:
            self._draft_failure = ""

    def keep_draft(self, session: OpenSession, draft: str) -> None:
        """When the session leaves the screen."""
        if session.draft != draft and session.engine.holder is None:
            session.draft = draft
            self._chat.run_worker(self._store(session), group="drafts", exit_on_error=False)

    def store_draft_now(self) -> None:
        """Before what is stored is looked at."""
        session = self._chat.session
        if session is not None and session.engine.holder is None:
            session.draft = self._chat.composer.draft
            session.engine.save_draft_now(session.draft)

    async def store_draft(self) -> None:
        """Before the program ends: also that of a session that has no row yet."""
        session = self._chat.session
        if session is not None and session.engine.holder is None:
            session.draft = self._chat.composer.draft
            await session.engine.save_draft(session.draft)
