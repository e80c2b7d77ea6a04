"""Commands on turns and answers: stop, retry, edit, copy, find."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chatglass.tui.commands.table import Command, idle_session, own_session
from chatglass.tui.transcript.items import AnswerItem, PromptItem

if TYPE_CHECKING:
    from chatglass.tui.app import ChatglassApp


async def stop(app: ChatglassApp, argument: str) -> None:
    """Close what lies on top, else stop the turn."""
    chat = app.chat
    if app.screen is not chat:
        app.screen.dismiss(None)
    elif chat.conversation.is_finding:
        chat.conversation.find_bar.action_close()
    elif chat.has_class("-overlay"):
        chat.remove_class("-overlay")
        chat.composer.focus()
    elif chat.session is not None and chat.session.working:
        chat.session.engine.stop()
    elif not chat.composer.area.has_focus:
        chat.conversation.forget_find()
        chat.composer.focus()
    else:
        chat.outbox.leave_edit()


async def retry(app: ChatglassApp, argument: str) -> None:
    """Ask for an answer (`argument`, else the last) again, as a branch beside it."""
    session = idle_session(app)
    if session is None:
        return
    if not await session.engine.branch_before_answer(argument or None):
        app.chat.say("There is no prompt to answer yet.", "warning")
        return
    await app.chat.reload(session)
    app.turns.retry(session)


async def edit(app: ChatglassApp, argument: str) -> None:
    """Write an earlier prompt anew; sending it makes a branch beside the old one."""
    session = own_session(app)
    if session is None:
        return
    if argument and await app.chat.outbox.take_back(argument):
        return
    if idle_session(app) is None:
        return
    prompts = [
        item
        for item in session.view.items
        if isinstance(item, PromptItem) and item.state == "sent" and argument in ("", item.id)
    ]
    if not prompts:
        app.chat.say("There is no prompt to edit here.", "warning")
        return
    await app.chat.outbox.edit(session, prompts[-1])


async def send_queued(app: ChatglassApp, argument: str) -> None:
    """Go on with what waits since a turn was stopped."""
    if own_session(app) is not None and not app.chat.outbox.send_held():
        app.chat.say("Nothing waits to be sent.")


async def take_back(app: ChatglassApp, argument: str) -> None:
    """Put the last queued prompt into the composer again."""
    session = own_session(app)
    if session is None:
        return
    queued = session.view.queued()
    if not queued or not await app.chat.outbox.take_back(queued[-1].id):
        app.chat.say("No prompt is queued.")


async def copy_message(app: ChatglassApp, argument: str) -> None:
    text = app.chat.transcript.copy_text("item")
    if text is None and app.current is not None:
        answers = [item for item in app.current.view.items if isinstance(item, AnswerItem)]
        text = answers[-1].text if answers else None
    await app.chat.copy(text, "message")


async def copy_code(app: ChatglassApp, argument: str) -> None:
    await app.chat.copy(app.chat.transcript.copy_text("code"), "code block")


async def find(app: ChatglassApp, argument: str) -> None:
    app.chat.conversation.find(argument)


async def find_next(app: ChatglassApp, argument: str) -> None:
    app.chat.conversation.find_step(1)


async def find_previous(app: ChatglassApp, argument: str) -> None:
    app.chat.conversation.find_step(-1)


COMMANDS: dict[str, Command] = {
    "turn.stop": stop,
    "answer.retry": retry,
    "prompt.edit": edit,
    "queue.send": send_queued,
    "queue.take_back": take_back,
    "copy.message": copy_message,
    "copy.code": copy_code,
    "find": find,
    "find.next": find_next,
    "find.previous": find_previous,
}
