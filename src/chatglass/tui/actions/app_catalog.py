"""The actions of the program as a whole."""

from __future__ import annotations

from chatglass.tui.actions.action import Action

APP_ACTIONS: tuple[Action, ...] = (
    Action(
        id="app.palette",
        label="Commands",
        tooltip="Search all commands",
        keys=("ctrl+p",),
        command="app.command_palette",
        footer=40,
        palette=False,
    ),
    Action(
        id="help.keys",
        label="Keys",
        tooltip="Show the keys of where you are, and all commands",
        keys=("f1",),
        slash="help",
        footer=60,
    ),
    Action(
        id="app.interrupt",
        label="Copy, stop or clear",
        tooltip="Copy what is selected, else stop the turn, else clear the prompt; twice quits",
        keys=("ctrl+c",),
        palette=False,
    ),
    Action(
        id="app.suspend",
        label="Suspend",
        tooltip="Go back to the shell; `fg` comes back",
        keys=("ctrl+z",),
        command="app.suspend_process",
    ),
    Action(
        id="app.quit",
        label="Quit",
        tooltip="Quit; everything is saved (^D where the composer is empty)",
        keys=("ctrl+d", "ctrl+q"),
        slash="quit",
    ),
    Action(
        id="app.debug",
        label="Diagnostics",
        tooltip="Show versions, paths, the terminal, and the end of the log",
        slash="debug",
    ),
)
