"""The first frame: the outline of the app, on screen before anything heavy is imported.

`show()` enters the alternate screen, paints, and puts the terminal into the mode that Textual's
driver uses, so that keys typed meanwhile wait in the kernel's queue, unechoed, and are read by
the driver. From then until `hand_over()` (the driver) or `leave()` (a failure to start), whatever
is printed ends the splash first, so that no message is lost with the alternate screen.

Standard library only, and of that only what the interpreter loads anyway: 5 ms of imports here
would be a fifth of the time to the first frame.
"""

from __future__ import annotations

import os
import sys

try:
    import termios
except ImportError:  # not a POSIX system: the app starts without a splash
    termios = None

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any, TextIO

# The flags that the full-screen app takes too, as `cli.build_parser()` has them.
FLAGS = frozenset({"--demo", "-c", "--continue", "--no-tools", "--yolo", "--no-save", "--debug"})
FLAGS |= {"--reduced-motion"}
FLAGS_WITH_VALUE = frozenset(
    {"--base-url", "--model", "--data-dir", "--config", "--system-prompt"}
    | {"--allow-tool", "--tools", "--mcp-config", "--max-requests", "--max-cost", "--timeout"}
)
FLAGS_WITH_OPTIONAL_VALUE = frozenset({"-r", "--resume"})

# Where the app's own layout puts things, in rows from the top or the bottom.
TITLE_ROW = 0
COMPOSER_ROWS = 3
FOOTER_ROWS = 1
SIDEBAR_FROM = 104
"""From this width on there is a sidebar."""
SIDEBAR_COLUMNS = 42

# Colours of the default theme (`tui.themes.DARK`), as red;green;blue; borders are its accent colour
# at 40 %.
BACKGROUND = "19;21;28"
FOREGROUND = "200;208;224"
BORDER = "57;100;98"

_ENTER = "\x1b[?2026h\x1b[?1049h\x1b[?2004h\x1b[?25l"
_SHOWN = "\x1b[?2026l"
_LEAVE = "\x1b[?2004l\x1b[?1049l\x1b[?25h"


def is_wanted(arguments: Sequence[str], environment: Mapping[str, str]) -> bool:
    """Whether this start opens the full-screen app on a terminal that can show it.

    Anything unknown is left to the command line's own parser, without a splash.
    """
    if termios is None or environment.get("TERM", "dumb") in ("", "dumb"):
        return False
    optional = False
    rest = iter(arguments)
    for argument in rest:
        name, given, _ = argument.partition("=")
        if name in FLAGS_WITH_VALUE:
            if not given and next(rest, None) is None:
                return False
        elif argument in FLAGS or name in FLAGS_WITH_OPTIONAL_VALUE:
            pass
        elif not optional or argument.startswith("-"):
            return False
        optional = argument in FLAGS_WITH_OPTIONAL_VALUE
    return os.isatty(0) and os.isatty(1)


def frame(width: int, height: int, *, colours: bool) -> str:
    """The outline for a terminal of that size, as what is written to it."""
    ground = f"\x1b[48;2;{BACKGROUND};38;2;{FOREGROUND}m" if colours else ""
    line = f"\x1b[38;2;{BORDER}m" if colours else "\x1b[2m"
    out = [ground, "\x1b[2J"]
    if width >= 24 and height >= 8:
        composer = width - (SIDEBAR_COLUMNS if width >= SIDEBAR_FROM else 0)
        top = height - FOOTER_ROWS - COMPOSER_ROWS
        out.append(f"\x1b[{TITLE_ROW + 1};2H\x1b[1mchatglass\x1b[22m")
        _box(out, line, 1, top, 0, composer)
        _box(out, line, top, top + COMPOSER_ROWS, 0, composer)
        if composer < width:
            _box(out, line, 1, top + COMPOSER_ROWS, composer, width)
        out.append(f"\x1b[22m{ground}\x1b[{height};2H F1 Keys")
    out.append("\x1b[0m")
    return "".join(out)


def _box(out: list[str], line: str, top: int, bottom: int, left: int, right: int) -> None:
    """A rounded border in rows `top` to `bottom` - 1 and columns `left` to `right` - 1."""
    flat = "─" * (right - left - 2)
    out.append(f"{line}\x1b[{top + 1};{left + 1}H╭{flat}╮")
    for row in range(top + 2, bottom):
        out.append(f"\x1b[{row};{left + 1}H│\x1b[{row};{right}H│")
    out.append(f"\x1b[{bottom};{left + 1}H╰{flat}╯")


class _State:
    """What the splash has changed, and must give back."""

    attributes: list[Any] | None = None
    on_screen = False


_state = _State()


def show() -> bool:
    """Paint the first frame. False where the terminal can't be set up; nothing is changed then."""
    if termios is None:
        return False
    try:
        width, height = os.get_terminal_size(1)
        attributes = termios.tcgetattr(0)
        termios.tcsetattr(0, termios.TCSANOW, _input_mode(attributes))
    except (OSError, termios.error):
        return False
    _state.attributes = attributes
    colours = not os.environ.get("NO_COLOR") and (
        os.environ.get("COLORTERM", "").lower() in ("truecolor", "24bit")
    )
    _state.on_screen = True
    try:
        _write(_ENTER + frame(width, height, colours=colours) + _SHOWN)
    except OSError:
        leave()
        return False
    sys.stdout, sys.stderr = _LeaveFirst(sys.stdout), _LeaveFirst(sys.stderr)  # pyright: ignore[reportAttributeAccessIssue]
    return True


def _input_mode(attributes: list[Any]) -> list[Any]:
    """Textual's mode (no echo, no lines, Enter as CR, no flow control), but Ctrl+C still ends a
    start that hangs. Set with TCSANOW, since the other ways can throw typed keys away."""
    assert termios is not None
    mode = [*attributes[:6], list(attributes[6])]
    mode[0] &= ~(termios.IXON | termios.IXOFF | termios.ICRNL | termios.INLCR | termios.IGNCR)
    mode[3] &= ~(termios.ECHO | termios.ICANON | termios.IEXTEN)
    mode[6][termios.VMIN] = 1
    mode[6][termios.VTIME] = 0
    for key in (termios.VSUSP, termios.VQUIT):
        mode[6][key] = (
            b"\0"  # _POSIX_VDISABLE on Linux; a key like any other until the app reads it
        )
    return mode


def saved_attributes() -> list[Any] | None:
    """The terminal's attributes before `show()`; None where there was no splash."""
    return _state.attributes


def hand_over() -> bool:
    """The app takes the terminal as it stands. True if the alternate screen is already on."""
    _give_streams_back()
    was, _state.on_screen = _state.on_screen, False
    return was


def leave() -> None:
    """Give the terminal back as it was. Idempotent."""
    _give_streams_back()
    attributes, _state.attributes = _state.attributes, None
    was, _state.on_screen = _state.on_screen, False
    try:
        if was:
            _write(_LEAVE)
        if attributes is not None and termios is not None:
            termios.tcsetattr(0, termios.TCSANOW, attributes)
    except OSError:
        pass  # the terminal is gone, and there is nothing to give back
    except Exception as error:
        # termios.error is no OSError; by name, since termios may be missing.
        if termios is None or not isinstance(error, termios.error):
            raise


def _give_streams_back() -> None:
    """Unwrap the streams that are still ours; Textual may have put its own in their place."""
    if isinstance(sys.stdout, _LeaveFirst):
        sys.stdout = sys.stdout.stream
    if isinstance(sys.stderr, _LeaveFirst):
        sys.stderr = sys.stderr.stream


def _write(text: str) -> None:
    data = text.encode()
    while data:
        data = data[os.write(1, data) :]


class _LeaveFirst:
    """A stream that ends the splash before it is written to."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream

    def write(self, text: str) -> int:
        if text and _state.on_screen:
            leave()
        return self.stream.write(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)
