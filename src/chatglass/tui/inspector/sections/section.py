"""What a section is: one look at a thing, such as the arguments or the times of a call."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from chatglass.tui.inspector.json_view import Kind
from chatglass.tui.inspector.marked_text import Mark


class Titled(Protocol):
    """Facts of something that has a name."""

    @property
    def title(self) -> str: ...


Facts = TypeVar("Facts", bound=Titled)
Given = TypeVar("Given", contravariant=True)


@dataclass(frozen=True, slots=True)
class Shown:
    """What a section shows: a text, how to colour it, and a note for the head."""

    text: str
    kind: Kind
    note: str
    copied: str | None = None
    """What a copy takes, where that is not `text`."""
    marks: Sequence[Mark] = ()


class Section(Protocol[Given]):
    """One look at facts. `show` is asked only once `is_ready` says that nothing is to be read."""

    @property
    def name(self) -> str: ...

    @property
    def label(self) -> str:
        """The name in a head where there is little room; a word all the same."""
        ...

    @property
    def of_result(self) -> bool:
        """It shows a result alone, so that only another result makes it another."""
        ...

    def is_ready(self, facts: Given) -> bool: ...

    async def read(self, facts: Given) -> None:
        """Read into `facts` what `show` needs. Raises StoreError."""
        ...

    def show(self, facts: Given) -> Shown: ...
