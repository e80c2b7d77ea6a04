"""Commands on approval: the mode, the rules, and going to the question."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from chatglass.tui.commands.table import Command

if TYPE_CHECKING:
    from chatglass.tui.app import ChatglassApp


async def mode(app: ChatglassApp, argument: str) -> None:
    """Another mode for the session on screen: the named one, else the next."""
    from chatglass.chat.approvals import MODE_WORDS, MODES

    session = app.current
    if session is None:
        app.chat.say("The program still starts.")
        return
    policy = session.approval.policy
    wanted = argument.casefold()
    by_name = dict(zip(map(str, MODES), MODES, strict=True))
    chosen = by_name.get(wanted)
    if not wanted:
        chosen = MODES[(MODES.index(policy.mode) + 1) % len(MODES)]
    if chosen is None:
        near = difflib.get_close_matches(wanted, MODES, n=1, cutoff=0.4)
        hint = f" Did you mean {near[0]}?" if near else ""
        app.chat.say(
            f"There is no mode {argument!r}: ask, default or all.{hint}", "warning", subject="mode"
        )
        return
    policy.mode = chosen
    app.chat.signs.tell_state()
    severity = "warning" if chosen == "all" else "information"
    still = " What rules deny still never runs, and what always asks still asks."
    app.chat.say(
        f"Mode {chosen}: {MODE_WORDS[chosen]}.{still if chosen == 'all' else ''}",
        severity,
        subject="mode",
    )


async def answer_question(app: ChatglassApp, argument: str) -> None:
    """Go to what waits for an answer here, else in the next tab that asks."""
    if app.chat.approvals.panel.waiting:
        app.chat.approvals.panel.take_focus()
        return
    if not app.chat.approval.waiting:
        asking = next((session for session in app.tabs.sessions if session.asking), None)
        if asking is None:
            app.chat.say("Nothing waits for an answer.")
            return
        await app.tabs.show(asking)
    if app.chat.approval.waiting:
        app.chat.approval.take_focus()


async def rules(app: ChatglassApp, argument: str) -> None:
    """List the rules; one that is chosen can be deleted."""
    from chatglass.tui.approval.rules_list import show_rules

    if app.workspace is None or app.current is None:
        app.chat.say("The program still starts.")
        return
    await show_rules(app, app.workspace, app.current)


COMMANDS: dict[str, Command] = {
    "approval.mode": mode,
    "approval.rules": rules,
    "approval.focus": answer_question,
}
