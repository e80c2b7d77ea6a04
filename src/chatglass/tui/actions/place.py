"""Where on screen the keys go, in the words of the registry."""

from __future__ import annotations

from textual.dom import DOMNode

from chatglass.tui.actions.action import PLACES, Place


def place_of(node: DOMNode | None) -> Place:
    """Where `node` is: the `ACTION_PLACE` of itself or the nearest widget around it."""
    for ancestor in node.ancestors_with_self if node else ():
        place = getattr(ancestor, "ACTION_PLACE", None)
        if place in PLACES:
            return place
    return "app"
