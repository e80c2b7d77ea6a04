"""A ledger that is off, which the screen shows in a corner and no event tells, as a line."""

from __future__ import annotations

from chatglass.chat.engine import Engine


class LedgerWatch:
    """Tells once that an engine's ledger is off."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._told = False

    def news(self) -> str:
        """A sentence or two; empty where there is nothing new to say."""
        why = self._engine.context.ledger.degraded
        if why is None or self._told:
            return ""
        self._told = True
        return f"The ledger is off ({why}). Figures come from the stored requests."
