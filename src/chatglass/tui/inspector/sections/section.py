"""What a section of a call is: one look at it, such as its arguments or its times."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

from chatglass.tui.inspector.json_view import Kind

if TYPE_CHECKING:
    from chatglass.store.records import ToolCallRow, ToolResult
    from chatglass.tui.inspector.call_source import CallSource

SectionName = Literal["arguments", "result", "seen", "error", "times"]
"""In the order in which they are shown and numbered."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What a section shows: a text, how to colour it, and a note for the head."""

    text: str
    kind: Kind
    note: str
    copied: str | None = None
    """What a copy takes, where that is not `text`."""


class CallFacts:
    """A call and what has been read of it so far, for as long as neither changes."""

    def __init__(self, call: ToolCallRow, source: CallSource, now: int) -> None:
        self.call = call
        self.now = now
        """Milliseconds since the epoch: to when something that goes on is measured."""
        self.result: ToolResult | None = None
        self.has_result = False
        """`result` was read; it may be None."""
        self._source = source

    async def read_result(self) -> None:
        """Raises StoreError."""
        self.result = await self._source.result(self.call.id)
        self.has_result = True


class Section(Protocol):
    """One look at a call. `show` is asked only once `is_ready` says that nothing is to be read."""

    @property
    def name(self) -> SectionName: ...

    @property
    def of_result(self) -> bool:
        """It shows the result alone, so that only another result makes it another."""
        ...

    def is_ready(self, facts: CallFacts) -> bool: ...

    async def read(self, facts: CallFacts) -> None:
        """Read into `facts` what `show` needs. Raises StoreError."""
        ...

    def show(self, facts: CallFacts) -> Shown: ...


class RowSection:
    """The base of a section that needs nothing but the call's row."""

    of_result = False

    def is_ready(self, facts: CallFacts) -> bool:
        return True

    async def read(self, facts: CallFacts) -> None:
        """Nothing to read."""


class ResultSection:
    """The base of a section that needs the call's result."""

    of_result = True

    def is_ready(self, facts: CallFacts) -> bool:
        return facts.has_result

    async def read(self, facts: CallFacts) -> None:
        await facts.read_result()
