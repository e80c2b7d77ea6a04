"""Sentences: a streamed text in pieces that can be read out: whole sentences and whole lines."""

from __future__ import annotations

import re

# An end of sentence, closing quotes and brackets behind it, then a blank. Of "e.g. this" it makes
# two pieces, which only makes a pause.
_END = re.compile(r"[.!?…]+[\"')\]»”’*_]*\s|[。！？]+[」』）]*|\n")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})\s*([^`\n]*)")
LONGEST = 400
"""Characters after which a piece ends at a blank without the end of a sentence."""


class Sentences:
    """Takes deltas, gives pieces. Fences of code blocks become words, which can be heard."""

    def __init__(self) -> None:
        self._rest = ""
        self._line_begins = True
        self._fence = ""

    def push(self, delta: str) -> list[str]:
        """What is whole now."""
        self._rest += delta
        pieces: list[str] = []
        while (end := self._end()) is not None:
            pieces.append(self._spoken(self._rest[:end]))
            self._rest = self._rest[end:]
        return pieces

    def flush(self) -> list[str]:
        """What is left, at the end of the text."""
        rest, self._rest = self._rest, ""
        return [self._spoken(rest)] if rest else []

    def _end(self) -> int | None:
        line_end = self._rest.find("\n")
        if self._fence or (self._line_begins and self._may_be_fence()):
            return line_end + 1 if line_end >= 0 else None
        found = _END.search(self._rest)
        if found is not None:
            return found.end()
        if len(self._rest) > LONGEST and (blank := self._rest.rfind(" ", 0, LONGEST)) > 0:
            return blank + 1
        return None

    def _may_be_fence(self) -> bool:
        start = self._rest.lstrip(" ")[:3]
        return bool(start) and start in ("`", "``", "```", "~", "~~", "~~~")

    def _spoken(self, piece: str) -> str:
        begins, self._line_begins = self._line_begins, piece.endswith("\n")
        found = _FENCE.fullmatch(piece.rstrip("\n")) if begins else None
        if found is None:
            return piece
        run, language = found.groups()
        if not self._fence:
            self._fence = run
            return f"Code, {language.strip()}:\n" if language.strip() else "Code:\n"
        if run[0] == self._fence[0] and len(run) >= len(self._fence) and not language.strip():
            self._fence = ""
            return "End of code.\n"
        return piece
