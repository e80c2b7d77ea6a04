from __future__ import annotations

import os
import subprocess
import sys
import termios
from collections.abc import Callable

import pyte
import pytest

from chatglass import splash
from chatglass.cli import build_parser
from chatglass.tui.themes import DARK
from start.terminal import Terminal

Open = Callable[..., Terminal]
ENTER, LEAVE = b"\x1b[?1049h", b"\x1b[?1049l"


def painted(width: int, height: int, *, colours: bool = True) -> list[str]:
    screen = pyte.Screen(width, height)
    pyte.Stream(screen).feed(splash.frame(width, height, colours=colours))
    return list(screen.display)


@pytest.mark.parametrize("colours", [True, False])
@pytest.mark.parametrize(("width", "height"), [(80, 24), (160, 48), (104, 30), (103, 8), (24, 8)])
def test_the_outline_stands_where_the_app_will(width: int, height: int, colours: bool) -> None:
    rows = painted(width, height, colours=colours)
    assert rows[0].strip() == "chatglass"
    assert rows[-1].strip() == "F1 Keys"
    right = width - (splash.SIDEBAR_COLUMNS if width >= splash.SIDEBAR_FROM else 0)
    top = height - 4
    assert rows[top][:right] == "╭" + "─" * (right - 2) + "╮"
    assert rows[top + 1][:right] == "│" + " " * (right - 2) + "│"
    assert rows[top + 2][:right] == "╰" + "─" * (right - 2) + "╯"
    assert rows[1][:right] == "╭" + "─" * (right - 2) + "╮"
    assert rows[top - 1][:right] == "╰" + "─" * (right - 2) + "╯"
    if width >= splash.SIDEBAR_FROM:
        assert rows[1][right:] == "╭" + "─" * (splash.SIDEBAR_COLUMNS - 2) + "╮"
        assert rows[-2][right:] == "╰" + "─" * (splash.SIDEBAR_COLUMNS - 2) + "╯"


def test_nothing_is_painted_where_nothing_fits() -> None:
    assert not "".join(painted(20, 5)).strip()


def test_colours_only_where_they_may_be() -> None:
    assert "48;2" in splash.frame(80, 24, colours=True)
    assert "38;" not in splash.frame(80, 24, colours=False)


def test_its_colours_are_those_of_the_default_theme() -> None:
    def numbers(colour: str | None) -> str:
        assert colour
        return ";".join(str(int(colour[at : at + 2], 16)) for at in (1, 3, 5))

    assert numbers(DARK.background) == splash.BACKGROUND
    assert numbers(DARK.foreground) == splash.FOREGROUND


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        ([], True),
        (["--demo"], True),
        (["--model", "gemma3:13b", "-c"], True),
        (["--base-url=http://x", "--data-dir", "/tmp/x"], True),
        (["-r"], True),
        (["--resume", "01ABC", "--demo"], True),
        (["-r", "--yolo"], True),
        (["-r", "01ABC", "more"], False),
        (["-p", "hi"], False),
        (["--print=hi"], False),
        (["--help"], False),
        (["-h"], False),
        (["--version"], False),
        (["sessions"], False),
        (["--model", "x", "sessions"], False),
        (["--modle", "x"], False),
        (["--model"], False),
        (["--demo=1"], False),
    ],
)
def test_only_the_full_screen_app_gets_one(
    monkeypatch: pytest.MonkeyPatch, arguments: list[str], wanted: bool
) -> None:
    monkeypatch.setattr(os, "isatty", lambda fd: True)
    assert splash.is_wanted(arguments, {"TERM": "xterm"}) is wanted


def test_it_knows_the_flags_of_the_command_line() -> None:
    headless = {"-h", "--help", "--version", "-p", "--print", "--output-format", "--plain"}
    known: dict[int, set[str]] = {0: set(), 1: set(), 2: set()}
    for action in build_parser()._actions:
        values = 0 if action.nargs == 0 else 2 if action.nargs == "?" else 1
        known[values] |= set(action.option_strings) - headless
    assert known[0] == splash.FLAGS
    assert known[1] == splash.FLAGS_WITH_VALUE
    assert known[2] == splash.FLAGS_WITH_OPTIONAL_VALUE


def test_not_without_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "isatty", lambda fd: fd != 1)
    assert not splash.is_wanted([], {"TERM": "xterm"})
    monkeypatch.setattr(os, "isatty", lambda fd: True)
    assert not splash.is_wanted([], {"TERM": "dumb"})
    assert not splash.is_wanted([], {})


def test_it_imports_next_to_nothing() -> None:
    code = (
        "import sys; before = set(sys.modules); import chatglass.__main__;"
        "print(sorted(set(sys.modules) - before))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    allowed = {"__future__", "chatglass", "chatglass.__main__", "chatglass.splash", "termios"}
    assert set(eval(ran.stdout)) <= allowed


def test_it_shows_and_gives_everything_back(terminal: Open) -> None:
    shell = terminal(
        "import os; from chatglass import splash; splash.show(); os.read(0, 1);"
        "splash.leave(); splash.leave()"
    )
    shell.read_until("F1 Keys\x1b[0m")
    lflag = shell.attributes[3]
    assert isinstance(lflag, int)
    assert not lflag & (termios.ECHO | termios.ICANON)
    assert lflag & termios.ISIG
    assert shell.screen.display[0].strip() == "chatglass"
    assert shell.attributes != shell.before
    shell.type("x")
    assert shell.finish() == 0
    assert shell.attributes == shell.before
    assert shell.output.count(ENTER) == shell.output.count(LEAVE) == 1


def test_typed_keys_wait_unechoed_and_untranslated(terminal: Open) -> None:
    shell = terminal(
        "import os, sys; from chatglass import splash; splash.show(); os.write(1, b'shown');"
        "got = b''\nwhile not got.endswith(b'!'): got += os.read(0, 99)\n"
        "splash.leave(); print(repr(got))"
    )
    shell.read_until("shown")
    shell.type("hé\r\x1a\x13!")
    shell.finish()
    assert repr("hé\r\x1a\x13!".encode()) in shell.output.decode()
    painted, _, _ = shell.output.partition(LEAVE)
    assert "hé".encode() not in painted


def test_a_message_ends_the_splash_before_it_is_printed(terminal: Open) -> None:
    shell = terminal(
        "import sys; from chatglass import splash; splash.show();"
        "print('chatglass: the settings are wrong', file=sys.stderr); print('more')"
    )
    shell.finish()
    before, _, after = shell.output.partition(b"chatglass: the settings")
    assert before.count(ENTER) == before.count(LEAVE) == 1
    assert b"more" in after
    assert LEAVE not in after
    assert shell.attributes == shell.before


def test_a_start_that_fails_leaves_the_terminal_as_it_was(terminal: Open) -> None:
    shell = terminal(
        "import sys; sys.modules['chatglass.cli'] = None\n"
        "from chatglass.__main__ import main; main([])"
    )
    assert shell.finish() == 1
    before, _, after = shell.output.partition(LEAVE)
    assert ENTER in before
    assert b"chatglass.cli" in after
    assert shell.attributes == shell.before


def test_ctrl_c_while_it_starts(terminal: Open) -> None:
    shell = terminal(
        "import os, sys, types, time; cli = types.ModuleType('chatglass.cli')\n"
        "def run(arguments):\n os.write(1, b'starting'); time.sleep(60)\n"
        "cli.main = run; sys.modules['chatglass.cli'] = cli\n"
        "from chatglass.__main__ import main; sys.exit(main([]))"
    )
    shell.read_until("starting")
    os.kill(shell.process.pid, 2)
    assert shell.finish() == 130
    assert shell.attributes == shell.before
    assert shell.output.count(LEAVE) == 1


def test_the_sidebar_is_where_the_stylesheet_puts_it() -> None:
    from chatglass.tui.screens.chat_screen import NARROW
    from chatglass.tui.stylesheet import stylesheet

    assert splash.SIDEBAR_FROM == NARROW
    assert f"$side-width: {splash.SIDEBAR_COLUMNS};" in stylesheet().read_text(encoding="utf-8")
