"""ChatScreen: one session on screen: transcript, composer, questions, meter and inspector."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Horizontal, Vertical
from textual.content import Content
from textual.screen import Screen
from textual.timer import Timer

from chatglass.chat.events import (
    Compacted,
    Event,
    Notice,
    ReasoningDelta,
    RequestStarted,
    TextDelta,
    ToolCallDelta,
    ToolCallFinished,
    TurnFinished,
    TurnStarted,
    UsageReported,
)
from chatglass.tui.actions.footer import FooterLine
from chatglass.tui.approval.panel import ApprovalPanel
from chatglass.tui.composer.composer import Composer
from chatglass.tui.inspector.find_bar import FindBar
from chatglass.tui.inspector.inspector import Inspector
from chatglass.tui.meter import figures
from chatglass.tui.meter.meter import Meter
from chatglass.tui.open_session import OpenSession
from chatglass.tui.topline.top_line import TopLine
from chatglass.tui.transcript.widget import Transcript

if TYPE_CHECKING:
    from chatglass.store.records import ToolCallRow, ToolResult
    from chatglass.tui.app import ChatglassApp
    from chatglass.tui.inspector.screen import InspectorScreen

NARROW = 104
"""Columns below which the right side folds into an overlay."""
_LIVE_SECONDS = 0.25
_WELCOME = "Write a message below.\nF1 shows the keys, / the commands, ^S your saved sessions."

_DELTAS = (TextDelta, ReasoningDelta, ToolCallDelta)
_COUNTED = (RequestStarted, UsageReported, ToolCallFinished, TurnStarted, TurnFinished, Compacted)


class ChatScreen(Screen[None]):
    """Shows the session that was given to `show`; the app's handlers tell it what changed."""

    app: ChatglassApp
    AUTO_FOCUS = "PromptArea"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "find_step(1)", show=False),
        Binding("N", "find_step(-1)", show=False),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.session: OpenSession | None = None
        self.top_line = TopLine(id="top")
        self.transcript = Transcript(empty_text=_WELCOME, id="transcript")
        self.find_bar = FindBar(id="find")
        self.approval = ApprovalPanel(id="approval")
        self.composer = Composer(root=Path.cwd(), may_read=self._may_read, id="composer")
        self.meter = Meter(id="meter")
        self.inspector = Inspector(self.load_result, id="inspector")
        self.unsent: list[Composer.Submitted] = []
        """Prompts that were entered before there was a session to keep them."""
        self.full_inspector: InspectorScreen | None = None
        """The inspector over the whole screen, while it is open."""
        self._live_at = 0.0
        self._retry_timer: Timer | None = None

    def compose(self) -> ComposeResult:
        yield self.top_line
        with Horizontal(id="main"):
            with Vertical(id="left"):
                with Container(id="conversation"):
                    yield self.transcript
                    yield self.find_bar
                yield self.approval
                yield self.composer
            with Vertical(id="right"):
                yield self.meter
                yield self.inspector
        yield FooterLine(id="footer")

    def on_mount(self) -> None:
        self.query_one("#conversation").border_title = "Conversation"
        self._tell_following(True, 0)
        self.set_class(self.app.look.sidebar, "-sidebar")
        self._show_top_line()

    def on_resize(self, event: events.Resize) -> None:
        self.set_class(event.size.width < NARROW, "-narrow")
        self.set_class(event.size.height < 30, "-low")

    # -- the session on screen

    async def show(self, session: OpenSession) -> None:
        """Put another session on screen; the one that was there goes on behind it."""
        self.save_draft_now()
        if self.session is not None:
            # What was pushed since the last frame belongs into the items, which outlive the pane.
            _ = self.transcript.items
            self.session.view.pane = None
        first, self.session = self.session is None, session
        context = session.engine.context
        self.composer.root = context.root
        self.composer.set_history(session.view.prompts())
        if not first or self.composer.is_empty:
            self.composer.set_draft(session.draft)
        elif session.draft:
            self.composer.restore(session.draft)
        self.refresh_items()
        self.approval.withdraw_all()
        self.approvals_changed(session)
        self.session_changed(session)
        for unsent in self.unsent:
            await self.send(unsent)
        self.unsent.clear()

    def forget(self) -> None:
        """The session on screen was deleted."""
        self.session = None

    def refresh_items(self) -> None:
        """Show the session's items anew, as after a switch of branch."""
        if self.session is None:
            return
        view = self.session.view
        self.transcript.load(view.items)
        view.pane = self.transcript
        self.inspector.show_calls(list(view.calls.values()))
        self.app.collector.idle()

    def session_changed(self, session: OpenSession) -> None:
        """The engine's state, the title or the model is another."""
        if session is not self.session:
            return
        self._show_top_line()
        self._tell_state()
        self._refresh_stats()

    def _show_top_line(self) -> None:
        if self.session is None:
            self.top_line.show(
                title="New session", model=self.app.options.model or "", endpoint="starting …"
            )
            return
        row = self.session.engine.context.session
        self.top_line.show(
            title=row.title,
            model=row.model or "no model",
            endpoint=row.endpoint,
            stats=self.session.stats,
        )

    def _tell_state(self) -> None:
        assert self.session is not None
        engine = self.session.engine
        words = {"starting": "starting …", "working": "working", "failed": "can't send"}
        text = words.get(engine.state, "")
        if engine.holder is not None:
            text = f"read-only: open in another chatglass (pid {engine.holder.pid})"
        self.composer.border_title = Content(text)

    # -- events of the engine

    def events_shown(self, session: OpenSession, batch: Sequence[Event]) -> None:
        """The session's view has taken these events: bring the rest of the screen up to them."""
        for event in batch:
            if isinstance(event, TurnFinished):
                self._turn_finished(session, event)
        if session is not self.session:
            return
        for event in batch:
            self._show_beside(session, event)
        if any(isinstance(event, _COUNTED) for event in batch):
            self._refresh_stats()
        elif any(isinstance(event, _DELTAS) for event in batch):
            self._show_live(session)
        self._watch_retry(session)

    def _show_beside(self, session: OpenSession, event: Event) -> None:
        tool_call_id = getattr(event, "tool_call_id", None)
        if tool_call_id is not None and tool_call_id in session.view.calls:
            self._show_call(session.view.calls[tool_call_id])
        if isinstance(event, Notice) and event.kind == "context":
            self.say(event.cause, event.severity)
        if isinstance(event, (TurnStarted, TurnFinished)):
            self._tell_state()
            self._show_top_line()

    def _turn_finished(self, session: OpenSession, event: TurnFinished) -> None:
        self.app.collector.idle()
        if session is not self.session:
            self.say(f"{session.title or 'A session'}: the turn ended ({event.status}).")

    def _show_live(self, session: OpenSession) -> None:
        """While text streams: the figures with what has come so far, four times a second."""
        now = time.monotonic()
        if now - self._live_at < _LIVE_SECONDS:
            return
        self._live_at = now
        # Four characters a token: a rough guess, replaced as soon as usage is reported.
        pending = session.stats.pending + session.view.streamed_chars // 4
        self.meter.show(replace(session.stats, pending=pending))

    def _refresh_stats(self) -> None:
        self.run_worker(self._read_stats, group="stats", exclusive=True, exit_on_error=False)

    async def _read_stats(self) -> None:
        session = self.session
        if session is None:
            return
        session.stats = await session.engine.context.get_token_stats()
        if session is self.session:
            self.meter.show(session.stats)
            self._show_top_line()
            self._show_forecast()

    def _show_forecast(self) -> None:
        """What the next request will cost with what is written so far."""
        session = self.session
        if session is None:
            return
        cost = session.engine.forecast(self.composer.text)
        text = "" if cost is None else f"next {figures.money(cost, about=True)}"
        self.composer.set_forecast("" if cost == Decimal(0) else text)

    def _watch_retry(self, session: OpenSession) -> None:
        if session.view.retry_until is not None and self._retry_timer is None:
            self._retry_timer = self.set_interval(1.0, self._tick_retry)
        elif session.view.retry_until is None and self._retry_timer is not None:
            self._retry_timer.stop()
            self._retry_timer = None

    def _tick_retry(self) -> None:
        if self.session is not None:
            self.session.view.tick_retry()
            self._watch_retry(self.session)

    # -- prompts

    @on(Composer.Submitted)
    async def _submitted(self, message: Composer.Submitted) -> None:
        if self.session is None:
            self.unsent.append(message)
            self.say("The prompt waits until the program has started.")
            return
        await self.send(message)

    async def send(self, message: Composer.Submitted) -> None:
        """Store a prompt and let it be answered, now or after what is under way."""
        from chatglass.chat.chat_context import Attachment
        from chatglass.store.protocol import StoreError

        session = self.session
        assert session is not None
        if session.engine.state in ("read-only", "failed"):
            self.composer.restore(message.draft)
            self.say("This session can't take a prompt here; it is kept below.", "warning")
            return
        attachments = [
            Attachment(file.name, {"type": "text", "text": file.block()})
            for file in message.attachments
        ]
        try:
            queued = await session.engine.submit(message.text, attachments)
        except StoreError as error:
            self.composer.restore(message.draft)
            self.say(str(error), "error")
            return
        session.draft = ""
        session.view.queue(queued, waiting=session.engine.state == "starting")
        self.composer.set_history(session.view.prompts())
        self.transcript.jump_to_end()
        self.app.drive(session)

    @on(Composer.DraftChanged)
    async def _draft_changed(self, message: Composer.DraftChanged) -> None:
        session = self.session
        self._show_forecast()
        # The message may be older than a switch of the session: what counts is what stands there.
        draft = self.composer.draft
        if session is None or session.draft == draft:
            return
        session.draft = draft
        await self._store_draft(session)

    async def _store_draft(self, session: OpenSession) -> None:
        from chatglass.store.protocol import StoreError

        try:
            await session.engine.save_draft(session.draft)
        except StoreError as error:
            self.say(str(error), "error")

    def save_draft_now(self) -> None:
        """Before the session leaves the screen or the program ends."""
        if self.session is not None:
            self.session.draft = self.composer.draft
            self.session.engine.save_draft_now(self.session.draft)

    @on(Composer.CommandEntered)
    async def _command(self, message: Composer.CommandEntered) -> None:
        await self.app.action_do(message.action_id, message.argument)

    @on(Composer.AttachmentRefused)
    def _attachment_refused(self, message: Composer.AttachmentRefused) -> None:
        from chatglass.tui.dialogs.dialogs import ConfirmDialog

        def decided(yes: bool | None) -> None:
            if yes:
                self.composer.attach(message.path, approved=True)

        question = f"Attach {message.path}?\n{message.reason}"
        self.app.push_screen(ConfirmDialog("Attach this file?", question), decided)

    def _may_read(self, path: Path) -> str | None:
        workspace = self.app.workspace
        if workspace is None or self.session is None:
            return "The program still starts."
        return workspace.objection_to_reading(path, self.session.engine.context.root)

    # -- tool calls

    def approvals_changed(self, session: OpenSession) -> None:
        for call in session.approval.waiting:
            session.view.asking(call.tool_call_id)
        if session is not self.session:
            if session.approval.waiting:
                self.say(f"{session.title or 'A session'} asks about a tool call.", "warning")
            return
        waiting = {call.tool_call_id for call in session.approval.waiting}
        for call in self.approval.waiting:
            if call.tool_call_id not in waiting:
                self.approval.withdraw(call.tool_call_id)
        for call in session.approval.waiting:
            self.approval.ask(call, take_focus=self.composer.is_empty)
            self._show_call(session.view.calls[call.tool_call_id])

    def _show_call(self, row: ToolCallRow) -> None:
        self.inspector.update_call(row)
        if self.full_inspector is not None:
            self.full_inspector.update_call(row)

    @on(ApprovalPanel.Decided)
    def _decided(self, message: ApprovalPanel.Decided) -> None:
        session = self.app.sessions.get(message.pending.session_id)
        if session is not None:
            session.approval.answer(message.tool_call_id, message.decision, grant=message.grant)

    async def load_result(self, tool_call_id: str) -> ToolResult | None:
        workspace = self.app.workspace
        return await workspace.store.tool_result(tool_call_id) if workspace else None

    @on(Transcript.CardOpened)
    async def _card_opened(self, message: Transcript.CardOpened) -> None:
        await self.app.action_do("view.inspector", message.tool_call_id)

    @on(Inspector.JumpToMessage)
    def _jump_to_message(self, message: Inspector.JumpToMessage) -> None:
        if message.message_id in self.transcript:
            self.transcript.scroll_to_item(message.message_id)
            self.transcript.focus()

    @on(Inspector.CopyRequested)
    async def _copy_from_inspector(self, message: Inspector.CopyRequested) -> None:
        await self.copy(message.text, message.label)

    # -- transcript

    @on(Transcript.FollowChanged)
    def _follow_changed(self, message: Transcript.FollowChanged) -> None:
        self._tell_following(message.following, message.new_lines)

    def _tell_following(self, following: bool, new_lines: int) -> None:
        text = "follows"
        if not following:
            text = f"↓ {new_lines:,} new lines · End follows" if new_lines else "End follows"
        self.query_one("#conversation").border_subtitle = text

    @on(Transcript.CopyRequested)
    async def _copy_from_transcript(self, message: Transcript.CopyRequested) -> None:
        what = {"item": "message", "code": "code block", "card": "tool call"}
        await self.copy(
            self.transcript.copy_text(message.what), what.get(message.what, "selection")
        )

    @on(Transcript.RetryRequested)
    async def _retry(self) -> None:
        await self.app.action_do("answer.retry")

    @on(Transcript.EditRequested)
    async def _edit(self, message: Transcript.EditRequested) -> None:
        await self.app.action_do("prompt.edit", message.item_id)

    @on(Transcript.BranchSwitch)
    async def _switch_branch(self, message: Transcript.BranchSwitch) -> None:
        session = self.session
        if session is not None and session.engine.state == "idle":
            await session.engine.switch_branch(message.item_id, message.step)
            await self.reload()

    async def reload(self) -> None:
        """Show the session's path anew, after its branch has changed."""
        from chatglass.tui.reading import session_rows

        if self.session is not None:
            self.session.view.load(await session_rows(self.session.engine))
            self.refresh_items()
            self.session_changed(self.session)

    async def copy(self, text: str | None, what: str) -> None:
        """Copy, and say truthfully how."""
        from chatglass.tui.clipboard import copy

        if not text:
            self.say(f"There is no {what} to copy here.", "warning")
            return
        told: Any = await copy(self.app, text)
        self.say(f"The {what} ({len(text):,} characters) was {told}.")

    # -- find

    @on(FindBar.Sought, "#find")
    def _sought(self, message: FindBar.Sought) -> None:
        found = self.transcript.find(message.sought) if message.sought else 0
        self.find_bar.border_subtitle = f"{found} matches" if message.sought else ""

    @on(FindBar.Stepped, "#find")
    def _find_stepped(self, message: FindBar.Stepped) -> None:
        self.transcript.find_next(message.step)

    @on(FindBar.Closed, "#find")
    def _find_closed(self) -> None:
        self.transcript.clear_find()
        self.transcript.focus()

    def action_find_step(self, step: int) -> None:
        self.transcript.find_next(step)

    # -- telling the user

    def say(self, text: str, severity: str = "information") -> None:
        """A short notice at the edge of the screen."""
        from chatglass.values.text import visible

        self.app.notify(visible(text), severity=severity, markup=False)  # pyright: ignore[reportArgumentType]
