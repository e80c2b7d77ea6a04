"""The actions around what is sent: compaction."""

from __future__ import annotations

from chatglass.tui.actions.action import Action

CONTEXT_ACTIONS: tuple[Action, ...] = (
    Action(
        id="context.compact",
        label="Compact",
        tooltip="Sum up older messages now, as you say; `strategy NAME` sets how it is done here",
        slash="compact",
        hint="[instructions]",
    ),
    Action(
        id="context.strategy",
        label="Compaction strategy",
        tooltip="Choose how this session leaves out old messages at the limit",
        slash="strategy",
        hint="[name]",
    ),
    Action(
        id="context.edit_summary",
        label="Edit summary",
        tooltip="Write anew what is sent instead of the older messages (e on its line)",
        slash="edit-summary",
    ),
    Action(
        id="context.undo",
        label="Undo compaction",
        tooltip="Send again what the newest compaction left out",
        keys=("u",),
        place="transcript",
        slash="undo-compaction",
    ),
)
