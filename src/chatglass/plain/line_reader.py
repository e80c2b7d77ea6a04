"""LineReader: lines from standard input, while the event loop goes on."""

from __future__ import annotations

import asyncio
import codecs
import contextlib
import os
import threading


class LineReader:
    """Reads in a thread of its own. Not through `sys.stdin`: a thread that waits in its buffer
    would hold a lock that the interpreter wants at its end."""

    def __init__(self, descriptor: int = 0) -> None:
        self._descriptor = descriptor
        self._lines: asyncio.Queue[str | None] = asyncio.Queue()
        self._loop = asyncio.get_running_loop()
        self._ended = False
        self.is_terminal = os.isatty(descriptor)
        threading.Thread(target=self._read, name="plain-input", daemon=True).start()

    async def next(self) -> str | None:
        """The next line without its end; None when there are no more."""
        if self._ended and self._lines.empty():
            return None
        line = await self._lines.get()
        self._ended = self._ended or line is None
        return line

    def take_waiting(self) -> list[str]:
        """The lines that came already and nobody has asked for."""
        found: list[str] = []
        while not self._lines.empty():
            line = self._lines.get_nowait()
            if line is None:
                self._lines.put_nowait(None)
                break
            found.append(line)
        return found

    def _read(self) -> None:
        decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        rest = ""
        while data := self._chunk():
            *lines, rest = (rest + decoder.decode(data)).split("\n")
            self._tell(lines)
        rest += decoder.decode(b"", final=True)
        self._tell([*([rest] if rest else []), None])

    def _chunk(self) -> bytes:
        try:
            return os.read(self._descriptor, 65_536)
        except OSError:  # EIO: the terminal is gone
            return b""

    def _tell(self, lines: list[str] | list[str | None]) -> None:
        def put() -> None:
            for line in lines:
                self._lines.put_nowait(line.removesuffix("\r") if line is not None else None)

        with contextlib.suppress(RuntimeError):  # the program has ended meanwhile
            self._loop.call_soon_threadsafe(put)
