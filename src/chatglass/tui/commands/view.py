"""Commands on what is shown: inspector, sidebar, scrolling, focus."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chatglass.tui.commands.table import Command

if TYPE_CHECKING:
    from chatglass.tui.app import ChatglassApp


async def inspector(app: ChatglassApp, argument: str) -> None:
    """Open a call (`argument`) beside the transcript where that is shown, else full-screen."""
    chat = app.chat
    session = app.current
    if session is None:
        return
    if argument and _is_beside(app):
        chat.inspector.open_call(argument)
        return
    from chatglass.tui.inspector.screen import InspectorScreen

    def closed(tool_call_id: str | None) -> None:
        chat.full_inspector = None
        if tool_call_id is not None:
            chat.inspector.open_call(tool_call_id, take_focus=False)

    chat.full_inspector = InspectorScreen(
        chat.call_source,
        chat.calls.rows(session),
        requests=chat.calls.requests(session),
        view=chat.inspector.calls_panel.view,
        open_id=argument or chat.inspector.chosen,
        words=chat.approvals.words,
    )
    await app.push_screen(chat.full_inspector, closed)
    chat.approvals.changed(session)


def _is_beside(app: ChatglassApp) -> bool:
    """Whether the inspector is on screen, beside the transcript or over it."""
    chat = app.chat
    return chat.has_class("-overlay" if chat.has_class("-narrow") else "-sidebar")


async def sidebar(app: ChatglassApp, argument: str) -> None:
    """Show or hide the right side; where there is no room for it, over the transcript."""
    app.chat.toggle_class("-overlay" if app.chat.has_class("-narrow") else "-sidebar")


async def page_up(app: ChatglassApp, argument: str) -> None:
    app.chat.transcript.action_page(-1)


async def page_down(app: ChatglassApp, argument: str) -> None:
    app.chat.transcript.action_page(1)


async def to_top(app: ChatglassApp, argument: str) -> None:
    app.chat.transcript.action_to_start()


async def to_end(app: ChatglassApp, argument: str) -> None:
    app.chat.transcript.jump_to_end()


async def open_part(app: ChatglassApp, argument: str) -> None:
    app.chat.transcript.action_open()


async def write(app: ChatglassApp, argument: str) -> None:
    app.chat.composer.focus()


async def editor(app: ChatglassApp, argument: str) -> None:
    app.chat.composer.open_editor()


COMMANDS: dict[str, Command] = {
    "view.inspector": inspector,
    "view.sidebar": sidebar,
    "transcript.page_up": page_up,
    "transcript.page_down": page_down,
    "transcript.top": to_top,
    "transcript.end": to_end,
    "transcript.open": open_part,
    "composer.focus": write,
    "composer.editor": editor,
}
