"""The actions on tabs.

F5, F6 and F8 and Ctrl with PgUp and PgDn come through every terminal, tmux and screen; some desktop
terminals keep the latter, or Alt and a digit, for tabs of their own while they have several.
"""

from __future__ import annotations

from chatglass.tui.actions.action import Action

MOST_BY_KEY = 9

TAB_ACTIONS: tuple[Action, ...] = (
    Action(
        id="tab.previous",
        label="Previous tab",
        tooltip="Show the open session before this one",
        keys=("f5", "ctrl+pageup"),
    ),
    Action(
        id="tab.next",
        label="Next tab",
        tooltip="Show the open session after this one",
        keys=("f6", "ctrl+pagedown"),
    ),
    Action(
        id="tab.close",
        label="Close tab",
        tooltip="Close this tab; the session stays saved. Asks where a turn runs",
        keys=("f8",),
        slash="close",
    ),
    Action(
        id="tab.show",
        label="Tabs",
        tooltip="Show an open session by the number or the title of its tab, or list them",
        slash="tab",
        hint="[number or title]",
    ),
)
TABS_BY_NUMBER: tuple[Action, ...] = tuple(
    Action(
        id=f"tab.{number}",
        label=f"Tab {number}",
        tooltip=f"Show tab {number}",
        keys=(f"alt+{number}",),
        palette=False,
    )
    for number in range(1, MOST_BY_KEY + 1)
)
