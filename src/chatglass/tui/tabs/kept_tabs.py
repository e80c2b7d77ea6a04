"""KeptTabs: the tabs outlive the program; `-c` opens them again."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import TYPE_CHECKING

from chatglass.values.figures import counted

if TYPE_CHECKING:
    from chatglass.store.open_tabs import OpenTabs, OpenTabsFile
    from chatglass.store.records import SessionRow
    from chatglass.tui.app import ChatglassApp

_log = logging.getLogger(__name__)

MOST = 20
"""More tabs than this are not opened at once."""


class KeptTabs:
    """For the app. Nothing is read or written before `begin`, nor where nothing is saved."""

    def __init__(self, app: ChatglassApp) -> None:
        self._app = app
        self._file: OpenTabsFile | None = None
        self._writing = asyncio.Lock()
        self._written: OpenTabs | None = None
        self._wanted: OpenTabs | None = None
        self._last: OpenTabs | None = None
        """What was open when the program ended here, where that is to be opened again."""

    # -- at the start

    async def begin(self, row: SessionRow) -> SessionRow:
        """Begin to keep them. With `-c`, where the newest session (`row`) was one of several tabs: the
        session that was on screen, to be shown in its place."""
        app = self._app
        assert app.workspace is not None
        if app.options.no_save or not app.workspace.settings.restore_tabs:
            return row
        from chatglass.store.open_tabs import OpenTabsFile

        self._file = OpenTabsFile(app.workspace.paths.open_tabs, str(Path.cwd()))
        if not app.options.continue_newest:
            return row
        last = await asyncio.to_thread(self._file.last)
        if len(last.sessions) < 2:
            return row
        self._last = last
        flags = app.options
        changed = flags.model or flags.base_url or flags.system_prompt  # of the newest session
        if row.id not in last.sessions or last.shown == row.id or changed:
            return row
        return await self._row(last.shown) or row

    async def restore(self) -> None:
        """Open the other tabs behind the one on screen, in the order they had."""
        last = self._last
        if last is None:
            return
        try:
            for session_id in last.sessions[:MOST]:
                if session_id not in self._app.sessions and (row := await self._row(session_id)):
                    await self._app.open_behind(row)
        finally:
            self._last = None  # until here what was open before stays written
        self._app.tabs.arrange(last.sessions)
        left = len(last.sessions) - MOST
        if left > 0:
            tabs = counted(left, "more tab")
            self._app.chat.say(f"{tabs} can be opened from the list of sessions ({MOST} at once).")

    async def _row(self, session_id: str) -> SessionRow | None:
        """A session that is there, and that no other process has open."""
        from chatglass.store.protocol import SessionGone, StoreError

        workspace = self._app.workspace
        assert workspace is not None
        try:
            row = await workspace.store.get_session(session_id)
            return None if await workspace.store.claim(session_id) is not None else row
        except SessionGone:
            return None
        except StoreError as error:
            self._app.chat.say(f"A tab can't be opened again: {error}", "warning")
            return None

    # -- while it runs

    def changed(self) -> None:
        """Other tabs are open, or another one is on screen: write that, if it is news."""
        if self._file is None or self._last is not None:
            return
        now = self._now()
        if now == (self._wanted or self._written):
            return
        is_writing, self._wanted = self._wanted is not None, now
        if not is_writing:
            self._app.run_worker(self._write, group="kept-tabs", exit_on_error=False)

    @property
    def count(self) -> int:
        """Tabs that `-c` would open again."""
        return len(self._now().sessions) if self._file is not None else 0

    def _now(self) -> OpenTabs:
        from chatglass.store.open_tabs import OpenTabs

        app = self._app
        stored = tuple(one.id for one in app.tabs.sessions if one.engine.context.stored)
        return OpenTabs(stored, app.current.id if app.current is not None else "")

    async def _write(self) -> None:
        while self._wanted is not None:
            tabs = self._wanted
            await self._keep(tabs)
            self._written = tabs
            if self._wanted == tabs:
                self._wanted = None

    async def _keep(self, tabs: OpenTabs) -> None:
        assert self._file is not None
        if not tabs.sessions and self._written is None:
            return  # nothing was begun: what was open before may still be wanted
        try:
            async with self._writing:  # else an older state may be the last to come to the disk
                await asyncio.to_thread(self._file.keep, tabs)
        except OSError as error:
            _log.warning("the open tabs can't be kept: %s", error)

    async def end(self) -> None:
        """The program ends with these tabs."""
        if self._file is not None and self._last is None and (now := self._now()) != self._written:
            await self._keep(now)
