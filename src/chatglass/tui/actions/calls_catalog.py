"""The keys of the inspector's list and timeline, and what can be done with a call."""

from __future__ import annotations

from chatglass.tui.actions.action import Action, key_in


def _panel(name: str, label: str, tooltip: str, *keys: str, footer: int | None = None) -> Action:
    command = f"calls('{name}')"
    return key_in(
        "inspector", f"calls.{name}", label, tooltip, *keys, command=command, footer=footer
    )


def _compare(
    name: str, label: str, tooltip: str, key: str, *, run: str = "", footer: int | None = None
) -> Action:
    command = run or f"app.do('calls.{name}')"
    return key_in("compare", f"compare.{name}", label, tooltip, key, command=command, footer=footer)


CALLS_ACTIONS: tuple[Action, ...] = (
    _panel("view", "Timeline", "Show the calls as a timeline, or as a list again", "t", footer=20),
    _panel(
        "filter", "Filter", "List only calls that hold words or facets, as tool:read slow>2s", "f",
        footer=30,
    ),
    _panel("errors", "Errors", "Only calls that failed or were denied, or all again", "e"),
    _panel("slow", "Slow", "Only calls that ran for more than a second, or all again", "s"),
    _panel("open", "Open calls", "Only calls that run or wait, or all again", "a"),
    _panel("yours", "Yours", "Only calls that you ran again, or all of them", "u"),
    _panel("tool", "Same tool", "Only calls of the tool under the cursor, or all again", "T"),
    _panel("order", "Order", "Sort by time, the slowest first, or the largest first", "O"),
    Action(
        id="calls.run_again",
        label="Run again",
        tooltip="Run this call again, as it ran; the result stands beside the old one",
        keys=("r",),
        place="inspector",
        footer=40,
    ),
    Action(
        id="calls.edit_run",
        label="Edit and run",
        tooltip="Run this call again with other arguments",
        keys=("R",),
        place="inspector",
        footer=70,
    ),
    Action(
        id="calls.stop",
        label="Stop the rerun",
        tooltip="End a call that you ran again and that still runs",
        keys=("x",),
        place="inspector",
    ),
    Action(
        id="calls.send",
        label="Send to the model",
        tooltip="Put the result of a call that you ran again into the composer, as an attachment",
        keys=("S",),
        place="inspector",
    ),
    Action(
        id="calls.pin",
        label="Pin",
        tooltip="Pin this call; a second one is compared with it",
        keys=("p",),
        place="inspector",
        footer=50,
    ),
    Action(
        id="calls.copy",
        label="Copy call",
        tooltip="Copy arguments, result, the whole call as JSON, or a test for pytest",
        keys=("c",),
        place="inspector",
        footer=60,
    ),
    _compare("next", "Next", "Go to the next difference", "n", run="step(1)", footer=10),
    _compare("previous", "Difference before", "Go to the difference before", "N", run="step(-1)"),
    _compare(
        "fold", "All lines", "Show or hide the lines that are the same", "u", run="fold", footer=20,
    ),
    _compare("run_again", "Run again", "Run the right call once more", "r", footer=30),
    _compare("edit_run", "Edit", "Run it with other arguments", "R", footer=40),
    _compare("stop", "Stop", "End the right call, where it is yours and runs", "x", footer=60),
    _compare("send", "To the model", "Put the right result into the composer", "S", footer=50),
    _compare("copy", "Copy", "Copy arguments, result, the whole call, or a test", "c", footer=70),
)  # fmt: skip
