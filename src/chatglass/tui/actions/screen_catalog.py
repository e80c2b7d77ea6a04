"""The keys of every screen over the chat."""

from __future__ import annotations

from chatglass.tui.actions.action import Action, key_in

SCREEN_ACTIONS: tuple[Action, ...] = (
    key_in(
        "screen", "screen.close", "Close", "Close this screen", "escape", command="screen.close",
    ),
    key_in(
        "screen", "screen.next", "Next part", "Go to the next part of this screen, as from a list"
        " to the text about it", "tab", command="app.focus_next",
    ),
)  # fmt: skip
