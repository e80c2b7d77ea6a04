"""ServersScreen: the MCP servers, how each stands, what it offers, and its log."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.timer import Timer

from chatglass.tools.mcp.events import McpEvent, ServerSnapshot
from chatglass.tools.mcp.servers import McpServers
from chatglass.tui.actions.footer import FooterLine, way_out
from chatglass.tui.actions.registry import ACTIONS
from chatglass.tui.dialogs.choice_list import Choice, ChoiceList
from chatglass.tui.screens.cover_screen import CoverScreen
from chatglass.tui.screens.list_and_text import ListAndText
from chatglass.tui.servers.words import described, log_words, state_words
from chatglass.values.text import one_line

_SOON = 0.1
"""Seconds from an event to the screen: a server may log a thousand lines at once."""


class ServersScreen(CoverScreen[None]):
    ACTION_PLACE = "servers"
    AUTO_FOCUS = "ChoiceList"
    BINDINGS: ClassVar[list[BindingType]] = [*ACTIONS.bindings("servers")]

    def __init__(self, servers: McpServers, look: Callable[[], None]) -> None:
        """`look` shows a question that waits, now that this screen is there."""
        super().__init__()
        self._servers = servers
        self._look = look
        self._shows_log = False
        self._shown: tuple[str, str] | None = None
        """The server whose text is on screen, and that text."""
        self._panel = ListAndText(
            "MCP servers",
            self._choices(),
            empty="No servers",
            problems=[str(problem) for problem in servers.problems],
        )
        self._unsubscribe: Callable[[], None] | None = None
        self._timer: Timer | None = None

    def compose(self) -> ComposeResult:
        yield self._panel
        yield FooterLine(place="servers", first=way_out("screen.next"), target=self)

    def on_mount(self) -> None:
        self._unsubscribe = self._servers.subscribe(self._take)
        # What counts down is drawn anew each second, while the screen is open.
        self.set_interval(1.0, self._count_down)
        self._show()
        self._look()

    def on_unmount(self) -> None:
        if self._unsubscribe is not None:
            self._unsubscribe()

    # -- following the servers

    def _take(self, event: McpEvent) -> None:
        if self._timer is None:
            self._timer = self.set_timer(_SOON, self._update)

    def _update(self) -> None:
        self._timer = None
        self._panel.list.set_choices(self._choices())
        self._show()

    def _count_down(self) -> None:
        if any(server.state == "restarting" for server in self._servers.snapshots()):
            self._update()

    def _choices(self) -> list[Choice]:
        return [
            Choice(server.name, one_line(server.name, 60), state_words(server))
            for server in self._servers.snapshots()
        ]

    @property
    def chosen(self) -> ServerSnapshot | None:
        current = self._panel.list.current
        return None if current is None else self._servers.snapshot(current.value)

    @on(ChoiceList.Highlighted)
    def _show(self) -> None:
        view, server = self._panel.view, self.chosen
        if server is None:
            return
        text = log_words(self._servers.log(server.name)) if self._shows_log else described(server)
        if self._shown == (server.name, text):
            return
        # Where the end of a log is looked at, it follows.
        same = self._shown is not None and self._shown[0] == server.name
        at, was_at_end = view.scroll_y, view.scroll_y >= view.max_scroll_y
        self._shown = (server.name, text)
        view.load(text, "text")
        if self._shows_log and (was_at_end or not same):
            view.jump_to(y=view.max_scroll_y)
        elif same:
            view.jump_to(y=at)

    # -- keys

    def action_restart(self) -> None:
        if (server := self.chosen) is not None:
            self._servers.restart(server.name)

    def action_stop(self) -> None:
        if (server := self.chosen) is not None:
            self._servers.stop(server.name)

    def action_log(self) -> None:
        self._shows_log = not self._shows_log
        self._shown = None
        self._show()

    async def action_copy(self) -> None:
        if self._shown is not None:
            await self.copy(self._shown[1], "text")
