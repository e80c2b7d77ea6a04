"""Desktop notifications as terminals take them, by what is known of each.

OSC 9 is iTerm2's (https://iterm2.com/documentation-escape-codes.html), OSC 777 rxvt's, OSC 99
kitty's (https://sw.kovidgoyal.net/kitty/desktop-notifications/). A terminal that knows none of them
gets the bell. What stands in one is text of models and users: visible, on one line, bounded.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Literal

from chatglass.values.text import one_line

BELL = "\a"

Protocol = Literal["osc9", "osc777", "osc99"]

_TITLE, _BODY = 80, 200
_OSC, _ST = "\x1b]", "\x1b\\"
_BY_PROGRAM: dict[str, Protocol] = {
    "iterm.app": "osc9",
    "wezterm": "osc777",
    "ghostty": "osc777",
    "warpterminal": "osc777",
    "rio": "osc777",
    "contour": "osc777",
    "kitty": "osc99",
}
_BY_TERM: dict[str, Protocol] = {
    "xterm-kitty": "osc99",
    "xterm-ghostty": "osc777",
    "wezterm": "osc777",
    "foot": "osc777",
    "foot-extra": "osc777",
    "rxvt-unicode-256color": "osc777",
    "contour": "osc777",
}
# Also seen through tmux, whose own TERM and TERM_PROGRAM hide the terminal around it.
_BY_VARIABLE: dict[str, Protocol] = {
    "KITTY_WINDOW_ID": "osc99",
    "WEZTERM_PANE": "osc777",
    "GHOSTTY_RESOURCES_DIR": "osc777",
    "ITERM_SESSION_ID": "osc9",
}


def protocol_of(environ: Mapping[str, str]) -> Protocol | None:
    """What the terminal is known to take; None where that is not known."""
    found = _BY_TERM.get(environ.get("TERM", ""))
    found = found or _BY_PROGRAM.get(environ.get("TERM_PROGRAM", "").lower())
    found = found or _BY_PROGRAM.get(environ.get("LC_TERMINAL", "").lower())
    return found or next((p for name, p in _BY_VARIABLE.items() if environ.get(name)), None)


def in_tmux(environ: Mapping[str, str]) -> bool:
    return bool(environ.get("TMUX"))


def desktop(protocol: Protocol, title: str, body: str, *, tmux: bool = False) -> str:
    """The sequence that shows a notification; inside tmux passed through it to the terminal, where
    `allow-passthrough` is on."""
    title, body = _safe(title, _TITLE), _safe(body, _BODY)
    match protocol:
        case "osc9":
            # No title of its own; digits and a semicolon in front would be ConEmu's commands.
            sequence = f"{_OSC}9;{title}: {body}{_ST}"
        case "osc777":
            sequence = f"{_OSC}777;notify;{title.replace(';', ',')};{body.replace(';', ',')}{_ST}"
        case "osc99":
            sequence = f"{_osc99('d=0:p=title', title)}{_osc99('d=1:p=body', body)}"
    if not tmux:
        return sequence
    return "\x1bPtmux;" + sequence.replace("\x1b", "\x1b\x1b") + _ST


def _osc99(parts: str, text: str) -> str:
    coded = base64.b64encode(text.encode()).decode()
    return f"{_OSC}99;i=chatglass:e=1:{parts};{coded}{_ST}"


def _safe(text: str, limit: int) -> str:
    """One visible line: `one_line` shows every C0 and C1 control as a symbol."""
    return one_line(text, limit)
