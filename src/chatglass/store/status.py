"""StoreStatus: how a store that is reached over a network is doing, for the screen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal, Protocol, runtime_checkable

from chatglass.values.figures import counted


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreStatus:
    """`spooling`: the server is away, and what is written waits in a file of this machine."""

    state: Literal["connected", "spooling"] = "connected"
    waiting: int = 0
    """Writes in the file."""
    since: int | None = None
    """When the server went away, in milliseconds since the epoch."""
    cause: str = ""
    """Why it is away, in words."""
    refused: int = 0
    """Writes that the server refused when it got them from the file; they are kept in `refused_file`."""
    refused_file: str = ""
    taken_over: tuple[str, ...] = ()
    """Sessions that another process claimed while the server was away from this one."""
    lost: int = 0
    """Writes that the server had confirmed, and had forgotten when it came back."""

    def __str__(self) -> str:
        """One line; empty where there is nothing to say."""
        said: list[str] = []
        if self.state == "spooling":
            writes = "1 write waits" if self.waiting == 1 else f"{self.waiting:,} writes wait"
            said.append(f"The store is away ({self.cause}): {writes} on this machine.")
        if self.refused:
            said.append(f"{self.refused:,} were refused by the store: see {self.refused_file}.")
        if self.lost:
            said.append(
                f"The store came back without {counted(self.lost, 'write')} it had confirmed."
            )
        if self.taken_over:
            said.append(f"Now run by another chatglass: {', '.join(self.taken_over)}.")
        return " ".join(said)


@runtime_checkable
class ObservableStore(Protocol):
    """A store whose status changes by itself. One in a file is none."""

    @property
    def status(self) -> StoreStatus: ...

    def observe(self, changed: Callable[[StoreStatus], None]) -> Callable[[], None]:
        """Call `changed` in the event loop with every new status. Returns what ends it."""
        ...


def watch_store(store: object, say: Callable[[str, bool], None]) -> None:
    """Say when writes wait for a store on a server (True: that is trouble), and when they are
    through (False). A store in a file has nothing to say."""
    if not isinstance(store, ObservableStore):
        return
    said = ""

    def changed(status: StoreStatus) -> None:
        nonlocal said
        text = str(status)
        if text and not said:
            say(text, True)
        elif said and not text:
            say("The store answers again; all that waited is stored.", False)
        said = text

    store.observe(changed)


class StatusTeller:
    """Holds the status of a store, and tells whoever asked of every change."""

    def __init__(self) -> None:
        self.status = StoreStatus()
        self._observers: list[Callable[[StoreStatus], None]] = []

    def observe(self, changed: Callable[[StoreStatus], None]) -> Callable[[], None]:
        """See `ObservableStore`."""
        self._observers.append(changed)

        def end() -> None:
            if changed in self._observers:
                self._observers.remove(changed)

        return end

    def say(self, **changes: Any) -> None:
        """Change fields of the status."""
        status = replace(self.status, **changes)
        if status != self.status:
            self.status = status
            for changed in tuple(self._observers):
                changed(status)
