"""Commands on spending: the usage screen, budgets, and what other models would have cost."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from chatglass.tui.commands.table import Command, own_session, refused

if TYPE_CHECKING:
    from chatglass.chat.workspace import Workspace
    from chatglass.spending.budgets import Limits
    from chatglass.tui.app import ChatglassApp
    from chatglass.tui.open_session import OpenSession

_USAGE = "Write it as /budget session 0.50, /budget day soft 4, or /budget day off."


async def usage(app: ChatglassApp, argument: str) -> None:
    from chatglass.spending.days import parse_range
    from chatglass.store.protocol import StoreError
    from chatglass.tui.dashboard.place import first_place
    from chatglass.tui.dashboard.screen import UsageScreen

    workspace = app.workspace
    if workspace is None:
        app.chat.say("The program still starts.")
        return
    place = first_place()
    if argument:
        try:
            place = place.with_range(parse_range(argument))
        except ValueError as error:
            refused(app, str(error))
            return

    async def chosen(session_id: str | None) -> None:
        if session_id is None or session_id == (app.current and app.current.id):
            return
        try:
            await app.open_session(await workspace.store.get_session(session_id))
        except StoreError as error:
            app.chat.say(str(error), "error")

    app.chat.outbox.store_draft_now()
    await app.push_screen(UsageScreen(workspace.store, place=place, folder=Path.cwd()), chosen)


# -- budgets


async def budget(app: ChatglassApp, argument: str) -> None:
    """Say what may be spent, or set it."""
    session, workspace = own_session(app), app.workspace
    if session is None or workspace is None:
        return
    words = argument.lower().split()
    if not words:
        app.chat.say(await _limits_in_words(session, workspace))
        return
    scope, *rest = words
    kind = rest.pop(0) if rest and rest[0] in ("soft", "hard") else "hard"
    if scope not in ("session", "day") or len(rest) != 1:
        refused(app, _USAGE)
        return
    from chatglass.spending.budgets import parse_usd

    try:
        amount = None if rest[0] in ("off", "none") else parse_usd(rest[0])
    except ValueError as error:
        refused(app, f"{error} {_USAGE}")
        return
    if scope == "session":
        await _set_session(session, kind, amount)
    else:
        await _set_day(app, workspace, kind, amount)
    for known in (workspace.budgets.lifted, workspace.budgets.warned):
        # A limit that is set anew is asked about anew.
        known.difference_update({key for key in known if key[0] == scope})
    app.chat.say(await _limits_in_words(session, workspace))


async def _set_session(session: OpenSession, kind: str, amount: Decimal | None) -> None:
    """Kept with the session; empty means none, whatever the settings say."""
    context = session.engine.context
    text = "" if amount is None else f"{amount:f}"
    parameters = context.session.parameters
    if kind == "soft":
        parameters = replace(parameters, budget_soft=text)
    else:
        parameters = replace(parameters, budget_hard=text)
    await context.set_parameters(parameters)


async def _set_day(
    app: ChatglassApp, workspace: Workspace, kind: str, amount: Decimal | None
) -> None:
    """Of all sessions, so it is kept in the settings."""
    day = workspace.budgets.day
    workspace.budgets.day = (
        replace(day, soft=amount) if kind == "soft" else replace(day, hard=amount)
    )
    await app.save_setting(["budget", f"day_{kind}"], None if amount is None else float(amount))


async def _limits_in_words(session: OpenSession, workspace: Workspace) -> str:
    from chatglass.spending.totals import spent_today
    from chatglass.values import figures

    context, budgets = session.engine.context, workspace.budgets
    today = await spent_today(workspace.store)
    figure = context.requests.figures
    parts = [
        "This session: " + _spent_of(figure.cost, budgets.of_session(context.session.parameters)),
        "today: " + _spent_of((today and today.cost) or Decimal(0), budgets.day),
    ]
    if budgets.start is not None:
        spent = sum((one.spent for one in budgets.spenders), Decimal(0))
        parts.append(f"this start: {figures.money_of(spent, budgets.start)}")
    text = "; ".join(parts) + "."
    if figure.unpriced:
        unpriced = figures.counted(figure.unpriced, "request")
        text += f" No price is known of {unpriced} of this session."
    return text


def _spent_of(spent: Decimal, limits: Limits) -> str:
    """`$0.00 of $0.50 (warns at $0.40)`, `$0.0021, no limit`."""
    from chatglass.values import figures

    if limits.hard is not None:
        said = figures.money_of(spent, limits.hard)
    else:
        said = f"{figures.money(spent)}, no {'hard ' if limits else ''}limit"
    return said if limits.soft is None else f"{said} (warns at {figures.sum_set(limits.soft)})"


# -- what if


async def what_if(app: ChatglassApp, argument: str) -> None:
    from chatglass.tui.dashboard.what_if_screen import WhatIfScreen

    session, workspace = app.current, app.workspace
    if session is None or workspace is None:
        app.chat.say("The program still starts.")
        return
    rows = await session.engine.context.requests.all_rows()
    if not any(row.usage is not None for row in rows):
        app.chat.say("Nothing was asked in this session yet, so there is nothing to compare.")
        return
    await app.push_screen(
        WhatIfScreen(rows, session.engine.context.model, workspace.models, argument.split())
    )


COMMANDS: dict[str, Command] = {
    "usage.show": usage,
    "budget.set": budget,
    "whatif.show": what_if,
}
