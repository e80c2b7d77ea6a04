"""The actions of the composer; letters and ^A ^U ^K ^W ^X ^V stay its editing keys."""

from __future__ import annotations

from chatglass.tui.actions.action import Action

COMPOSER_ACTIONS: tuple[Action, ...] = (
    Action(
        id="composer.send",
        label="Send",
        tooltip="Send the prompt; while the model works it is queued",
        keys=("enter",),
        place="composer",
        command="send",
        palette=False,
    ),
    Action(
        id="composer.newline",
        label="Line break",
        tooltip="Break the line (Shift+Enter where the terminal tells it from Enter)",
        keys=("ctrl+j", "shift+enter"),
        place="composer",
        command="newline",
        palette=False,
    ),
    Action(
        id="composer.previous",
        label="Earlier prompt",
        tooltip="At the top edge: recall an earlier prompt; unsent text is kept",
        keys=("up",),
        place="composer",
        command="cursor_up",
        palette=False,
    ),
    Action(
        id="composer.next",
        label="Later prompt",
        tooltip="At the bottom edge: go back towards the unsent text",
        keys=("down",),
        place="composer",
        command="cursor_down",
        palette=False,
    ),
    Action(
        id="composer.expand",
        label="Unfold paste",
        tooltip="Put the text of the folded paste at the cursor in its place",
        keys=("ctrl+t",),
        place="composer",
        command="expand",
        palette=False,
    ),
    Action(
        id="composer.undo",
        label="Undo",
        tooltip="Undo the last edit",
        keys=("ctrl+underscore",),
        place="composer",
        command="undo",
        palette=False,
    ),
    Action(
        id="composer.redo",
        label="Redo",
        tooltip="Do again what was undone",
        keys=("ctrl+y",),
        place="composer",
        command="redo",
        palette=False,
    ),
    Action(
        id="composer.editor",
        label="Editor",
        tooltip="Write the prompt in $VISUAL or $EDITOR",
        keys=("ctrl+e",),
        slash="editor",
    ),
)
