"""The actions of a session: list, name, clear, prompt and parameters."""

from __future__ import annotations

from chatglass.tui.actions.action import Action

SESSION_ACTIONS: tuple[Action, ...] = (
    Action(
        id="session.list",
        label="Sessions",
        tooltip="List the saved sessions and open one",
        keys=("ctrl+s",),
        slash="sessions",
        footer=10,
    ),
    Action(
        id="session.new",
        label="New session",
        tooltip="Start a new session in a tab of its own; the one on screen goes on behind it",
        keys=("ctrl+n",),
        slash="new",
        footer=70,
    ),
    Action(
        id="session.rename",
        label="Rename session",
        tooltip="Give this session another title",
        slash="rename",
        hint="[title]",
    ),
    Action(
        id="session.fork",
        label="Fork",
        tooltip="Go on from the message under the cursor, else from the last, in a new session",
        keys=("f",),
        place="transcript",
        footer=60,
        slash="fork",
    ),
    Action(
        id="session.origin",
        label="Origin",
        tooltip="Show the message that this session was forked from",
        slash="origin",
    ),
    Action(
        id="session.clear",
        label="Clear conversation",
        tooltip="Go on with an empty conversation in this session; what was said stays stored",
        slash="clear",
    ),
    Action(
        id="session.system_prompt",
        label="System prompt",
        tooltip="Set what is sent before every conversation of this session",
        slash="system",
        hint="[text]",
    ),
    Action(
        id="session.temperature",
        label="Temperature",
        tooltip="Set the sampling temperature of this session, 0 to 2; `default` leaves it out",
        slash="temperature",
        hint="[number]",
    ),
    Action(
        id="session.max_output",
        label="Most output tokens",
        tooltip="Set how long an answer may be; `default` leaves it to the endpoint",
        slash="max-output",
        hint="[tokens]",
    ),
    Action(
        id="session.reasoning_effort",
        label="Reasoning effort",
        tooltip="Set how much the model thinks: minimal, low, medium, high, or `default`",
        slash="effort",
        hint="[level]",
    ),
)
