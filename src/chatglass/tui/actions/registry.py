"""The one registry of actions: footer, palette, F1, slash commands, keymap and docs read it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from textual.binding import Binding

from chatglass.config.errors import ConfigError
from chatglass.tui.actions.action import PLACES, Action, Place, keys_label, meet
from chatglass.tui.actions.catalog import CATALOG

_ALIASES = {
    "esc": "escape",
    "return": "enter",
    "pgup": "pageup",
    "pgdn": "pagedown",
    "_": "underscore",
}
_MODIFIERS = {"ctrl", "shift", "alt", "super", "meta", "hyper"}
_NAMED = frozenset(
    [
        "escape",
        "enter",
        "tab",
        "space",
        "up",
        "down",
        "left",
        "right",
        "pageup",
        "pagedown",
        "home",
        "end",
        "insert",
        "delete",
        "backspace",
    ]
) | {f"f{number}" for number in range(1, 25)}


class Actions:
    """All actions by id, with the keys that are in force."""

    def __init__(self, actions: Iterable[Action] = CATALOG) -> None:
        self._actions = {action.id: action for action in actions}
        self._slashes = {action.slash: action for action in self._actions.values() if action.slash}

    def __iter__(self) -> Iterator[Action]:
        return iter(self._actions.values())

    def __len__(self) -> int:
        return len(self._actions)

    def __getitem__(self, action_id: str) -> Action:
        return self._actions[action_id]

    def __contains__(self, action_id: object) -> bool:
        return action_id in self._actions

    def at(self, *places: Place) -> list[Action]:
        """The actions whose keys work in one of `places`, in the order of the catalog."""
        return [action for action in self if action.place in places]

    def commands(self) -> list[Action]:
        """What can be run by name: the palette and the slash commands."""
        return [action for action in self if action.palette or action.slash]

    def by_slash(self, name: str) -> Action | None:
        """The action of the slash command `name` (without the slash)."""
        action = self._slashes.get(name)
        return action and self._actions[action.id]

    def slashes(self, prefix: str = "") -> list[Action]:
        """Slash commands that start with `prefix`, then those that hold it; by name."""
        named = sorted(self._slashes)
        first = [name for name in named if name.startswith(prefix)]
        then = [name for name in named if prefix in name and name not in first]
        return [self._actions[self._slashes[name].id] for name in first + then]

    def nearest_slashes(self, name: str) -> list[str]:
        """At most three commands whose names are like `name`, for an error text."""
        return difflib.get_close_matches(name, self._slashes, n=3, cutoff=0.5)

    def bindings(self, *places: Place) -> list[Binding]:
        """Textual bindings for these places, for a `BINDINGS` list.

        They carry the ids of the actions, so that `App.set_keymap(apply_keymap(…))` moves them.
        """
        return [
            Binding(
                ",".join(action.keys) or "none",
                action.run,
                action.label,
                show=False,
                tooltip=action.tooltip,
                id=action.id,
            )
            for action in self.at(*places)
            if action.keys or action.place == "app"
        ]

    def apply_keymap(self, settings: Mapping[str, str]) -> dict[str, str]:
        """Take over the `[keys]` of the settings; returns the keymap for `App.set_keymap`.

        `settings` maps an action id to keys joined by commas. Raises ConfigError that names an
        unknown id with the nearest one, a key that is no key, or a key that two actions would
        share where both work. Nothing changes then.
        """
        actions = dict(self._actions)
        for action_id, keys in settings.items():
            if action_id not in actions:
                near = difflib.get_close_matches(action_id, actions, n=1, cutoff=0.4)
                hint = (
                    f" Did you mean {near[0]}?" if near else " `chatglass` shows all ids under F1."
                )
                raise ConfigError(f"[keys] names {action_id!r}, which is no action.{hint}")
            actions[action_id] = replace(
                actions[action_id], keys=tuple(_parse_keys(action_id, keys))
            )
        if clash := _first_clash(actions.values(), set(settings)):
            key, one, other = clash
            raise ConfigError(
                f"[keys] gives {key} to {one} and to {other}, which work in the same place."
                " Give one of them another key."
            )
        self._actions = actions
        return {action_id: ",".join(actions[action_id].keys) for action_id in settings}

    def to_markdown(self) -> str:
        """The reference of keys and commands, for docs/keys.md."""
        lines = ["# Keys and commands", ""]
        lines += [
            "`[keys]` in the settings file gives an action other keys, by its id:",
            "",
            "```toml",
            "[keys]",
            '"session.new" = "f9"',
            '"view.inspector" = "ctrl+o,f12"',
            "```",
        ]
        for place, title in PLACES.items():
            rows = self.at(place)
            if not rows:
                continue
            lines += [
                "",
                f"## {title}",
                "",
                "| keys | command | what it does | id |",
                "|---|---|---|---|",
            ]
            lines += [
                f"| {_cell(keys_label(action.keys))} | {_cell(action.usage and f'`{action.usage}`')}"
                f" | {_cell(action.tooltip)} | `{action.id}` |"
                for action in rows
            ]
        return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _parse_keys(action_id: str, keys: str) -> Iterator[str]:
    for written in keys.split(","):
        key = written.strip()
        *modifiers, last = key.split("+") if key != "+" else ["plus"]
        modifiers = [modifier.lower() for modifier in modifiers]
        last = _ALIASES.get(last.lower(), last)
        if len(last) > 1 or modifiers:
            last = last.lower()
        known = len(last) == 1 or last in _NAMED or "_" in last or last in {"underscore", "plus"}
        if not key or not known or not set(modifiers) <= _MODIFIERS:
            raise ConfigError(
                f"[keys] {action_id} = {keys!r}: {written.strip()!r} is no key."
                " Write it as ctrl+s, f5, escape, shift+enter or y."
            )
        yield "+".join([*modifiers, last])


def _first_clash(actions: Iterable[Action], moved: set[str]) -> tuple[str, str, str] | None:
    """(key, id, id) of two actions that share a key where both work; one of them was moved."""
    taken: dict[str, list[Action]] = {}
    for action in actions:
        for key in action.keys:
            for other in taken.setdefault(key, []):
                if meet(action.place, other.place) and moved & {action.id, other.id}:
                    return key, other.id, action.id
            taken[key].append(action)
    return None


ACTIONS = Actions()
"""The registry of the running program."""
