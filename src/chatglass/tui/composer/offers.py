"""What the composer can complete beside commands and files: prompts and resources of servers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from chatglass.tui.composer.completion import Completion


class Offers(Protocol):
    def prompts(self) -> Sequence[Completion]:
        """The prompts, each with `/server:prompt` as its value."""
        ...

    def resources(self) -> Sequence[Completion]:
        """What can be attached, each with `server:uri` as its value."""
        ...

    def templates(self, query: str) -> Sequence[Completion]:
        """What resource templates offer for `query` (`server:uri`, as far as it is typed)."""
        ...

    async def proposals(self, query: str) -> Sequence[Completion]:
        """What servers propose for the part of a template that is being typed."""
        ...

    def is_resource(self, name: str) -> bool:
        """Whether `server:uri` can be read."""
        ...

    def find_prompt(self, text: str) -> tuple[str, str] | None:
        """The `server:prompt` that `text` (without its slash) starts with, and what follows it."""
        ...


class NoOffers:
    """No servers."""

    def prompts(self) -> Sequence[Completion]:
        return ()

    def resources(self) -> Sequence[Completion]:
        return ()

    def templates(self, query: str) -> Sequence[Completion]:
        return ()

    async def proposals(self, query: str) -> Sequence[Completion]:
        return ()

    def is_resource(self, name: str) -> bool:
        return False

    def find_prompt(self, text: str) -> tuple[str, str] | None:
        return None
