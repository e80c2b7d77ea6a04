"""ChatglassApp: wires the engine's sessions to the screen. Widgets draw, `chat` thinks."""

from __future__ import annotations

import asyncio
import logging
import os
from typing import TYPE_CHECKING, ClassVar

from textual import events
from textual.app import App
from textual.binding import BindingType
from textual.notifications import SeverityLevel
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Input, TextArea
from textual.worker import Worker, WorkerState

from chatglass.config.errors import ConfigError
from chatglass.config.first_look import reduced_motion_wanted
from chatglass.config.paths import find_paths
from chatglass.tui.actions.palette import ActionCommands
from chatglass.tui.actions.registry import ACTIONS
from chatglass.tui.commands import COMMANDS
from chatglass.tui.composer.prompt_area import PromptArea
from chatglass.tui.driver import GlassDriver
from chatglass.tui.idle_collector import IdleCollector
from chatglass.tui.life import FAILED, USAGE, Life
from chatglass.tui.messages import ApprovalsChanged, EngineEvents, RerunChanged, SessionChanged
from chatglass.tui.no_colour import filters_without_colour
from chatglass.tui.notify.attention import Attention
from chatglass.tui.notify.toasts import Notice, Toasts
from chatglass.tui.screens.chat_screen import ChatScreen
from chatglass.tui.servers.desk import ServerDesk
from chatglass.tui.stylesheet import stylesheet
from chatglass.tui.tabs.tabs import Tabs
from chatglass.tui.themes import THEMES
from chatglass.tui.turns import Turns
from chatglass.values.text import visible

if TYPE_CHECKING:
    from textual.driver import Driver

    from chatglass.chat.workspace import Workspace
    from chatglass.config.first_look import FirstLook
    from chatglass.config.options import Options
    from chatglass.store.records import SessionRow
    from chatglass.tui.approval.panel import ApprovalPanel
    from chatglass.tui.inspector.calls_panel import CallsPanel
    from chatglass.tui.inspector.inspector import Inspector
    from chatglass.tui.inspector.section_pane import SectionPane
    from chatglass.tui.open_session import OpenSession
    from chatglass.tui.wire.screen import WireScreen

_log = logging.getLogger(__name__)

BREATH = 0.03
"""Seconds between the first frame and the start of the engine, for keys that were typed already."""


class ChatglassApp(App[None], inherit_bindings=False):
    """Opens the workspace behind its first frame, and keeps an engine for each open session."""

    TITLE = "chatglass"
    CSS_PATH = stylesheet()
    COMMANDS: ClassVar = {ActionCommands}
    BINDINGS: ClassVar[list[BindingType]] = [*ACTIONS.bindings("app")]
    ENABLE_COMMAND_PALETTE = True

    def __init__(
        self,
        options: Options,
        look: FirstLook,
        driver_class: type[Driver] = GlassDriver,
    ) -> None:
        super().__init__(driver_class=driver_class)
        self._filters = filters_without_colour(self._filters)
        self.options = options
        self.look = look
        self.workspace: Workspace | None = None
        self.sessions: dict[str, OpenSession] = {}
        self.start_error: str | None = None
        """Why the program could not start; it is said when the screen is gone."""
        self.last_words: list[str] = []
        self.interrupted_at = float("-inf")
        """Monotonic time of the last ^C that had nothing to do."""
        self.collector = IdleCollector()
        self.chat = ChatScreen()
        self.chat.transcript.text_width = look.text_width
        self.chat.set_class(look.sidebar, "-sidebar")  # here, before there is anything to restyle
        self.servers = ServerDesk(self)
        self.tabs = Tabs(self)
        self.attention = Attention(self)
        self.toasts = Toasts(self)
        self._opening = asyncio.Lock()
        self.turns = Turns(self)
        self.life = Life(self)
        for theme in THEMES:
            self.register_theme(theme)
        self.theme = look.theme if look.theme in self.available_themes else THEMES[0].name
        if look.reduced_motion or options.reduced_motion or reduced_motion_wanted(os.environ):
            self.animation_level = "none"
        self.broken_by: Exception | None = None
        """What ended the program unforeseen; it is said when the screen is gone."""
        try:
            self.set_keymap(ACTIONS.apply_keymap(look.keys))
        except ConfigError as error:
            file = find_paths(options.data_dir, options.config).config_file
            self.start_error = f"The settings file {file}: {error}"

    def get_default_screen(self) -> Screen[None]:
        return self.chat

    # -- starting and leaving

    def on_mount(self) -> None:
        # After a suspension the terminal shows none of what was painted before.
        self.app_resume_signal.subscribe(self, self._repaint)

    def _repaint(self, _: object) -> None:
        self.refresh(layout=True)

    def _handle_exception(self, error: Exception) -> None:
        _log.critical("the program broke", exc_info=error)
        self.broken_by = self.broken_by or error
        super()._handle_exception(error)

    def on_ready(self) -> None:
        self.life.heed_signals()
        if self.start_error is not None:
            self.life.give_up(self.start_error, USAGE)
            return
        # After the first frame, and after what was typed before it: what begins here imports for a
        # second or two.
        self.call_after_refresh(self.set_timer, BREATH, self._begin)

    async def _begin(self) -> None:
        from chatglass.tui.loading import import_panels

        await asyncio.to_thread(import_panels)
        await self.chat.complete()
        self.run_worker(self.life.begin(), group="start", exit_on_error=False)

    async def action_quit(self) -> None:
        await self.leave()

    async def leave(self) -> None:
        """Store what is unsaved, end what runs, and say how to come back."""
        await self.life.leave()

    # -- sessions

    @property
    def current(self) -> OpenSession | None:
        return self.chat.session

    async def open_session(self, row: SessionRow) -> OpenSession:
        """Show that session in its tab; in a new one, or in the place of a blank one, if it is not
        open yet. Raises StoreError."""
        left = self.current
        async with self._opening:
            is_opened = row.id not in self.sessions
            session = self.sessions.get(row.id) or await self._make_session(row)
        await self.chat.show(session)
        self._start(session)
        if left is not None and left is not session and left.is_blank:
            self.tabs.drop_blank(left, session if is_opened else None)
        self.tabs.changed()
        return session

    async def open_behind(self, row: SessionRow) -> None:
        """Open a session in a tab behind the one on screen. Raises StoreError."""
        async with self._opening:
            session = self.sessions.get(row.id) or await self._make_session(row)
        self._start(session)
        self.tabs.changed()

    def _start(self, session: OpenSession) -> None:
        from chatglass.tui.opening import start_engine

        if session.starting is None and session.engine.state == "starting":
            session.starting = self.run_worker(
                start_engine(self, session), group=f"start-{session.id}", exit_on_error=False
            )

    async def _make_session(self, row: SessionRow) -> OpenSession:
        from chatglass.tui.opening import make_session

        await self.tabs.ended(row.id)
        session = self.sessions[row.id] = await make_session(self, row)
        self.servers.roots_changed()
        return session

    async def new_session(self) -> OpenSession:
        """Show a session in which nothing is said yet, with the model of the one on screen; one that
        is open already where there is one. Raises StoreError."""
        blank = self.tabs.blank()
        if blank is not None:
            await self.tabs.show(blank)
            return blank
        return await self.open_session(await self.new_row())

    async def new_row(self) -> SessionRow:
        """Of a new session with the model of the one on screen; it is not stored."""
        assert self.workspace is not None
        row = await self.workspace.new_session()
        if self.current is None:
            return row
        return self.workspace.like(row, self.current.engine.context.session)

    # -- what the engines tell

    def on_engine_events(self, message: EngineEvents) -> None:
        from chatglass.chat.events import RequestStarted, TurnFinished, TurnStarted

        session = self.sessions.get(message.session_id)
        if session is None:
            return
        batch, session.inbox = session.inbox, []
        for event in batch:
            session.take(event)
            if isinstance(event, TurnFinished):
                self.attention.turn_finished(session, event)
        self.chat.feed.take(session, batch)
        if any(isinstance(event, (TurnStarted, TurnFinished)) for event in batch):
            self._mark_sessions()
        if any(isinstance(event, RequestStarted) for event in batch):

            async def mark() -> None:
                await self._mark_branches(session)

            group = f"branches-{session.id}"
            self.run_worker(mark, group=group, exclusive=True, exit_on_error=False)

    async def _mark_branches(self, session: OpenSession) -> None:
        """A retry or an edit made siblings: say on the items which of them is shown."""
        session.view.mark_branches(await session.engine.context.store.forks(session.id))

    def on_approvals_changed(self, message: ApprovalsChanged) -> None:
        session = self.sessions.get(message.session_id)
        if session is not None:
            self.chat.approvals.changed(session)
            self.attention.questions_changed(session)
            self._mark_sessions()

    def on_rerun_changed(self, message: RerunChanged) -> None:
        session = self.sessions.get(message.session_id)
        if session is not None:
            self.chat.calls.changed(session, message.row)

    async def on_approval_panel_answered(self, message: ApprovalPanel.Answered) -> None:
        """An answer from a screen over the chat."""
        await self.chat.approvals.answered(message)

    def on_session_changed(self, message: SessionChanged) -> None:
        session = self.sessions.get(message.session_id)
        if session is not None:
            self.turns.drive(session)
            self.chat.session_changed(session)
            self._mark_sessions()

    def _mark_sessions(self) -> None:
        """In the tabs, and where the list of sessions is open: say which work and which ask."""
        self.tabs.changed()
        if len(self.screen_stack) < 2:
            return
        from chatglass.tui.sessions.screen import SessionsScreen

        for screen in self.screen_stack:
            if isinstance(screen, SessionsScreen):
                sessions = self.sessions.values()
                screen.set_marks(
                    {session.id for session in sessions if session.working},
                    {session.id for session in sessions if session.asking},
                )

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        if event.state is WorkerState.ERROR:
            self.worker_failed(event.worker)

    def worker_failed(self, worker: Worker[object]) -> None:
        """A worker failed unforeseen: said on screen, and kept in the log."""
        error = worker.error
        assert error is not None
        _log.error("worker %s failed", worker.group, exc_info=error)
        told = visible(f"{type(error).__name__}: {error}")
        if self.current is None:
            self.life.give_up(f"It could not start. {told}", FAILED)
            return
        self.notify(told, title="Something went wrong", severity="error", timeout=15, markup=False)

    # -- the inspector over the whole screen, whose messages pass by the chat screen

    async def on_inspector_copy_requested(self, message: Inspector.CopyRequested) -> None:
        await self.chat.copy(message.text, message.label)

    async def on_inspector_wire_requested(self, message: Inspector.WireRequested) -> None:
        await self.action_do("view.wire", message.request_id)

    async def on_section_pane_copy_requested(self, message: SectionPane.CopyRequested) -> None:
        """Of the wire of a request."""
        await self.chat.copy(message.text, message.label)

    def on_wire_screen_jump_to_message(self, message: WireScreen.JumpToMessage) -> None:
        while self.screen is not self.chat:
            self.pop_screen()
        self.chat.jump_to_message(message.message_id)

    async def on_calls_panel_view_chosen(self, message: CallsPanel.ViewChosen) -> None:
        """The other inspector shows the calls in the same form, and so does the next start."""
        for inspector in self.chat.calls.inspectors():
            inspector.show_view(message.view)
        await self.save_setting(["inspector_view"], message.view)

    async def on_calls_panel_request_chosen(self, message: CallsPanel.RequestChosen) -> None:
        await self.action_do("view.wire", message.request_id)

    def on_inspector_jump_to_message(self, message: Inspector.JumpToMessage) -> None:
        full = self.chat.full_inspector
        if full is not None and self.screen is full:
            full.action_close()
        self.chat.jump_to_message(message.message_id)

    # -- what is pasted

    async def on_event(self, event: events.Event) -> None:
        match event:
            # One that was forwarded comes by again when it bubbles up.
            case events.Paste(is_forwarded=False) if self._draws_raw(self.focused):
                event = events.Paste(visible(event.text))
            case events.Key(is_forwarded=False):
                self.attention.key()
            case _:
                pass
        await super().on_event(event)

    @property
    def clipboard(self) -> str:
        text = super().clipboard
        return visible(text) if self._draws_raw(self.focused) else text

    @staticmethod
    def _draws_raw(widget: Widget | None) -> bool:
        """Whether a widget would send a control character that it holds to the terminal: Textual's
        own fields do."""
        return isinstance(widget, (Input, TextArea)) and not isinstance(widget, PromptArea)

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        if self.animation_level == "none" and isinstance(event.widget, (Input, TextArea)):
            event.widget.cursor_blink = False

    # -- whether anybody looks

    def watch_app_focus(self, focus: bool) -> None:
        """A screen that came while the window was not focused gave the focus to nothing."""
        if focus and self.screen.focused is None:
            self.screen._update_auto_focus()

    def on_app_focus(self) -> None:
        self.attention.focus(True)

    def on_app_blur(self) -> None:
        self.attention.focus(False)

    # -- toasts

    def notify(
        self,
        message: str,
        *,
        title: str = "",
        severity: SeverityLevel = "information",
        timeout: float | None = None,
        markup: bool = True,
        subject: str = "",
    ) -> None:
        """Show a toast in the place of one about the same `subject`, or that says the same."""
        seconds = self.NOTIFICATION_TIMEOUT if timeout is None else timeout
        self.toasts.show(Notice(message, title, severity, seconds, markup, subject=subject))

    # -- actions

    async def action_do(self, action_id: str, argument: str = "") -> None:
        """Run an action of the registry by its id."""
        await COMMANDS.run(self, action_id, argument)

    async def save_setting(self, keys: list[str], value: object) -> None:
        """Write a setting into the settings file, and say so where that fails."""
        if self.workspace is None:
            return
        from chatglass.config.settings import save_setting

        try:
            await asyncio.to_thread(save_setting, self.workspace.paths.config_file, keys, value)
        except ConfigError as error:
            self.chat.say(str(error), "error")
