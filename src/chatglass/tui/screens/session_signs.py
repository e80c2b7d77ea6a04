"""SessionSigns: what the screen says of its session around the transcript."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chatglass.tui.actions.footer import FooterLine
from chatglass.tui.approval.mode_words import mode_title

if TYPE_CHECKING:
    from chatglass.tui.screens.chat_screen import ChatScreen

WELCOME = "Write a message below.\nF1 shows the keys, / the commands, ^S your saved sessions."
_DEMO = (
    "This is the built-in demo: its answers are scripted, nothing leaves\n"
    "this machine, and it costs nothing.\n"
    "Ask it “What can you do?”, or choose a real model with /model.\n\n"
)


class SessionSigns:
    """For the chat screen: its top line, the composer's frame, and the welcome."""

    def __init__(self, chat: ChatScreen) -> None:
        self._chat = chat

    def changed(self) -> None:
        """The engine's state, the title or the model is another."""
        self.show_welcome()
        self.show_top_line()
        self.tell_state()

    @property
    def _is_demo(self) -> bool:
        session = self._chat.session
        return session is not None and session.engine.context.session.endpoint == "demo"

    def show_welcome(self) -> None:
        """What stands where nothing was said yet."""
        first = _DEMO if self._is_demo else self._missing_key()
        self._chat.transcript.show_when_empty(first + WELCOME)

    def _missing_key(self) -> str:
        session, workspace = self._chat.session, self._chat.app.workspace
        if session is None or workspace is None:
            return ""
        endpoint = session.engine.context.session.endpoint
        variable = workspace.missing_key(endpoint)
        if variable is None:
            return ""
        return f"{variable} is not set: {endpoint} gets no key. F3 chooses another model.\n\n"

    def show_top_line(self) -> None:
        chat, session = self._chat, self._chat.session
        if session is None:
            chat.top_line.show(
                title="New session", model=chat.app.options.model or "", endpoint="starting …"
            )
            return
        row = session.engine.context.session
        chat.top_line.show(
            title=row.title,
            model=row.model or "no model",
            endpoint="demo, costs nothing" if self._is_demo else row.endpoint,
            stats=session.stats,
        )

    def tell_state(self) -> None:
        """Say on the composer's frame what the session does and what waits in it."""
        chat, session = self._chat, self._chat.session
        if session is None:
            return
        engine = session.engine
        chat.query_one(FooterLine).show_working(engine.state == "working")
        words = {"starting": "starting …", "working": "working", "failed": "can't send"}
        facts = [words[engine.state]] if engine.state in words else []
        if session.view.compacting:
            facts = [session.view.compacting]
        if session.asking:
            facts = ["asks you"]
        if session.unsaved:
            facts.append("not saved")
        if session.free:
            facts.append("read-only: nobody else has it open now, Enter goes on with it")
        elif engine.holder is not None:
            facts.append(f"read-only: open in another chatglass (process {engine.holder.pid})")
        if session.editing is not None:
            facts.append("editing an earlier prompt: Enter branches, Esc leaves it")
        if engine.queue and session.held:
            facts.append(f"{len(engine.queue)} queued: Enter sends, /unqueue takes back")
        elif engine.queue:
            facts.append(f"{len(engine.queue)} queued")
        mode = session.approval.policy.mode
        chat.set_class(mode == "all", "-all-allowed")
        chat.composer.border_title = mode_title(mode, facts, chat.composer.size.width - 4)
