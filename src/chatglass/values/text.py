"""Making foreign text safe: for UTF-8, for the terminal, for one line.

Text of models, tools and users is data. `storable` keeps it writable, `visible` keeps it from
steering the terminal, `one_line` fits it into a row.
"""

from __future__ import annotations

import re

# C0 without tab and newline, DEL, C1, and the bidirectional controls that can reorder a line
# on screen (https://trojansource.codes).
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def storable(text: str) -> str:
    """`text` with lone surrogates replaced by U+FFFD, so that UTF-8, JSON and SQLite take it."""
    try:
        text.encode()
    except UnicodeEncodeError:
        # A pair of surrogates that JSON escapes brought in becomes its character; a lone one U+FFFD.
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def _show_control(match: re.Match[str]) -> str:
    code = ord(match.group())
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "\u2421"
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


def visible(text: str) -> str:
    """`text` with control characters shown as symbols; `\\t` and `\\n` stay, `\\r\\n` becomes `\\n`."""
    if "\r" in text:
        text = text.replace("\r\n", "\n")
    return _CONTROL.sub(_show_control, text)


def one_line(text: str, limit: int) -> str:
    """`text` as one visible line of at most `limit` characters, cut with an ellipsis."""
    if len(text) <= limit and text.isprintable() and "  " not in text and text == text.strip(" "):
        return text  # as most are, and lists of 10,000 sessions are made of them
    line = visible(" ".join(text[: limit * 4].split()))
    return line if len(line) <= limit and len(text) <= limit * 4 else line[: limit - 1] + "…"
