"""The keys of the actions that an advice offers, as they are in force."""

from __future__ import annotations

from collections.abc import Mapping

from chatglass.tui.actions.action import key_label
from chatglass.tui.actions.registry import ACTIONS
from chatglass.values.ways import Way

_ACTION_OF: Mapping[Way, str] = {
    "retry": "answer.retry",
    "model": "model.choose",
    "compact": "context.compact",
    "clear": "session.clear",
    "budget": "budget.set",
}


def name_way(way: Way) -> str:
    """The first key, else the command."""
    action = ACTIONS[_ACTION_OF[way]]
    return key_label(action.keys[0]) if action.keys else f"/{action.slash}"
