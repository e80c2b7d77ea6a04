"""Life: how the program starts behind its first frame, and how it ends."""

from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING

from chatglass.config.errors import ConfigError
from chatglass.tui.commands import COMMANDS
from chatglass.values.text import one_line

if TYPE_CHECKING:
    from chatglass.tui.app import ChatglassApp

USAGE, FAILED = 2, 1
"""Exit codes of a start that went wrong: by what the user wrote, or by anything else."""


class Life:
    def __init__(self, app: ChatglassApp) -> None:
        self._app = app
        self._opened = asyncio.Event()
        """There is a session, or there will be none."""
        self.leaving = False

    # -- starting

    def heed_signals(self) -> None:
        """Be ended by a signal as by ^Q: saved, and with the terminal given back."""
        if self._app.is_headless:
            return
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, self._end_by_signal)

    def _end_by_signal(self) -> None:
        self._app.run_worker(self.leave(), group="leave", exit_on_error=False)

    async def begin(self) -> None:
        """Open the workspace and a session, then import what sending needs."""
        from chatglass.tui.actions.ways import name_way
        from chatglass.tui.loading import import_engine, import_services, start_telemetry

        app = self._app
        try:
            workspace_class = await asyncio.to_thread(import_engine)
            app.collector.freeze()
            app.workspace = await asyncio.to_thread(workspace_class, app.options)
            app.workspace.name_way = name_way
            await app.workspace.open()
            app.chat.transcript.wants_pictures = app.workspace.settings.image_previews
            await start_telemetry(app.workspace)
            self._keep_images()
            row = await app.workspace.session_to_open()
            await app.open_session(await app.tabs.kept.begin(row))
        except ConfigError as error:
            await self._close_workspace()
            self.give_up(str(error), USAGE)
            return
        except _store_errors() as error:
            await self._close_workspace()
            self.give_up(f"{error}\nchatglass --no-save starts without it.", FAILED)
            return
        finally:
            self._opened.set()
        self._warn_of_settings()
        self._watch_store()
        app.run_worker(self._restore_tabs(), group="restore-tabs", exit_on_error=False)
        if app.options.resume == "":
            await COMMANDS.run(app, "session.list")
        if app.options.text:
            self._send_first(app.options.text)
        await asyncio.to_thread(import_services)
        app.collector.freeze()
        app.run_worker(app.servers.start(), group="servers", exit_on_error=False)
        app.run_worker(self._start_own_tools(), group="own-tools", exit_on_error=False)
        app.chat.figures.forecast()
        await self._offer_local_servers()

    def _send_first(self, text: str) -> None:
        """Send the prompt of the command line; beside a draft it waits, since that is not finished."""
        chat = self._app.chat
        if chat.composer.is_empty:
            chat.composer.insert(text)
            chat.composer.send()
        else:
            chat.composer.restore(text)
            chat.say("The prompt stands before what was written here already; Enter sends both.")

    async def _restore_tabs(self) -> None:
        try:
            await self._app.tabs.kept.restore()
        except _store_errors() as error:
            self._app.chat.say(f"Not all tabs could be opened again: {error}", "warning")

    async def _start_own_tools(self) -> None:
        """Import the user's own tools in their processes; what is wrong with one is said."""
        workspace = self._app.workspace
        assert workspace is not None
        own = await asyncio.to_thread(workspace.make_own_tools)
        if own is None:
            return
        own.on_problem = lambda problem: self._app.chat.say(one_line(str(problem), 400), "warning")
        own.start()

    def give_up(self, reason: str, code: int) -> None:
        """Leave the screen; `reason` is said below it."""
        self._app.start_error = reason
        self._app.exit(return_code=code)

    def _warn_of_settings(self) -> None:
        app = self._app
        if app.look.theme not in app.available_themes:
            app.chat.say(
                f"The settings name the theme {app.look.theme!r}, which there is not;"
                " /theme shows all.",
                "warning",
            )

    def _keep_images(self) -> None:
        """Images of unsent prompts outlive the program, as the drafts do."""
        workspace, shelf = self._app.workspace, self._app.chat.composer.shelf
        if workspace is not None and not self._app.options.no_save:
            shelf.folder = workspace.paths.data / "attached"
            self._app.run_worker(shelf.sweep, thread=True, group="sweep", exit_on_error=False)

    def _watch_store(self) -> None:
        from chatglass.store.status import watch_store

        def say(text: str, is_trouble: bool) -> None:
            self._app.chat.say(text, "warning" if is_trouble else "information")

        if self._app.workspace is not None:
            watch_store(self._app.workspace.store, say)

    async def _offer_local_servers(self) -> None:
        """Where only the demo is left to talk to, say which servers answer on this machine."""
        workspace = self._app.workspace
        if workspace is None or not workspace.uses_demo or self._app.options.demo:
            return
        from chatglass.models.discovery import discover

        found = await discover()
        for endpoint in found:
            workspace.models.add(endpoint)
        if found:
            names = ", ".join(endpoint.name for endpoint in found)
            self._app.chat.say(f"On this machine answers: {names}. /model chooses it.")

    # -- leaving

    async def leave(self) -> None:
        """Store what is unsaved, end what runs, and say how to come back."""
        app = self._app
        if self.leaving:
            return
        self.leaving = True
        if app.chat.outbox.unsent or not app.chat.composer.is_empty:
            # What was written so far has no session to be stored in before there is one.
            await self._opened.wait()
        try:
            await self._store()
        except _store_errors() as error:
            app.last_words.append(f"Not everything could be stored: {error}")
        await app.tabs.kept.end()
        await app.tabs.ended()
        for session in app.sessions.values():
            try:
                await session.close()
            except _store_errors() as error:
                app.last_words.append(f"{session.title or 'A session'} was not closed: {error}")
        current = app.current
        if current is not None and not app.options.no_save and current.engine.context.stored:
            app.last_words.append(f"To go on with this session: chatglass -r {current.id}")
            if (count := app.tabs.kept.count) > 1:
                app.last_words.append(f"To open its {count} tabs again: chatglass -c")
        await self._close_workspace()
        app.exit()

    async def _store(self) -> None:
        app = self._app
        await app.chat.outbox.store_draft()
        await self._delete_sessions()
        app.last_words += await app.chat.unsaved.save(app.sessions)

    async def _delete_sessions(self) -> None:
        """What was deleted in the browser, where that is still open, is deleted now."""
        if len(self._app.screen_stack) < 2:
            return
        from chatglass.tui.commands.sessions import delete_sessions
        from chatglass.tui.sessions.screen import SessionsScreen

        for screen in self._app.screen_stack:
            if isinstance(screen, SessionsScreen):
                await delete_sessions(self._app, screen.take_deleted())

    async def _close_workspace(self) -> None:
        if self._app.workspace is not None:
            await self._app.workspace.close()


def _store_errors() -> tuple[type[Exception], ...]:
    from chatglass.store.protocol import StoreError

    return (StoreError, OSError)
