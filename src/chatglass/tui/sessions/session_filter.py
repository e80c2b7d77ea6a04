"""SessionFilter: the sessions whose titles hold every word of what was typed."""

from __future__ import annotations

from collections.abc import Sequence

from chatglass.store.records import SessionRow
from chatglass.tui.sessions.session_words import title


class SessionFilter:
    """Holds the titles in lower case, so that a key costs one pass over short strings (about
    1 ms for 10,000), or over what the text before it left where it only grew."""

    def __init__(self, rows: Sequence[SessionRow] = ()) -> None:
        self._titles = [title(row).lower() for row in rows]
        self._text = ""
        self._found: list[int] = list(range(len(rows)))

    def matching(self, text: str) -> list[int]:
        """Indices of the rows that match, in their order. Do not change the list."""
        text = text.lower().strip()
        if text == self._text:
            return self._found
        within = self._found if text.startswith(self._text) else range(len(self._titles))
        titles = self._titles
        for word in text.split():
            within = [index for index in within if word in titles[index]]
        self._text, self._found = text, list(within)
        return self._found

    def retitle(self, index: int, row: SessionRow) -> None:
        """Take over another title of the row there."""
        self._titles[index] = title(row).lower()
        self._text, self._found = "", list(range(len(self._titles)))
