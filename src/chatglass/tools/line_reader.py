"""Lines from a pipe, of any length, in time that grows with their length alone."""

from __future__ import annotations

from dataclasses import dataclass

END_KEPT = 4 * 1024


@dataclass(frozen=True, slots=True)
class TooLong:
    """A line over the limit: its first and last bytes, and how long it was."""

    head: bytes
    tail: bytes
    size: int


class LineReader:
    """Fed with pieces, gives whole lines. Of a line over `limit` only the ends are kept."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._pieces: list[bytes] = []
        self._size = 0

    def feed(self, piece: bytes) -> list[bytes | TooLong]:
        *ends, rest = piece.split(b"\n")
        lines: list[bytes | TooLong] = []
        for end in ends:
            self._add(end)
            lines.append(self._take())
        self._add(rest)
        return lines

    def _add(self, piece: bytes) -> None:
        if not piece:
            return
        self._size += len(piece)
        if self._size <= self._limit:
            self._pieces.append(piece)
            return
        head = b"".join(self._pieces[:1])[:END_KEPT] or piece[:END_KEPT]
        tail = (b"".join(self._pieces[-1:]) + piece)[-END_KEPT:]
        self._pieces = [head, tail]

    def _take(self) -> bytes | TooLong:
        pieces, size = self._pieces, self._size
        self._pieces, self._size = [], 0
        return TooLong(pieces[0], pieces[1], size) if size > self._limit else b"".join(pieces)
