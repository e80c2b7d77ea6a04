"""What the screen shows in its corners and no event tells, as lines: a ledger that is off, a store that is
away."""

from __future__ import annotations

from collections.abc import Callable

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


def watch_store(store: object, say: Callable[[str], None]) -> None:
    """Say when writes wait for a store on a server, and when they are through."""
    from chatglass.store.status import ObservableStore, StoreStatus

    if not isinstance(store, ObservableStore):
        return
    said = ""

    def changed(status: StoreStatus) -> None:
        nonlocal said
        text = str(status)
        if text and not said:
            say(text)
        elif said and not text:
            say("The store answers again; all that waited is stored.")
        said = text

    store.observe(changed)
