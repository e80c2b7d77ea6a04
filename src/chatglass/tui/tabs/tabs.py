"""Tabs: the open sessions in their order, which of them is on screen, and what closing one means."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from textual.worker import WorkerCancelled, WorkerFailed

from chatglass.tui.actions.action import key_label
from chatglass.tui.actions.registry import ACTIONS
from chatglass.tui.actions.tabs_catalog import MOST_BY_KEY
from chatglass.tui.notify.toasts import LONG_SECONDS
from chatglass.tui.tabs.kept_tabs import KeptTabs
from chatglass.tui.tabs.tab import Tab, tab_of
from chatglass.tui.tabs.tab_strip import TabStrip
from chatglass.values.text import one_line

if TYPE_CHECKING:
    from textual.notifications import SeverityLevel
    from textual.worker import Worker

    from chatglass.tui.app import ChatglassApp
    from chatglass.tui.open_session import OpenSession


class Tabs:
    """For the app, whose `sessions` they are: a tab for each, from the oldest to the newest."""

    def __init__(self, app: ChatglassApp) -> None:
        self._app = app
        self.kept = KeptTabs(app)
        self._strip: TabStrip | None = None
        self._ending: dict[str, Worker[None]] = {}
        """What closes the engine of a session whose tab is gone."""

    def __len__(self) -> int:
        return len(self._app.sessions)

    @property
    def sessions(self) -> list[OpenSession]:
        return list(self._app.sessions.values())

    @property
    def strip(self) -> TabStrip | None:
        """Where the tabs are drawn, once there were two."""
        return self._strip

    def tabs(self) -> list[Tab]:
        current = self._app.current
        return [tab_of(session, is_current=session is current) for session in self.sessions]

    # -- the strip

    def changed(self) -> None:
        """Draw the tabs as they are now; one alone is not drawn."""
        self.kept.changed()
        is_shown = len(self) > 1
        if self._strip is None:
            if not is_shown:
                return
            self._strip = TabStrip(animated=self._app.animation_level != "none", id="tabs")
            self._app.chat.mount(self._strip, before=self._app.chat.top_line)
        if self._strip.display != is_shown:
            self._strip.display = is_shown
        self._app.chat.set_class(is_shown, "-tabs")
        self._strip.show(self.tabs())

    def tell(
        self,
        session: OpenSession,
        words: str,
        severity: SeverityLevel = "information",
        timeout: float | None = None,
    ) -> None:
        """Say something of a tab that is not on screen, and what key shows it."""
        name = one_line(session.title, 60) or "A session"
        keys = ACTIONS["approval.focus"].keys
        number = self.sessions.index(session) + 1
        if number <= MOST_BY_KEY:
            keys = ACTIONS[f"tab.{number}"].keys or keys
        way = f" {key_label(keys[0])} shows it." if keys else ""
        self._app.chat.say(f"{name} {words}.{way}", severity, subject=session.id, timeout=timeout)

    def tell_question(self, session: OpenSession, asks: str) -> None:
        self.tell(session, asks, "warning", LONG_SECONDS)

    # -- going from one to another

    async def show(self, session: OpenSession) -> None:
        """Put a session that is open on screen."""
        if session is not self._app.current:
            await self._app.chat.show(session)
            self.changed()

    async def step(self, by: int) -> None:
        """Show the tab `by` places on; behind the last comes the first."""
        sessions, current = self.sessions, self._app.current
        if current in sessions:
            await self.show(sessions[(sessions.index(current) + by) % len(sessions)])

    async def go_to(self, number: int) -> bool:
        """Show the tab of that number, from 1. False where there is none."""
        if not 1 <= number <= len(self):
            return False
        await self.show(self.sessions[number - 1])
        return True

    def blank(self) -> OpenSession | None:
        """A tab in which nothing was begun yet."""
        return next((session for session in self.sessions if session.is_blank), None)

    def arrange(self, order: Sequence[str]) -> None:
        """Put the tabs into that order of ids; those that it does not name stay behind them."""
        places = {session_id: place for place, session_id in enumerate(order)}
        ordered = sorted(self.sessions, key=lambda each: places.get(each.id, len(places)))
        self._app.sessions.clear()
        self._app.sessions.update({each.id: each for each in ordered})
        self.changed()

    def drop_blank(self, blank: OpenSession, opened: OpenSession | None) -> None:
        """Let a blank tab go; the session that was `opened` from it comes into its place."""
        ordered = [each for each in self.sessions if each is not opened]
        at = ordered.index(blank)
        ordered[at : at + 1] = [opened] if opened is not None else []
        self._app.sessions.clear()
        self._app.sessions.update({each.id: each for each in ordered})
        self._end(blank)

    # -- closing

    async def close(self, session: OpenSession) -> None:
        """Take a session off the screen and let it go; it stays saved. Its turn is stopped."""
        app = self._app
        if session is app.current:
            await app.chat.outbox.draft_changed()  # before the claim is given up
            ordered = self.sessions
            at = ordered.index(session)
            beside = ordered[at + 1] if at + 1 < len(ordered) else ordered[at - 1] if at else None
            if beside is not None:
                await app.chat.show(beside)
            else:
                await app.open_session(await app.new_row())
        app.toasts.withdraw(session.id)
        if app.sessions.pop(session.id, None) is not None:  # a blank one has lost its place
            self._end(session)

    def _end(self, session: OpenSession) -> None:
        self._app.servers.roots_changed()
        self.changed()
        self._ending[session.id] = self._app.run_worker(
            self._close_engine(session), group=f"close-{session.id}", exit_on_error=False
        )

    async def _close_engine(self, session: OpenSession) -> None:
        from chatglass.store.protocol import StoreError

        if session.starting is not None:
            with suppress(WorkerFailed, WorkerCancelled):  # the one was said, the other is the exit
                await session.starting.wait()
        try:
            await session.close()
        except StoreError as error:
            self._app.chat.say(str(error), "error")
        finally:
            self._ending.pop(session.id, None)

    async def ended(self, session_id: str = "") -> None:
        """Until that session, or each that was closed, is free to be opened again."""
        for ending_id, worker in list(self._ending.items()):
            if session_id in ("", ending_id):
                with suppress(WorkerFailed, WorkerCancelled):
                    await worker.wait()
