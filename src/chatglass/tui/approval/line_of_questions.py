"""LineOfQuestions: what waits for an answer, in order."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from chatglass.tui.approval.question import Asked


class LineOfQuestions:
    """The first is the one that is shown."""

    def __init__(self) -> None:
        self._waiting: list[Asked] = []
        self._asked = 0
        """How many came since none waited."""

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def waiting(self) -> tuple[Asked, ...]:
        return tuple(self._waiting)

    @property
    def first(self) -> Asked | None:
        return self._waiting[0] if self._waiting else None

    @property
    def place(self) -> str:
        """Which of several the first one is, as `2 of 3`; empty for one alone."""
        number = self._asked - len(self._waiting) + 1
        return f"{number} of {self._asked}" if self._asked > 1 else ""

    def add(self, question: Asked) -> bool:
        """False where it waits already."""
        if any(each is question for each in self._waiting):
            return False
        self._waiting.append(question)
        self._asked += 1
        return True

    def take(self) -> Asked:
        """The first, which is answered."""
        question = self._waiting.pop(0)
        self._forget()
        return question

    def withdraw(self, question: Asked) -> None:
        self._waiting = [each for each in self._waiting if each is not question]
        self._forget()

    def clear(self) -> None:
        self._waiting = []
        self._forget()

    def _forget(self) -> None:
        if not self._waiting:
            self._asked = 0
