"""What an action is, and how its keys are written for people."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Place = Literal[
    "app",
    "screen",
    "chat",
    "composer",
    "transcript",
    "inspector",
    "text",
    "wire",
    "compare",
    "sessions",
    "usage",
    "servers",
    "contents",
    "tools",
    "approval",
]
"""Where the keys of an action work; `app` is everywhere, `screen` every screen over the chat."""

PLACES: dict[Place, str] = {
    "app": "Everywhere",
    "screen": "In a screen over the chat",
    "chat": "In the chat",
    "composer": "In the composer",
    "transcript": "In the transcript",
    "inspector": "In the inspector",
    "text": "In a JSON text",
    "wire": "In the wire of a request",
    "compare": "In a comparison of two calls",
    "sessions": "In the session list",
    "usage": "In the usage screen",
    "servers": "In the screen of MCP servers",
    "contents": "In the contents of a result",
    "tools": "In the list of tools",
    "approval": "In the approval panel",
}

OWN_SCREENS: frozenset[Place] = frozenset({"sessions", "usage", "servers", "contents", "tools"})
"""Places that are a screen of their own over the app, which the keys of `app` don't reach."""

_OVER_THE_CHAT: frozenset[Place] = OWN_SCREENS | frozenset[Place](
    {"inspector", "text", "wire", "compare"}
)
"""Places that the keys of `screen` reach, too."""

IN_THE_CHAT: frozenset[Place] = frozenset({"composer", "transcript", "inspector", "approval"})
"""Places that the keys of `chat` reach, too."""


def meet(one: Place, other: Place) -> bool:
    """Whether a key can mean both what it does in the one place and in the other."""
    if one == other:
        return True
    if "chat" in (one, other) and {one, other} & IN_THE_CHAT:
        return True
    if "screen" in (one, other):
        return bool({one, other} & _OVER_THE_CHAT)
    return "app" in (one, other) and not {one, other} & OWN_SCREENS


_NAMES = {
    "escape": "Esc",
    "enter": "Enter",
    "tab": "Tab",
    "space": "Space",
    "up": "↑",
    "down": "↓",
    "left": "←",
    "right": "→",
    "pageup": "PgUp",
    "pagedown": "PgDn",
    "home": "Home",
    "end": "End",
    "delete": "Del",
    "backspace": "Bksp",
    "underscore": "_",
    "slash": "/",
    "question_mark": "?",
    "comma": ",",
    "full_stop": ".",
    "minus": "-",
    "plus": "+",
    "equals_sign": "=",
    "asterisk": "*",
    "left_square_bracket": "[",
    "right_square_bracket": "]",
    "left_curly_bracket": "{",
    "right_curly_bracket": "}",
    "less_than_sign": "<",
    "greater_than_sign": ">",
}


_ARROWS = frozenset({"up", "down", "left", "right"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """One thing a user can do.

    `id` never changes: settings, docs and tests name it. `keys` are Textual key names. `slash`
    is the command without its slash, `hint` its argument as help shows it (in `[ ]` where it may
    be left out). `command` is the Textual action that runs it; by default the app's `do(id)`.
    `footer` orders the footer, smallest first; None keeps it out. An action with `palette` unset
    only makes sense under its key (moving, sending) and is not offered as a command.
    """

    id: str
    label: str
    tooltip: str
    keys: tuple[str, ...] = ()
    place: Place = "app"
    slash: str = ""
    hint: str = ""
    command: str = ""
    footer: int | None = None
    palette: bool = True

    @property
    def run(self) -> str:
        """The Textual action string."""
        return self.command or f"app.do('{self.id}')"

    @property
    def usage(self) -> str:
        """The command as one types it, as `/rename [title]`; empty where there is none."""
        return f"/{self.slash} {self.hint}".rstrip() if self.slash else ""


def key_in(
    place: Place,
    id: str,
    label: str,
    tooltip: str,
    *keys: str,
    command: str = "",
    footer: int | None = None,
) -> Action:
    """An action that only makes sense under its key, in its place. `command` is by default the last
    part of its id."""
    return Action(
        id=id,
        label=label,
        tooltip=tooltip,
        keys=keys,
        place=place,
        command=command or id.rpartition(".")[2],
        footer=footer,
        palette=False,
    )


def key_label(key: str) -> str:
    """A Textual key name as people write it: `ctrl+s` → `^S`, `shift+enter` → `Shift+Enter`."""
    *modifiers, last = key.split("+")
    name = _NAMES.get(last)
    if name is None:
        name = last.upper() if len(last) > 1 and last[0] == "f" and last[1:].isdigit() else last
    if modifiers == ["ctrl"] and len(name) == 1:
        return f"^{name.upper()}"
    return "+".join([*(modifier.capitalize() for modifier in modifiers), name])


def is_typed(key: str) -> bool:
    """Whether a Textual key name stands for a character, which a line of text takes as its own."""
    return len(key) == 1 or key == "space" or (len(_NAMES.get(key, "")) == 1 and key not in _ARROWS)


def keys_label(keys: tuple[str, ...], limit: int = 9) -> str:
    """The first `limit` keys, joined; `—` where there is none."""
    return " ".join(key_label(key) for key in keys[:limit]) or "—"
