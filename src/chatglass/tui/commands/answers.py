"""Commands on turns and answers: stop, retry, edit, copy, find."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chatglass.tui.commands.table import Command
from chatglass.tui.transcript.items import AnswerItem, PromptItem

if TYPE_CHECKING:
    from chatglass.tui.app import ChatglassApp


async def stop(app: ChatglassApp, argument: str) -> None:
    """Close what lies on top, else stop the turn."""
    chat = app.chat
    if app.screen is not chat:
        app.screen.dismiss(None)
    elif chat.find_bar.has_class("-shown"):
        chat.find_bar.action_close()
    elif chat.has_class("-overlay"):
        chat.remove_class("-overlay")
        chat.composer.focus()
    elif chat.session is not None and chat.session.working:
        chat.session.engine.stop()
    elif not chat.composer.area.has_focus:
        chat.composer.focus()


async def retry(app: ChatglassApp, argument: str) -> None:
    """Ask for the last answer again, as a branch beside it."""
    session = app.current
    if session is None:
        return
    if session.engine.state != "idle":
        app.chat.say("The session is at work; stop the turn first.", "warning")
        return
    if not await session.engine.branch_before_answer():
        app.chat.say("There is no prompt to answer yet.", "warning")
        return
    await app.chat.reload()
    app.run_turns(session, session.engine.go_on())


async def edit(app: ChatglassApp, argument: str) -> None:
    """Write an earlier prompt anew; sending it makes a branch beside the old one."""
    session = app.current
    if session is None or session.engine.state != "idle":
        app.chat.say("The session is at work; stop the turn first.", "warning")
        return
    prompts = [
        item
        for item in session.view.items
        if isinstance(item, PromptItem) and item.state == "sent" and argument in ("", item.id)
    ]
    if not prompts:
        app.chat.say("There is no prompt to edit here.", "warning")
        return
    await session.engine.branch_before_prompt(prompts[-1].id)
    await app.chat.reload()
    app.chat.composer.restore(prompts[-1].text)
    app.chat.composer.focus()
    app.chat.say("Send it to make a branch; ‹ › on the prompt switches back.")


async def copy_message(app: ChatglassApp, argument: str) -> None:
    text = app.chat.transcript.copy_text("item")
    if text is None and app.current is not None:
        answers = [item for item in app.current.view.items if isinstance(item, AnswerItem)]
        text = answers[-1].text if answers else None
    await app.chat.copy(text, "message")


async def copy_code(app: ChatglassApp, argument: str) -> None:
    await app.chat.copy(app.chat.transcript.copy_text("code"), "code block")


async def find(app: ChatglassApp, argument: str) -> None:
    app.chat.find_bar.open()
    if argument:
        app.chat.find_bar.value = argument


async def find_next(app: ChatglassApp, argument: str) -> None:
    app.chat.transcript.find_next(1)


async def find_previous(app: ChatglassApp, argument: str) -> None:
    app.chat.transcript.find_next(-1)


COMMANDS: dict[str, Command] = {
    "turn.stop": stop,
    "answer.retry": retry,
    "prompt.edit": edit,
    "copy.message": copy_message,
    "copy.code": copy_code,
    "find": find,
    "find.next": find_next,
    "find.previous": find_previous,
}
