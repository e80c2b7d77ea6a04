"""The actions of panels, the wire view, the theme and the focus."""

from __future__ import annotations

from chatglass.tui.actions.action import Action

VIEW_ACTIONS: tuple[Action, ...] = (
    Action(
        id="view.inspector",
        label="Inspector",
        tooltip="Show every tool call of the session, with arguments and result in full",
        keys=("ctrl+o",),
        slash="inspector",
        footer=20,
    ),
    Action(
        id="view.wire",
        label="Wire",
        tooltip="Show what a request sent and received: of the answer under the cursor, else the last",
        keys=("W",),
        place="transcript",
        slash="wire",
        hint="[number]",
    ),
    Action(
        id="view.sidebar",
        label="Sidebar",
        tooltip="Show or hide the meter",
        keys=("f2",),
        slash="sidebar",
        footer=30,
    ),
    Action(
        id="theme.choose",
        label="Theme",
        tooltip="Choose the colours, with a preview",
        slash="theme",
        hint="[name]",
    ),
    Action(
        id="view.next",
        label="Next panel",
        tooltip="Move the focus to the next panel",
        keys=("tab",),
        command="app.focus_next",
        palette=False,
    ),
    Action(
        id="view.previous",
        label="Previous panel",
        tooltip="Move the focus to the panel before",
        keys=("f10",),
        command="app.focus_previous",
        palette=False,
    ),
)
