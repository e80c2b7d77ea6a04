"""Earlier prompts, and the unsent text beside them."""

from __future__ import annotations

from collections.abc import Sequence

MOST = 1_000


class PromptHistory:
    """A walk through earlier prompts that keeps what was changed on the way.

    Texts are in the draft form. Place `len(prompts)` is the unsent text.
    """

    def __init__(self) -> None:
        self._prompts: list[str] = []
        self._place = 0
        self._changed: dict[int, str] = {}

    def replace(self, prompts: Sequence[str]) -> None:
        """Other prompts, oldest first; the walk starts anew."""
        self._prompts = list(prompts)[-MOST:]
        self.rest()

    def append(self, prompt: str) -> None:
        """The newest prompt; one that repeats the last is not kept twice."""
        if prompt and self._prompts[-1:] != [prompt]:
            self._prompts = [*self._prompts, prompt][-MOST:]
        self.rest()

    def rest(self) -> None:
        """Back to the unsent text, with nothing remembered."""
        self._place = len(self._prompts)
        self._changed.clear()

    @property
    def walking(self) -> bool:
        return self._place < len(self._prompts)

    def step(self, by: int, current: str) -> str | None:
        """The text `by` places on, with `current` kept here; None at either end."""
        target = self._place + by
        if not 0 <= target <= len(self._prompts):
            return None
        self._changed[self._place] = current
        self._place = target
        if target in self._changed:
            return self._changed[target]
        return self._prompts[target] if target < len(self._prompts) else ""
