"""Commands on tabs: go to one, close one."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from chatglass.tui.actions.tabs_catalog import MOST_BY_KEY
from chatglass.tui.commands.table import Command, refused
from chatglass.values.text import one_line, visible

if TYPE_CHECKING:
    from chatglass.tui.app import ChatglassApp
    from chatglass.tui.dialogs.dialogs import Chosen
    from chatglass.tui.open_session import OpenSession


async def next_tab(app: ChatglassApp, argument: str) -> None:
    await _step(app, 1)


async def previous_tab(app: ChatglassApp, argument: str) -> None:
    await _step(app, -1)


async def _step(app: ChatglassApp, by: int) -> None:
    if len(app.tabs) < 2:
        app.chat.say("One session is open; ^N opens another, ^S a saved one.")
    await app.tabs.step(by)


async def show_tab(app: ChatglassApp, argument: str) -> None:
    """Show a tab by its number, or by words of its title; without either choose one."""
    if not argument:
        await _choose(app)
        return
    if argument.isdecimal():
        if not await app.tabs.go_to(int(argument)):
            refused(app, f"There is no tab {argument}: {_count(app)}.")
        return
    words = argument.casefold().split()
    found = [
        session
        for session in app.tabs.sessions
        if all(word in session.title.casefold() for word in words)
    ]
    if found:
        await app.tabs.show(found[0])
    else:
        refused(app, f"No tab is called {visible(argument)!r}: {_count(app)}.")


def _count(app: ChatglassApp) -> str:
    number = len(app.tabs)
    return "one session is open" if number == 1 else f"{number} sessions are open"


async def _choose(app: ChatglassApp) -> None:
    from chatglass.tui.dialogs.choice_list import Choice
    from chatglass.tui.dialogs.dialogs import ChoiceDialog

    async def chosen(answer: Chosen | None) -> None:
        session = app.sessions.get(answer.value) if answer is not None else None
        if session is not None:
            await app.tabs.show(session)

    choices = [
        Choice(tab.session_id, f"{number}  {tab.title}", tab.words)
        for number, tab in enumerate(app.tabs.tabs(), 1)
    ]
    current = app.current.id if app.current is not None else ""
    await app.push_screen(
        ChoiceDialog("Open sessions", choices, current=current, enter="shows it"), chosen
    )


async def _show_number(number: int, app: ChatglassApp, argument: str) -> None:
    if not await app.tabs.go_to(number):
        app.chat.say(f"There is no tab {number}: {_count(app)}.")


async def close(app: ChatglassApp, argument: str) -> None:
    """Close the tab of a session (`argument`, its id; else the one on screen)."""
    session = app.sessions.get(argument) if argument else app.current
    if session is None:
        if argument:
            app.chat.say("/close takes nothing after it: it closes the tab on screen.", "warning")
        return
    await app.chat.outbox.draft_changed()  # a text makes a tab one that is in use
    if len(app.tabs) == 1 and session.is_blank:
        app.chat.say("This is the only tab, and nothing is in it; ^Q quits.")
    elif (question := await _objection(app, session)) is not None:
        await _ask(app, session, *question)
    else:
        await app.tabs.close(session)


async def _objection(app: ChatglassApp, session: OpenSession) -> tuple[str, str] | None:
    """A heading and a question, where closing would lose something."""
    if session.working:
        name = one_line(session.title, 60) or "The session"
        return (
            "Close a tab that works?",
            f"{name} is at work. Closing its tab stops the turn; what was answered so far stays "
            "saved.",
        )
    if session.unsaved and (problem := await app.chat.unsaved.save_session(session)):
        return ("Close a session that is not saved?", f"{problem} Closing its tab loses it.")
    return None


async def _ask(app: ChatglassApp, session: OpenSession, heading: str, question: str) -> None:
    from chatglass.tui.dialogs.dialogs import ConfirmDialog

    async def decided(yes: bool | None) -> None:
        if yes and session.id in app.sessions:
            await app.tabs.close(session)

    dialog = ConfirmDialog(heading, visible(question), yes="Yes, close it", no="No, keep it open")
    await app.push_screen(dialog, decided)


COMMANDS: dict[str, Command] = {
    "tab.next": next_tab,
    "tab.previous": previous_tab,
    "tab.show": show_tab,
    "tab.close": close,
    **{f"tab.{number}": partial(_show_number, number) for number in range(1, MOST_BY_KEY + 1)},
}
