"""The command that shows what went over the wire."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chatglass.tui.commands.table import Command

if TYPE_CHECKING:
    from chatglass.chat.wire_view import WireView
    from chatglass.tui.app import ChatglassApp
    from chatglass.tui.open_session import OpenSession


async def wire(app: ChatglassApp, argument: str) -> None:
    """Show the wire of a request: by its number, its id, the id of the message it answered into
    or of a tool call of it; else of the answer under the cursor, else of the last."""
    session = app.current
    if session is None:
        app.chat.say("The program still starts.")
        return
    rows = await session.engine.context.store.requests(session.id)
    if not rows:
        app.chat.say("Nothing was sent in this session yet.")
        return
    ids = [row.id for row in rows]
    wanted = argument or (_under_cursor(app))
    chosen = _chosen(session, wanted, {row.message_id: row.id for row in rows}, ids)
    if chosen is None and argument:
        app.chat.say(f"There is no request {argument}: 1 to {len(ids):,}, or nothing for the last.")
        return
    from chatglass.tui.wire.screen import WireScreen

    async def load(request_id: str) -> WireView:
        from chatglass.chat.wire_view import wire_view

        context = session.engine.context
        return await wire_view(
            context.store,
            session.id,
            request_id,
            parameters=context.session.parameters,
            calibrated=lambda tokens: context.models.calibrated(context.model, tokens),
        )

    await app.push_screen(WireScreen(load, ids, chosen or ids[-1]))


def _under_cursor(app: ChatglassApp) -> str:
    selected = app.chat.transcript.selected
    return selected.item_id if selected is not None else ""


def _chosen(
    session: OpenSession, wanted: str, by_message: dict[str | None, str], ids: list[str]
) -> str | None:
    if wanted.isdigit() and 1 <= int(wanted) <= len(ids):
        return ids[int(wanted) - 1]
    if wanted in ids:
        return wanted
    call = session.view.calls.get(wanted)
    if call is not None and call.request_id in ids:
        return call.request_id
    return by_message.get(wanted)


COMMANDS: dict[str, Command] = {"view.wire": wire}
