"""The actions around spending, and the keys of the usage screen."""

from __future__ import annotations

from chatglass.tui.actions.action import Action, key_in

USAGE_ACTIONS: tuple[Action, ...] = (
    Action(
        id="usage.show",
        label="Usage",
        tooltip="Show cost and tokens by day, model, tool and session",
        slash="usage",
        hint="[days]",
    ),
    Action(
        id="budget.set",
        label="Budget",
        tooltip="Show what may be spent, or set it: `session 0.50`, `day soft 4`, `day off`",
        slash="budget",
        hint="[session|day [soft] USD|off]",
    ),
    Action(
        id="whatif.show",
        label="What if",
        tooltip="Show what this session would have cost on other models",
        slash="whatif",
        hint="[models…]",
    ),
    key_in(
        "usage", "usage.by_day", "By day", "Sum up by day", "1", "d", command="by('day')", footer=20,
    ),
    key_in(
        "usage", "usage.by_model", "By model", "Sum up by model", "2", "m", command="by('model')",
        footer=30,
    ),
    key_in(
        "usage", "usage.by_tool", "By tool", "Sum up what the results of each tool cost", "3", "t",
        command="by('tool')", footer=40,
    ),
    key_in(
        "usage", "usage.by_session", "By session", "Sum up by session", "4", "s",
        command="by('session')", footer=50,
    ),
    key_in(
        "usage", "usage.range", "Range", "The next range: 7, 30 or 90 days, or all", "r",
        command="next_range", footer=60,
    ),
    key_in(
        "usage", "usage.custom_range", "From … to", "Set the first and the last day", "c", footer=90,
    ),
    key_in(
        "usage", "usage.measure", "Cost or tokens", "Draw tokens instead of cost, or the other way",
        "x", footer=80,
    ),
    key_in("usage", "usage.export", "Export", "Write what is listed to a CSV file", "e", footer=70),
    key_in(
        "usage", "usage.open", "Open", "Look into the row; a session is opened", "enter", footer=10,
    ),
    key_in(
        "usage", "usage.back", "Back", "Go back to what was listed before, then close, as Esc does",
        "backspace",
    ),
)  # fmt: skip
