"""What the actions of the registry do, by area."""

from __future__ import annotations

from chatglass.tui.commands import (
    answers,
    approval,
    attaching,
    calls,
    context,
    forking,
    program,
    servers,
    sessions,
    settings,
    spending,
    tabs,
    tools,
    view,
    wire,
)
from chatglass.tui.commands.table import Commands

COMMANDS = Commands(
    {
        **sessions.COMMANDS,
        **tabs.COMMANDS,
        **forking.COMMANDS,
        **answers.COMMANDS,
        **attaching.COMMANDS,
        **settings.COMMANDS,
        **context.COMMANDS,
        **view.COMMANDS,
        **wire.COMMANDS,
        **calls.COMMANDS,
        **spending.COMMANDS,
        **servers.COMMANDS,
        **tools.COMMANDS,
        **approval.COMMANDS,
        **program.COMMANDS,
    }
)
