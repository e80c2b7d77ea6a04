"""The sign of each state of a tool call, wherever one is drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from chatglass.store.records import ToolCallState

STATE_MARKS: dict[ToolCallState, str] = {
    "proposed": "○",
    "asking": "○",
    "approved": "○",
    "running": "●",
    "ok": "✓",
    "error": "✗",
    "denied": "⊘",
    "cancelled": "⊘",
    "unknown": "?",
}
"""Where two states share one, a word stands beside it."""
