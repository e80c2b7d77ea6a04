"""ChatScreen: one session on screen: transcript, composer, questions, meter and inspector."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from textual import events, on
from textual.actions import SkipAction
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.screen import Screen
from textual.worker import Worker, WorkerState

from chatglass import splash
from chatglass.tui.actions.footer import FooterLine
from chatglass.tui.actions.registry import ACTIONS
from chatglass.tui.approval.desk import ApprovalDesk
from chatglass.tui.composer.composer import Composer
from chatglass.tui.countdown import Countdown
from chatglass.tui.inspector.calls_desk import CallsDesk
from chatglass.tui.meter.feed import MeterFeed
from chatglass.tui.meter.meter import Meter
from chatglass.tui.notify.toasts import SUBJECT
from chatglass.tui.outbox import Outbox
from chatglass.tui.screens.conversation_panel import ConversationPanel
from chatglass.tui.screens.event_feed import EventFeed
from chatglass.tui.screens.session_signs import WELCOME, SessionSigns
from chatglass.tui.tabs.place import Place
from chatglass.tui.tabs.tab_strip import TabStrip
from chatglass.tui.takeover import Takeover
from chatglass.tui.topline.top_line import TopLine
from chatglass.tui.transcript.items import NoticeItem, PromptItem
from chatglass.tui.transcript.widget import Transcript
from chatglass.tui.unsaved import Unsaved
from chatglass.values.figures import counted
from chatglass.values.text import visible

if TYPE_CHECKING:
    from textual.notifications import SeverityLevel

    from chatglass.tui.app import ChatglassApp
    from chatglass.tui.approval.panel import ApprovalPanel
    from chatglass.tui.inspector.call_source import CallSource
    from chatglass.tui.inspector.inspector import Inspector
    from chatglass.tui.inspector.screen import InspectorScreen
    from chatglass.tui.open_session import OpenSession

NARROW = splash.SIDEBAR_FROM
"""Columns below which the right side folds into an overlay."""
LOW = 30
"""Rows below which the meter leaves room for the calls."""
HIGH = 46
"""Rows from which both have room for all they say."""


class ChatScreen(Screen[None]):
    """Shows the session that was given to `show`; the app's handlers tell it what changed."""

    app: ChatglassApp
    AUTO_FOCUS = "PromptArea"
    BINDINGS = [*ACTIONS.bindings("chat")]

    def __init__(self) -> None:
        super().__init__()
        self.session: OpenSession | None = None
        self.top_line = TopLine(id="top")
        self.conversation = ConversationPanel(empty_text=WELCOME, id="conversation")
        self.transcript = self.conversation.transcript
        self.composer = Composer(root=Path.cwd(), may_read=self._may_read, id="composer")
        self.meter = Meter(id="meter")
        self.signs = SessionSigns(self)
        self.feed = EventFeed(self)
        self.outbox = Outbox(self)
        self.figures = MeterFeed(self)
        self.takeover = Takeover(self)
        self.unsaved = Unsaved(self)
        self.full_inspector: InspectorScreen | None = None
        """The inspector over the whole screen, while it is open."""
        self.countdown = Countdown(self)
        self.approvals = ApprovalDesk(self)
        self.calls = CallsDesk(self)
        self._is_complete = False

    def compose(self) -> ComposeResult:
        yield self.top_line
        with Horizontal(id="main"):
            with Vertical(id="left"):
                yield self.conversation
                yield self.composer
            with Vertical(id="right"):
                yield self.meter
        yield FooterLine(id="footer")

    @cached_property
    def approval(self) -> ApprovalPanel:
        from chatglass.tui.approval.panel import ApprovalPanel

        return ApprovalPanel(self.approvals.words, id="approval")

    @cached_property
    def inspector(self) -> Inspector:
        from chatglass.tui.inspector.inspector import Inspector

        return Inspector(self.call_source, id="inspector")

    @cached_property
    def call_source(self) -> CallSource:
        from chatglass.tui.inspector.session_calls import SessionCalls

        return SessionCalls(lambda: self.session)

    async def complete(self) -> None:
        """Mount what the first frame does without, and what would take a sixth of its time."""
        await self.query_one("#left").mount(self.approval, before=self.composer)
        await self.query_one("#right").mount(self.inspector)
        self._is_complete = True

    def on_mount(self) -> None:
        self.signs.show_top_line()

    def on_resize(self, event: events.Resize) -> None:
        self.set_class(event.size.width < NARROW, "-narrow")
        self.set_class(event.size.height < LOW, "-low")
        # On the meter, not on the screen: all its widgets would be styled anew before the first frame.
        self.meter.set_class(event.size.height >= HIGH, "-high")
        if event.size.width >= NARROW:
            self.remove_class("-overlay")

    def on_screen_suspend(self) -> None:
        self.app.toasts.leave()

    def on_screen_resume(self) -> None:
        if self._is_complete:
            self.approval.be_deaf()
        self.app.servers.look()

    # -- the session on screen

    async def show(self, session: OpenSession) -> None:
        """Put another session on screen; the one that was there goes on behind it."""
        before, self.session = self.session, session
        if before is not None:
            self._leave(before)
        session.unseen = ""
        # Of the session before, or it has been seen now.
        for subject in ("mode", "queue", session.id):
            self.app.toasts.withdraw(subject)
        place = session.place
        self.composer.root = session.engine.context.root
        if before is not None or self.composer.is_empty:
            self.composer.come_back(replace(place.writing, draft=session.draft))
        else:
            # What was typed while it started stands in the composer already.
            self.composer.set_history(session.view.prompts())
            if session.draft:
                self.composer.restore(session.draft)
        self.signs.show_welcome()
        if before is None and self.app.workspace is not None:
            self.inspector.show_view(self.app.workspace.settings.inspector_view)
        self.refresh_items(place)
        self.approval.withdraw_all()
        self.approvals.changed(session)
        self.meter.show(session.stats)  # not another one's until they are read
        self.session_changed(session)
        await self.outbox.send_unsent()

    def _leave(self, session: OpenSession) -> None:
        """Keep of a session that leaves the screen what its tab needs: no lines, but the place."""
        session.place = Place.of(self)
        self.outbox.keep_draft(session, session.place.writing.draft)
        # What was pushed since the last frame belongs into the items, which outlive the pane.
        _ = self.transcript.items
        session.view.pane = None
        self.conversation.leave_find()

    def refresh_items(self, place: Place | None = None) -> None:
        """Show the session's items anew, as after a switch of branch; where it was left, if that
        is given."""
        if self.session is None:
            return
        view = self.session.view
        self.transcript.load(view.items, place.line if place else None)
        view.pane = self.transcript
        calls, requests = self.calls.rows(self.session), self.calls.requests(self.session)
        for inspector in self.calls.inspectors():
            inspector.show_calls(calls)
            inspector.calls_panel.show_requests(requests)
        if place is not None:
            self.transcript.select_again(place.selected)
            call = place.call or next(reversed(view.calls), None)
            if call is not None:
                self.inspector.open_call(call, take_focus=False)
        self.app.collector.idle()

    async def reload(self, session: OpenSession) -> None:
        """Show a session's path anew, after its branch has changed."""
        from chatglass.tui.reading import session_rows

        engine = session.engine
        session.view.load(await session_rows(engine.context.store, engine))
        if session is self.session:
            self.refresh_items()
        self.session_changed(session)

    def session_changed(self, session: OpenSession) -> None:
        """The engine's state, the title or the model is another."""
        self.app.tabs.changed()
        if session is not self.session:
            return
        self.signs.changed()
        self.countdown.watch()
        self.takeover.watch()
        self.figures.refresh()

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        if event.state is WorkerState.ERROR:
            self.app.worker_failed(event.worker)

    # -- tabs

    @on(TabStrip.Chosen)
    async def _tab_chosen(self, message: TabStrip.Chosen) -> None:
        session = self.app.sessions.get(message.session_id)
        if session is not None:
            await self.app.tabs.show(session)

    @on(TabStrip.CloseAsked)
    async def _tab_close_asked(self, message: TabStrip.CloseAsked) -> None:
        await self.app.action_do("tab.close", message.session_id)

    @on(TabStrip.Stepped)
    async def _tab_stepped(self, message: TabStrip.Stepped) -> None:
        await self.app.tabs.step(message.step)

    @on(TabStrip.NewAsked)
    async def _tab_new_asked(self) -> None:
        await self.app.action_do("session.new")

    # -- prompts

    @on(Composer.Submitted)
    async def _submitted(self, message: Composer.Submitted) -> None:
        await self.outbox.submit(message)

    @on(Composer.EnteredEmpty)
    async def _entered_empty(self) -> None:
        session = self.session
        if session is not None and session.engine.state == "read-only":
            await self.takeover.take(session)
        else:
            self.outbox.send_held()

    @on(Composer.DraftChanged)
    async def _draft_changed(self) -> None:
        self.figures.forecast()
        await self.outbox.draft_changed()

    @on(Composer.Emptied)
    def _emptied(self) -> None:
        # A prompt that was sent at once was never a draft that changed.
        self.figures.forecast()
        self.app.servers.look()

    @on(Composer.CommandEntered)
    async def _command(self, message: Composer.CommandEntered) -> None:
        try:
            await self.app.action_do(message.action_id, message.argument)
        finally:
            self.composer.forget_command()

    @on(Composer.ServerPromptEntered)
    def _server_prompt(self, message: Composer.ServerPromptEntered) -> None:
        self.run_worker(
            self.app.servers.insert_prompt(message.name, message.argument),
            group="server-prompt",
            exit_on_error=False,
        )

    @on(Composer.ResourceAsked)
    def _resource_asked(self, message: Composer.ResourceAsked) -> None:
        self.run_worker(
            self.app.servers.attach(message.name), group="resources", exit_on_error=False
        )

    @on(Composer.AttachmentRefused)
    def _attachment_refused(self, message: Composer.AttachmentRefused) -> None:
        from chatglass.tui.dialogs.dialogs import ConfirmDialog

        def decided(yes: bool | None) -> None:
            if yes:
                self.composer.attach(message.path, message.written, approved=True)

        question = visible(f"Attach {message.path}?\n{message.reason}")
        self.app.push_screen(ConfirmDialog("Attach this file?", question), decided)

    def _may_read(self, path: Path) -> str | None:
        workspace = self.app.workspace
        if workspace is None or self.session is None:
            return "The program still starts."
        return workspace.objection_to_reading(path, self.session.engine.context.root)

    # -- tool calls

    async def on_approval_panel_answered(self, message: ApprovalPanel.Answered) -> None:
        message.stop()
        await self.approvals.answered(message)

    def jump_to_message(self, message_id: str) -> None:
        """Show a message of the transcript, if it is on the shown path."""
        if message_id in self.transcript:
            self.transcript.scroll_to_item(message_id)
            self.transcript.focus()
        else:
            self.say("That message is on another branch of this session.", "warning")

    def on_inspector_jump_to_message(self, message: Inspector.JumpToMessage) -> None:
        message.stop()
        self.jump_to_message(message.message_id)

    async def on_inspector_wire_requested(self, message: Inspector.WireRequested) -> None:
        message.stop()
        await self.app.action_do("view.wire", message.request_id)

    async def on_inspector_copy_requested(self, message: Inspector.CopyRequested) -> None:
        message.stop()
        await self.copy(message.text, message.label)

    # -- transcript

    @on(Transcript.CardOpened)
    async def _card_opened(self, message: Transcript.CardOpened) -> None:
        await self.app.action_do("view.inspector", message.tool_call_id)

    @on(Transcript.ItemActivated)
    async def _item_activated(self, message: Transcript.ItemActivated) -> None:
        item = self.transcript.item(message.item_id)
        if isinstance(item, PromptItem) and item.state != "sent":
            await self.outbox.take_back(item.id)
        elif isinstance(item, NoticeItem) and item.leads_to is not None:
            await self.app.action_do("session.origin")

    @on(Transcript.CopyRequested)
    async def _copy_from_transcript(self, message: Transcript.CopyRequested) -> None:
        what = {"item": "message", "code": "code block", "card": "tool call"}
        await self.copy(
            self.transcript.copy_text(message.what), what.get(message.what, "selection")
        )

    @on(Transcript.RetryRequested)
    async def _retry(self, message: Transcript.RetryRequested) -> None:
        await self.app.action_do("answer.retry", message.item_id)

    @on(Transcript.EditRequested)
    async def _edit(self, message: Transcript.EditRequested) -> None:
        await self.app.action_do("prompt.edit", message.item_id)

    @on(Transcript.FoldEditRequested)
    async def _edit_fold(self, message: Transcript.FoldEditRequested) -> None:
        await self.app.action_do("context.edit_summary", message.item_id)

    @on(Transcript.FoldUndoRequested)
    async def _undo_fold(self, message: Transcript.FoldUndoRequested) -> None:
        await self.app.action_do("context.undo", message.item_id)

    @on(Transcript.BranchSwitch)
    async def _switch_branch(self, message: Transcript.BranchSwitch) -> None:
        from chatglass.store.protocol import StoreError
        from chatglass.tui.commands.table import idle_session

        session = idle_session(self.app)
        if session is None:
            return
        row = self.transcript.row_of(message.item_id)
        try:
            shown = await session.engine.switch_branch(message.item_id, message.step)
        except StoreError as error:
            self.say(str(error), "error", subject="branch")
            return
        if shown is None:
            where = "before" if message.step < 0 else "after"
            self.say(f"There is no branch {where} this one.", subject="branch")
            return
        await self.reload(session)
        if shown in self.transcript:
            self.transcript.select(shown)
            self.transcript.scroll_to_item(shown, row)

    def action_copy_text(self) -> None:
        """Textual's own way to copy what is selected, which says nothing: the app's says how."""
        raise SkipAction

    async def copy(self, text: str | None, what: str) -> None:
        """Copy, and say truthfully how."""
        from chatglass.tui.clipboard import copy

        if not text:
            self.say(f"There is no {what} to copy here.", "warning", subject="copied")
            return
        told = await copy(self.app, text)
        self.say(f"The {what} ({counted(len(text), 'character')}) was {told}.", subject="copied")

    # -- telling the user

    def say(
        self,
        text: str,
        severity: SeverityLevel = "information",
        *,
        subject: str = "",
        timeout: float | None = None,
    ) -> None:
        """A short notice at the edge of the screen, in the place of one about the same `subject`."""
        self.app.notify(
            visible(text),
            severity=severity,
            timeout=timeout,
            markup=False,
            subject=subject or SUBJECT.get(),
        )
