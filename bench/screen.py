"""A pyte screen quick enough to follow a program that repaints all the time.

Colours are stripped before pyte sees them, and runs of one-column characters are drawn at once.
"""

from __future__ import annotations

import codecs
import re
from typing import Any

import pyte
from pyte import modes
from wcwidth import wcwidth

_STRIP = re.compile(
    rb"\x1b\[[0-9;:]*m"
    rb"|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[P_^X][^\x1b]*\x1b\\"
    rb"|\x1b\[[<>=][0-9;:]*[ -/]*[@-~]|\x1b\[\?[0-9;]*(?:u|m|n|\$[py])"
    rb"|\x1b\[[0-9;]*[ !\"$'*+][a-zA-Z|}~]|\x1b[=>]|\x1b[()*+][0A-Z]|\x1b\[[0-9;]*t"
)
_UNFINISHED = re.compile(
    rb"\x1b(?:\[[0-9;:?<>=!$' \"]*|\][^\x07\x1b]{0,8192}\x1b?|[P_^X][^\x1b]{0,65536}\x1b?|[()*+])?\Z"
)


class _Screen(pyte.Screen):
    _cells: dict[str, Any]

    def draw(self, data: str) -> None:
        cells = self.__dict__.setdefault("_cells", {})
        for character in set(data):
            if character not in cells:
                if wcwidth(character) != 1:
                    super().draw(data)
                    return
                cells[character] = self.default_char._replace(data=character)
        cursor, columns = self.cursor, self.columns
        if modes.IRM in self.mode or (
            modes.DECAWM not in self.mode and cursor.x + len(data) > columns
        ):
            super().draw(data)
            return
        at = 0
        while at < len(data):
            if cursor.x >= columns:
                self.dirty.add(cursor.y)
                self.carriage_return()
                self.linefeed()
            fits = min(len(data) - at, columns - cursor.x)
            row = self.buffer[cursor.y]
            for offset in range(fits):
                row[cursor.x + offset] = cells[data[at + offset]]
            self.dirty.add(cursor.y)
            cursor.x += fits
            at += fits

    def set_mode(self, *given: int, **options: Any) -> None:
        if options.get("private") and {47, 1047, 1049} & set(given):
            self.erase_in_display(2)
            self.cursor_position(1, 1)
        super().set_mode(*given, **options)

    def reset_mode(self, *given: int, **options: Any) -> None:
        if options.get("private") and 1049 in given:
            self.erase_in_display(2)
        super().reset_mode(*given, **options)

    def report_device_attributes(self, *_: Any, **__: Any) -> None:
        """The reader process answers these."""

    def report_device_status(self, *_: Any, **__: Any) -> None:
        """The reader process answers these."""


class Painted:
    """The screen after all bytes fed so far."""

    def __init__(self, columns: int, rows: int) -> None:
        self.rows = rows
        self._columns = columns
        self._screen = _Screen(columns, rows)
        self._stream = pyte.Stream(self._screen)
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._pending = b""

    def feed(self, data: bytes) -> list[str]:
        """Take bytes in; the lines that they changed."""
        data = _STRIP.sub(b"", self._pending + data)
        cut = _UNFINISHED.search(data)
        self._pending, data = (data[cut.start() :], data[: cut.start()]) if cut else (b"", data)
        if data:
            self._stream.feed(self._decoder.decode(data))
        changed = [self.line(row) for row in sorted(self._screen.dirty) if row < self.rows]
        self._screen.dirty.clear()
        return changed

    def line(self, row: int) -> str:
        cells = self._screen.buffer[row]
        return "".join([cells[column].data for column in range(self._columns)])

    def lines(self) -> list[str]:
        return [self.line(row) for row in range(self.rows)]

    def text(self) -> str:
        return "\n".join(line.rstrip() for line in self.lines())
