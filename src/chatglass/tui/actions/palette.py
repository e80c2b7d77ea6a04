"""The actions as commands of Textual's command palette."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.content import Content

from chatglass.tui.actions.action import keys_label
from chatglass.tui.actions.registry import ACTIONS

if TYPE_CHECKING:
    from chatglass.tui.actions.action import Action


class ActionCommands(Provider):
    """For the app's `COMMANDS`; runs an action as its key would."""

    async def discover(self) -> Hits:
        for action in ACTIONS.commands():
            yield DiscoveryHit(
                Content(action.label), self._runner(action), text=action.label, help=_help(action)
            )

    async def search(self, query: str) -> Hits:
        matcher = self.matcher(query)
        for action in ACTIONS.commands():
            named = f"{action.label} {action.usage}".strip()
            if (score := matcher.match(named)) > 0:
                yield Hit(
                    score + _by_name(query, action.label),
                    matcher.highlight(named),
                    self._runner(action),
                    text=action.label,
                    help=_help(action),
                )

    def _runner(self, action: Action) -> partial[object]:
        return partial(self.app.run_action, action.run)


def _by_name(query: str, label: str) -> int:
    """What is called as one types comes before what only holds those letters somewhere."""
    typed, name = query.strip().casefold(), label.casefold()
    return 2 if typed == name else int(name.startswith(typed))


def _help(action: Action) -> str:
    keys = f"  {keys_label(action.keys)}" if action.keys else ""
    return f"{action.tooltip}{keys}"
