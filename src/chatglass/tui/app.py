"""ChatglassApp: wires the engine's sessions to the screen. Widgets draw, `chat` thinks."""

from __future__ import annotations

import asyncio
import logging
from contextlib import aclosing
from typing import TYPE_CHECKING, ClassVar

from textual.app import App
from textual.binding import BindingType
from textual.screen import Screen
from textual.worker import Worker, WorkerState

from chatglass.config.errors import ConfigError
from chatglass.tui.actions.palette import ActionCommands
from chatglass.tui.actions.registry import ACTIONS
from chatglass.tui.commands import COMMANDS
from chatglass.tui.driver import GlassDriver
from chatglass.tui.idle_collector import IdleCollector
from chatglass.tui.messages import ApprovalsChanged, EngineEvents, SessionChanged
from chatglass.tui.open_session import OpenSession
from chatglass.tui.screens.chat_screen import ChatScreen
from chatglass.tui.stylesheet import stylesheet
from chatglass.tui.themes import THEMES
from chatglass.values.text import visible

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from chatglass.chat.events import Event
    from chatglass.chat.workspace import Workspace
    from chatglass.config.first_look import FirstLook
    from chatglass.config.options import Options
    from chatglass.store.records import SessionRow

_log = logging.getLogger(__name__)


class ChatglassApp(App[None]):
    """Opens the workspace behind its first frame, and keeps an engine for each open session."""

    TITLE = "chatglass"
    CSS_PATH = stylesheet()
    COMMANDS: ClassVar = {ActionCommands}
    BINDINGS: ClassVar[list[BindingType]] = []
    ENABLE_COMMAND_PALETTE = True

    def __init__(self, options: Options, look: FirstLook) -> None:
        super().__init__(driver_class=GlassDriver)
        self.options = options
        self.look = look
        self.workspace: Workspace | None = None
        self.sessions: dict[str, OpenSession] = {}
        self.start_error: str | None = None
        self.last_words: list[str] = []
        self.interrupted_at = float("-inf")
        """Monotonic time of the last ^C that had nothing to do."""
        self.collector = IdleCollector()
        self.chat = ChatScreen()
        self._bind_actions()
        for theme in THEMES:
            self.register_theme(theme)
        self.theme = look.theme if look.theme in self.available_themes else THEMES[0].name
        if look.reduced_motion:
            self.animation_level = "none"

    def _bind_actions(self) -> None:
        try:
            self.set_keymap(ACTIONS.apply_keymap(self.look.keys))
        except ConfigError as error:
            self.start_error = str(error)
        for binding in ACTIONS.bindings("app"):
            self._bindings.key_to_bindings.setdefault(binding.key, []).append(binding)

    def get_default_screen(self) -> Screen[None]:
        return self.chat

    # -- starting

    def on_ready(self) -> None:
        if self.start_error is not None:
            self.exit(return_code=2)
            return
        # After the first frame: everything below imports for a second or two.
        self.call_after_refresh(self._begin)

    def _begin(self) -> None:
        self.run_worker(self._open_workspace(), group="start", exit_on_error=False)

    async def _open_workspace(self) -> None:
        from chatglass.tui.loading import import_engine, import_services

        try:
            workspace_class = await asyncio.to_thread(import_engine)
            workspace = await asyncio.to_thread(workspace_class, self.options)
            await workspace.open()
            row = await workspace.session_to_open()
        except (ConfigError, *self._store_errors()) as error:
            self.start_error = str(error)
            self.exit(return_code=2)
            return
        self.workspace = workspace
        await self.open_session(row)
        await asyncio.to_thread(import_services)
        self.collector.freeze()
        if self.options.resume == "":
            await COMMANDS.run(self, "session.list")

    @staticmethod
    def _store_errors() -> tuple[type[Exception], ...]:
        from chatglass.store.protocol import StoreError

        return (StoreError,)

    # -- sessions

    @property
    def current(self) -> OpenSession | None:
        return self.chat.session

    async def open_session(self, row: SessionRow) -> OpenSession:
        """Show that session; its engine is started if it is not open yet."""
        session = self.sessions.get(row.id)
        if session is None:
            session = await self._make_session(row)
        await self.chat.show(session)
        if session.engine.state == "starting":
            self.run_worker(
                self._start_engine(session), group=f"start-{session.id}", exit_on_error=False
            )
        return session

    async def _make_session(self, row: SessionRow) -> OpenSession:
        from chatglass.tui.approval.asking import SessionApproval
        from chatglass.tui.reading import session_rows

        assert self.workspace is not None

        def changed() -> None:
            self.post_message(ApprovalsChanged(row.id))

        approval = SessionApproval(
            row.root,
            allowed=frozenset(self.options.allow_tools),
            everything=self.options.yolo,
            changed=changed,
        )
        engine = await self.workspace.engine(row, decide_tool=approval.decide)
        session = OpenSession(engine=engine, approval=approval, draft=row.draft)
        self.sessions[row.id] = session
        await engine.load()
        session.view.load(await session_rows(engine))
        return session

    async def _start_engine(self, session: OpenSession) -> None:
        from chatglass.chat.ledger import LedgerUnavailable
        from chatglass.store.protocol import StoreError

        try:
            await session.engine.start()
        except (LedgerUnavailable, StoreError) as error:
            session.view.notice(str(error), "Nothing can be sent in this session.", "error")
            return
        self.post_message(SessionChanged(session.id))
        self.drive(session)

    # -- turns

    def drive(self, session: OpenSession) -> None:
        """Answer what is queued, if the engine is free."""
        if session.engine.state == "idle" and session.engine.queue:
            self.run_turns(session, session.engine.run())

    def run_turns(self, session: OpenSession, turns: AsyncGenerator[Event]) -> None:
        self.run_worker(
            self._forward(session, turns), group=f"turns-{session.id}", exit_on_error=False
        )

    async def _forward(self, session: OpenSession, turns: AsyncGenerator[Event]) -> None:
        """Post the engine's events; those that come while a batch waits join it."""
        async with aclosing(turns) as events:
            async for event in events:
                session.inbox.append(event)
                if len(session.inbox) == 1:
                    self.post_message(EngineEvents(session.id))
        self.post_message(SessionChanged(session.id))

    def on_engine_events(self, message: EngineEvents) -> None:
        session = self.sessions.get(message.session_id)
        if session is None:
            return
        batch, session.inbox = session.inbox, []
        for event in batch:
            session.view.apply(event)
        self.chat.events_shown(session, batch)

    def on_approvals_changed(self, message: ApprovalsChanged) -> None:
        session = self.sessions.get(message.session_id)
        if session is not None:
            self.chat.approvals_changed(session)

    def on_session_changed(self, message: SessionChanged) -> None:
        session = self.sessions.get(message.session_id)
        if session is not None:
            self.chat.session_changed(session)

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """A worker that failed unforeseen: said on screen, and kept in the log."""
        if event.state is WorkerState.ERROR and event.worker.error is not None:
            error = event.worker.error
            _log.error("worker %s failed", event.worker.group, exc_info=error)
            self.notify(
                visible(f"{type(error).__name__}: {error}"),
                title="Something went wrong",
                severity="error",
                timeout=15,
                markup=False,
            )

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

    # -- leaving

    async def leave(self) -> None:
        """Store what is unsaved, end what runs, and say how to come back."""
        self.chat.save_draft_now()
        for session in self.sessions.values():
            await session.engine.close()
        current = self.current
        if current is not None and not self.options.no_save and current.view.items:
            self.last_words.append(f"To go on with this session: chatglass -r {current.id}")
        if self.workspace is not None:
            await self.workspace.close()
        self.exit()
