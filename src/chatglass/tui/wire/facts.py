"""WireFacts: a request whose wire is looked at, read when a section is first shown."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from chatglass.chat.wire_view import WireView

LoadWire = Callable[[str], Awaitable["WireView"]]
"""Request id → its view. Raises StoreError, and LookupError for a request that isn't there."""


class WireFacts:
    def __init__(self, request_id: str, load: LoadWire, read: Callable[[WireView], None]) -> None:
        """`read` is told the view once it is there."""
        self.request_id = request_id
        self.view: WireView | None = None
        self.difference: Sequence[str] | None = None
        """The lines that differ from the request before, with `- ` or `+ ` or two blanks."""
        self.events: str | None = None
        """The events received, as a JSON array; empty where they are none."""
        self._load = load
        self._read = read

    @property
    def title(self) -> str:
        return f"request {self.view.place}" if self.view else "the request"

    async def read(self) -> None:
        if self.view is None:
            self.view = await self._load(self.request_id)
            self._read(self.view)


class WireSection:
    """The base of a section of the wire: all need the whole view, and nothing else."""

    of_result = False

    def is_ready(self, facts: WireFacts) -> bool:
        return facts.view is not None

    async def read(self, facts: WireFacts) -> None:
        await facts.read()
