"""Voice: what plain mode says, line by line, with a label in front. No cursor movement, no colour."""

from __future__ import annotations

import sys
from typing import IO

from chatglass.values.text import visible


class Voice:
    """Writes to standard output. Control characters in what others wrote are shown, never sent."""

    def __init__(self, out: IO[str] | None = None) -> None:
        self._out = out or sys.stdout
        self._ends_line = True

    def line(self, label: str, text: str = "") -> None:
        """`LABEL: text` on lines of its own; without a text the label is the line."""
        self.close_line()
        blank = "" if text.startswith("\n") else " "
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
        """More of the line that is being said."""
        self._write(text)

    def close_line(self) -> None:
        """What follows begins a line."""
        if not self._ends_line:
            self._write("\n")

    def _write(self, text: str) -> None:
        if text:
            self._out.write(visible(text))
            self._out.flush()
            self._ends_line = text.endswith("\n")
