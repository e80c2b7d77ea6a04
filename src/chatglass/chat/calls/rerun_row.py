"""RerunRow: a tool call that the user ran again."""

from __future__ import annotations

from dataclasses import dataclass

from chatglass.store.records import ToolCallRow


@dataclass(frozen=True, slots=True, kw_only=True)
class RerunRow(ToolCallRow):
    """It is kept in the window that made it, never in the store; the model knows nothing of it."""

    rerun_of: str
    """Id of the call that was run again, itself maybe one that was."""
