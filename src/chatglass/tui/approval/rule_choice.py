"""RuleChoice: the rules that would allow a call from now on, and which of them is marked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from chatglass.tui.approval.question import Line, rule_at, rule_lines

if TYPE_CHECKING:
    from chatglass.tools.rules.rule import Rule
    from chatglass.tools.rules.suggestions import Suggestion


class RuleChoice:
    def __init__(self, offered: Sequence[Suggestion], place: str) -> None:
        """`place`: where the rule would be saved, in words."""
        self._offered = offered
        self._place = place
        self._marked = 0

    @property
    def rule(self) -> Rule:
        """The one that is marked."""
        return self._offered[self._marked].rule

    def step(self, by: int) -> None:
        """Mark the next, or with -1 the one before; it stops at the ends."""
        self._marked = max(0, min(len(self._offered) - 1, self._marked + by))

    def step_round(self) -> None:
        """Mark the next, after the last the first."""
        self._marked = (self._marked + 1) % len(self._offered)

    def mark_at(self, row: int, width: int) -> None:
        """Mark the one that is drawn in that row of its `lines`."""
        number = rule_at(self._offered, row, width)
        if number is not None:
            self._marked = number

    def lines(self, width: int) -> list[Line]:
        return rule_lines(self._offered, self._marked, self._place, width)
