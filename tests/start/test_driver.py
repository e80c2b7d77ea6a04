"""The driver in a real terminal, after the splash and without it."""

from __future__ import annotations

import io
import os
from collections.abc import Callable

import pytest

from chatglass.tui.driver import TerminalOut
from start.terminal import Terminal

APP = """
import os, sys, threading
from chatglass import splash
if sys.argv[1] == "splash":
    splash.show()
os.write(1, b"<early>")
from textual.app import App
from textual.widgets import Input
from chatglass.tui.driver import GlassDriver

class Late(App):
    AUTO_FOCUS = ""
    ENABLE_COMMAND_PALETTE = False
    def compose(self):
        yield Input()
    def on_mount(self):
        print("STRAY")
        self.set_interval(0.005, self.look)
    def look(self):
        waiting = self._driver.waiting
        if self.focused is None and waiting is not None and sum(hasattr(m, "key") for m in waiting) >= 9:
            os.write(1, b"<waiting>")
            self.query_one(Input).focus()
    def on_input_submitted(self, event):
        self.exit(event.value)

print("VALUE", Late(driver_class=GlassDriver).run())
splash.leave()
"""


@pytest.mark.parametrize("start", ["splash", "bare"])
def test_keys_typed_before_anything_has_the_focus_arrive_in_order(
    terminal: Callable[..., Terminal], start: str
) -> None:
    shell = terminal(APP, start)
    shell.read_until("<early>")
    shell.type("abc de" if start == "splash" else "")
    shell.read_until("\x1b[?25l\x1b[?1004h")
    shell.type("fgh" if start == "splash" else "abc defgh")
    shell.read_until("<waiting>")
    shell.type("i\r")
    assert shell.finish() == 0
    assert b"VALUE abc defghi" in shell.output
    assert b"STRAY" not in shell.output
    assert shell.output.count(b"\x1b[?1049h") == 1
    assert shell.output.count(b"\x1b[?1049l") == 1
    assert shell.attributes == shell.before


DIALOGS = """
import os
from textual.app import App
from textual.binding import Binding
from textual.screen import ModalScreen
from textual.widgets import Input
from chatglass.tui.driver import GlassDriver

class Dialog(ModalScreen):
    BINDINGS = [Binding("escape", "dismiss(None)")]
    def compose(self):
        yield Input()
    def on_input_submitted(self, event):
        event.stop()
        self.dismiss(event.value)

class Burst(App):
    ENABLE_COMMAND_PALETTE = False
    BINDINGS = [Binding("ctrl+o", "ask")]
    given = []
    def compose(self):
        yield Input()
    def on_ready(self):
        os.write(1, b"<ready>")
    async def action_ask(self):
        await self.push_screen(Dialog(), self.given.append)
    def on_input_submitted(self, event):
        self.exit([*self.given, event.value])

print("VALUE", Burst(driver_class=GlassDriver).run())
"""


def test_keys_of_one_burst_go_where_the_key_before_leads(
    terminal: Callable[..., Terminal],
) -> None:
    shell = terminal(DIALOGS)
    shell.read_until("<ready>")
    shell.type("ab\x0fcde\x0f\rc\x0ff g\rd\r")
    assert shell.finish() == 0
    assert b"VALUE ['cde', 'f g', 'abcd']" in shell.output, shell.output[-300:]


def test_a_terminal_that_has_gone_takes_no_error_to_the_output_thread() -> None:
    master, terminal = os.openpty()
    out = io.TextIOWrapper(io.BufferedWriter(TerminalOut(terminal, "w")), encoding="utf-8")
    out.write("seen")
    out.flush()
    assert os.read(master, 4) == b"seen"
    os.close(master)
    out.write("lost")
    out.flush()
    out.close()
