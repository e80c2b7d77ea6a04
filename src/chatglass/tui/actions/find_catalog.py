"""The actions that copy from the transcript and search it."""

from __future__ import annotations

from chatglass.tui.actions.action import Action

FIND_ACTIONS: tuple[Action, ...] = (
    Action(
        id="copy.message",
        label="Copy message",
        tooltip="Copy the message under the cursor, else the last answer",
        keys=("y",),
        place="transcript",
        footer=30,
        slash="copy",
    ),
    Action(
        id="copy.code",
        label="Copy code block",
        tooltip="Copy the code block under the cursor, else the last one",
        keys=("c",),
        place="transcript",
        slash="code",
    ),
    Action(
        id="find",
        label="Find",
        tooltip="Find text in the transcript",
        keys=("ctrl+f",),
        slash="find",
        hint="[text]",
        footer=90,
    ),
    Action(
        id="find.next",
        label="Next match",
        tooltip="Go to the next match of what was searched for",
        keys=("n",),
        place="transcript",
        palette=False,
    ),
    Action(
        id="find.previous",
        label="Previous match",
        tooltip="Go to the previous match of what was searched for",
        keys=("N",),
        place="transcript",
        palette=False,
    ),
)
