"""The actions around spending, and the keys of the usage screen."""

from __future__ import annotations

from chatglass.tui.actions.action import Action


def _key(name: str, label: str, tooltip: str, *keys: str, command: str = "") -> Action:
    return Action(
        id=f"usage.{name}",
        label=label,
        tooltip=tooltip,
        keys=keys,
        place="usage",
        command=command or name,
        palette=False,
    )


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
    _key("by_day", "By day", "Sum up by day", "1", "d", command="by('day')"),
    _key("by_model", "By model", "Sum up by model", "2", "m", command="by('model')"),
    _key(
        "by_tool", "By tool", "Sum up what the results of each tool cost", "3", "t",
        command="by('tool')",
    ),
    _key("by_session", "By session", "Sum up by session", "4", "s", command="by('session')"),
    _key("range", "Range", "The next range: 7, 30 or 90 days, or all", "r", command="next_range"),
    _key("custom_range", "From … to", "Set the first and the last day", "c"),
    _key("measure", "Cost or tokens", "Draw tokens instead of cost, or the other way", "x"),
    _key("export", "Export", "Write what is listed to a CSV file", "e"),
    _key("open", "Open", "Look into the row; a session is opened", "enter"),
    _key("back", "Back", "Go back, or close (Esc)", "backspace"),
)  # fmt: skip
