"""Voice: what plain mode says, line by line, with a label in front. No cursor movement, no colour."""

from __future__ import annotations

import re
import sys
from typing import IO

from chatglass.values.text import visible

_OURS = re.compile(
    r"\s*(?:(?:You|Assistant|Question|Answer|Why (?:it asks|not)|Warning|Notice|Error|Denied|Result"
    r"|Tool|Calls?|Cost|End|Waiting|Rule|Draft|Modes?|Models?|Session|Compact\w+|Progress|Thinking|Attached"
    r"|Arguments|Decided by|Saved|More)\b.*:|\d+ (?:Allow|Deny|Send|Save|Go on|End)\b|End of (?:call|code)\b)",
    re.IGNORECASE,
)
"""What a line of plain mode's own begins with, or might for the ear."""
_MARK = "| "


def not_ours(text: str, *, begins: bool) -> str:
    """`text` of a model, a tool or the user, of which no line passes for one of plain mode's own. `begins`:
    it begins a line."""
    lines = text.split("\n")
    first = 0 if begins else 1
    return "\n".join(
        f"{_MARK}{line}" if place >= first and _OURS.match(line) else line
        for place, line in enumerate(lines)
    )


class Voice:
    """Writes to standard output. Control characters in what others wrote are shown, never sent."""

    def __init__(self, out: IO[str] | None = None) -> None:
        self._out = out or sys.stdout
        self._ends_line = True

    def line(self, label: str, text: str = "") -> None:
        """`LABEL: text` on lines of its own; without a text the label is the line."""
        self.close_line()
        blank = "" if text.startswith("\n") else " "
        text = not_ours(text, begins=False)
        self._write(f"{label}:{blank}{text}\n" if text else f"{label}\n")

    def ask(self, label: str) -> None:
        """`LABEL: `, behind which the user writes."""
        self.close_line()
        self._write(f"{label}: ")

    def heard(self, line: str, *, echo: bool) -> None:
        """The answer has come. A terminal has shown it and its Enter; what is piped is repeated
        (`echo`), so that the output reads as the whole talk."""
        if echo:
            self._write(f"{line}\n")
        self._ends_line = True

    def piece(self, text: str) -> None:
        """More of what is being said, from within the label's line."""
        self._write(not_ours(text, begins=self._ends_line))

    def close_line(self) -> None:
        """What follows begins a line."""
        if not self._ends_line:
            self._write("\n")

    def _write(self, text: str) -> None:
        if text:
            self._out.write(visible(text))
            self._out.flush()
            self._ends_line = text.endswith("\n")
