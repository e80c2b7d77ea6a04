"""ServersScreen: the MCP servers, how each stands, what it offers, and its log."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.timer import Timer
from textual.widgets import Static

from chatglass.tools.mcp.events import McpEvent, ServerSnapshot
from chatglass.tools.mcp.servers import McpServers
from chatglass.tui.actions.registry import ACTIONS
from chatglass.tui.dialogs.choice_list import Choice, ChoiceList
from chatglass.tui.inspector.json_view import JsonView
from chatglass.tui.servers.words import described, log_words, state_words
from chatglass.values.text import one_line, visible

_KEYS = "r restart · s stop · l log or what it offers · y copy · Tab the text · Esc back"
_SOON = 0.1
"""Seconds from an event to the screen: a server may log a thousand lines at once."""


class ServersScreen(ModalScreen[None]):
    ACTION_PLACE = "servers"
    AUTO_FOCUS = "ChoiceList"
    DEFAULT_CSS = """
    ServersScreen {
        background: $background;
        .servers--panel {
            border: round $accent; border-title-color: $text-accent; padding: 0 1; height: 1fr;
        }
        ChoiceList { height: auto; max-height: 40%; margin-bottom: 1; }
        .servers--problems { height: auto; max-height: 6; color: $text-warning; display: none; }
        .servers--view { border-top: solid $accent 40%; height: 1fr; border-title-color: $text-accent; }
        .servers--foot { height: 1; padding: 0 2; color: $foreground 60%; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        *ACTIONS.bindings("servers"),
        Binding("escape", "close", "Back", show=False),
        Binding("f1", "app.do('help.keys')", "Keys", show=False),
        Binding("ctrl+c", "app.do('app.interrupt')", "Close", show=False),
        Binding("ctrl+q", "app.do('app.quit')", "Quit", show=False),
    ]

    def __init__(self, servers: McpServers, look: Callable[[], None]) -> None:
        """`look` shows a question that waits, now that this screen is there."""
        super().__init__()
        self._servers = servers
        self._look = look
        self._shows_log = False
        self._shown: tuple[str, str] | None = None
        """The server whose text is on screen, and that text."""
        self._list = ChoiceList(self._choices(), empty="No servers")
        self._problems = Static("", classes="servers--problems", markup=False)
        self.view = JsonView()
        self._panel = Vertical(classes="servers--panel")
        self._unsubscribe: Callable[[], None] | None = None
        self._timer: Timer | None = None

    def compose(self) -> ComposeResult:
        with self._panel:
            yield self._problems
            yield self._list
            with Vertical(classes="servers--view"):
                yield self.view
        yield Static(_KEYS, classes="servers--foot", markup=False)

    def on_mount(self) -> None:
        self._panel.border_title = Content("MCP servers")
        if self._servers.problems:
            lines = [str(problem) for problem in self._servers.problems]
            self._problems.update(visible("\n".join(lines)))
            self._problems.display = True
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
        self._list.set_choices(self._choices())
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
        current = self._list.current
        return None if current is None else self._servers.snapshot(current.value)

    def _show(self) -> None:
        server = self.chosen
        if server is None:
            return
        text = log_words(self._servers.log(server.name)) if self._shows_log else described(server)
        if self._shown == (server.name, text):
            return
        # Where the end of a log is looked at, it follows.
        same = self._shown is not None and self._shown[0] == server.name
        at, was_at_end = self.view.scroll_y, self.view.scroll_y >= self.view.max_scroll_y
        self._shown = (server.name, text)
        self.view.load(text, "text")
        if self._shows_log and (was_at_end or not same):
            self.view.jump_to(y=self.view.max_scroll_y)
        elif same:
            self.view.jump_to(y=at)

    @on(ChoiceList.Highlighted)
    def _highlighted(self, event: ChoiceList.Highlighted) -> None:
        event.stop()
        self._show()

    @on(ChoiceList.Chosen)
    def _taken(self, event: ChoiceList.Chosen) -> None:
        event.stop()
        self.view.focus()

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
        from chatglass.tui.clipboard import copy

        if self._shown is not None:
            told = await copy(self.app, self._shown[1])
            self.app.notify(f"The text was {told}.", markup=False)

    def action_close(self) -> None:
        self.dismiss(None)
