"""Commands on what is sent: compact, edit a summary, undo a compaction, choose the strategy."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from chatglass.tui.commands.table import Command, idle_session, own_session

if TYPE_CHECKING:
    from chatglass.store.records import CompactionRow
    from chatglass.tui.app import ChatglassApp
    from chatglass.tui.open_session import OpenSession


async def compact(app: ChatglassApp, argument: str) -> None:
    word, _, rest = argument.partition(" ")
    if word == "strategy" and len(rest.split()) <= 1:
        await strategy(app, rest.strip())
        return
    session = idle_session(app)
    if session is None:
        return
    if not len(session.engine.context.path):
        app.chat.say("There is nothing to compact yet.")
        return
    app.turns.compact(session, argument)


async def strategy(app: ChatglassApp, argument: str) -> None:
    """Kept with the session; `default` goes back to the settings'."""
    from chatglass.chat.compaction.strategies import (
        WHAT,
        UnknownStrategy,
        check_name,
        names,
        source_of,
    )
    from chatglass.tui.dialogs.choice_list import Choice
    from chatglass.tui.dialogs.dialogs import ChoiceDialog, Chosen

    session = own_session(app)
    if session is None:
        return
    log = session.engine.context.compaction

    async def take(name: str) -> None:
        try:
            if name != "default":
                check_name(name)
        except UnknownStrategy as error:
            app.chat.say(str(error), "warning")
            return
        context = session.engine.context
        chosen = None if name == "default" else name
        await context.set_parameters(replace(context.session.parameters, compaction=chosen))
        app.chat.session_changed(session)
        app.chat.say(f"This session is compacted by {log.strategy_name!r} from now on.")

    if argument:
        await take(argument)
        return

    async def answered(answer: Chosen | None) -> None:
        if answer is not None:
            await take(answer.value)

    choices = [Choice(name, name, WHAT.get(name) or f"of {source_of(name)}") for name in names()]
    choices.append(Choice("default", "default", f"what the settings say: {log.choice.strategy}"))
    dialog = ChoiceDialog("Compaction strategy of this session", choices, current=log.strategy_name)
    await app.push_screen(dialog, answered)


def _in_force(app: ChatglassApp, session: OpenSession, compaction_id: str) -> CompactionRow | None:
    """The compaction in force, where it is the one that is meant; else says why not."""
    row = session.engine.context.compaction.in_force()
    if row is None:
        app.chat.say("Nothing is compacted here: all messages are sent.")
    elif compaction_id and row.id != compaction_id:
        app.chat.say(
            "Only the newest compaction can be changed: what it sends stands for the older ones.",
            "warning",
        )
        row = None
    return row


async def edit_summary(app: ChatglassApp, argument: str) -> None:
    from chatglass.tui.dialogs.dialogs import TextDialog

    session = idle_session(app)
    row = None if session is None else _in_force(app, session, argument)
    if session is None or row is None:
        return

    async def take(text: str | None) -> None:
        from chatglass.chat.compaction.log import NotInForce
        from chatglass.store.protocol import StoreError

        if text is None or text.strip() == row.summary:
            return
        if idle_session(app) is not session:
            return
        try:
            made = await session.engine.context.compaction.edit(row.id, text)
        except (NotInForce, StoreError) as error:
            app.chat.say(str(error), "error")
            return
        await app.chat.reload(session)
        app.chat.say(f"This is sent from now on: the context has {made.tokens_after:,} tokens.")

    await app.push_screen(
        TextDialog(
            "What is sent instead of the older messages",
            row.summary,
            multi_line=True,
            hint="Empty: nothing stands for them. The version that a request sent stays with it.",
        ),
        take,
    )


async def undo(app: ChatglassApp, argument: str) -> None:
    from chatglass.chat.compaction.log import NotInForce
    from chatglass.store.protocol import StoreError

    session = idle_session(app)
    row = None if session is None else _in_force(app, session, argument)
    if session is None or row is None:
        return
    context = session.engine.context
    try:
        await context.compaction.undo(row.id)
    except (NotInForce, StoreError) as error:
        app.chat.say(str(error), "error")
        return
    await app.chat.reload(session)
    tokens, limit = context.next_request_tokens(), context.limit()
    earlier = "all messages" if context.compaction.in_force() is None else "what was sent before it"
    said = f"Undone: {earlier} will be sent again, {tokens:,} tokens of {limit:,}."
    if tokens <= limit:
        app.chat.say(said)
    elif context.infinite:
        app.chat.say(f"{said} That is over the limit: the next prompt compacts again.", "warning")
    else:
        app.chat.say(f"{said} That is over the limit: the next prompt is refused.", "warning")


COMMANDS: dict[str, Command] = {
    "context.compact": compact,
    "context.strategy": strategy,
    "context.edit_summary": edit_summary,
    "context.undo": undo,
}
