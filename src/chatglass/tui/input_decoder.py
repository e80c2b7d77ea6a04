"""InputDecoder: bytes from the terminal as text that can neither break nor steer the program."""

from __future__ import annotations

import codecs
import re

_BEGIN, _END = "\x1b[200~", "\x1b[201~"
"""Around a bracketed paste."""
_SHOWN_ESCAPE = "\u241b"
_ALT_DIGIT = re.compile("\x1b([0-9])")


class InputDecoder:
    """An incremental decoder for Textual's input thread.

    A byte that is not UTF-8 becomes U+FFFD, where a strict decoder would end the thread. An ESC
    inside a paste becomes ␛: Textual's parser would end the paste there, and take what is left of
    its lines for keys, Enter among them. Alt and a digit, which most terminals send as ESC and the
    digit, becomes what the others send: Textual would take it for what a Mac types (`¡`).
    """

    def __init__(self) -> None:
        self._utf8 = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._pasting = False
        self._held = ""

    def decode(self, data: bytes, final: bool = False) -> str:
        text = self._held + self._utf8.decode(data, final)
        self._held = ""
        decoded: list[str] = []
        while text:
            # A lone ESC outside a paste is the key, and must not wait for what may follow.
            mark, shortest = (_END, 1) if self._pasting else (_BEGIN, 3)
            head, found, text = text.partition(mark)
            if not found and not final:
                kept = _started(head, mark, shortest)
                head, self._held = head[: len(head) - kept], head[len(head) - kept :]
            if self._pasting:
                head = head.replace("\x1b", _SHOWN_ESCAPE)
            else:
                head = _ALT_DIGIT.sub(lambda key: f"\x1b[{ord(key[1])};3u", head)
            decoded += [head, found]
            if found:
                self._pasting = not self._pasting
        return "".join(decoded)


def _started(text: str, mark: str, shortest: int) -> int:
    """How many characters at the end of `text` may be the start of `mark`."""
    for length in range(len(mark) - 1, shortest - 1, -1):
        if text.endswith(mark[:length]):
            return length
    return 0
