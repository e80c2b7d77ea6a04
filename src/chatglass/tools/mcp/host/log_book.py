"""What a server says beside the protocol: its stderr, its log messages and our notes on it.

Kept in a file of bounded size, and sent to the app a few times a second. Known keys and the values
of the server's own secret variables are taken out first.
"""

from __future__ import annotations

import asyncio
import codecs
import contextlib
import os
from collections.abc import Callable
from pathlib import Path

from chatglass.tools.redaction import Redactor
from chatglass.tools.tool import JsonObject
from chatglass.values.clock import now_ms
from chatglass.values.figures import counted
from chatglass.values.text import storable

_FILE_LIMIT = 1024 * 1024
_LINE_LIMIT = 2_000
_MOST_LINES = 200
"""Of one report to the app; of more, the last are sent."""
_REPORT_S = 0.2


class LogBook:
    """`path` None: nothing is written. `report` gets lines of `{at, source, level, text}`."""

    def __init__(
        self, path: Path | None, redactor: Redactor, report: Callable[[list[JsonObject]], None]
    ) -> None:
        self._path = path
        self._redactor = redactor
        self._report = report
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._partial = ""
        self._waiting: list[JsonObject] = []
        self._dropped = 0
        self._later: asyncio.TimerHandle | None = None
        self.last_line = ""
        """The last line of stderr that is not empty: often the cause of an end."""

    def feed_stderr(self, piece: bytes) -> None:
        text = self._partial + self._decoder.decode(piece)
        *lines, rest = text.replace("\r\n", "\n").split("\n")
        # A line without an end is cut, so that it can't grow for ever.
        self._partial = rest[-_LINE_LIMIT:]
        for line in lines:
            if line.strip():
                self._add("stderr", "", line)

    def note(self, text: str) -> None:
        """Something we noticed."""
        self._add("chatglass", "warning", text)

    def message(self, level: str, text: str) -> None:
        """A log message that came over the protocol."""
        self._add("server", level, text)

    def close(self) -> None:
        """Write and send all there is, a last line without an end too."""
        if self._partial.strip():
            self._add("stderr", "", self._partial)
            self._partial = ""
        self.flush()

    def flush(self) -> None:
        """Write and send what waits."""
        if self._later is not None:
            self._later.cancel()
            self._later = None
        waiting, self._waiting = self._waiting, []
        if self._dropped:
            waiting.insert(
                0, _line("chatglass", "warning", f"[{counted(self._dropped, 'line')} left out]")
            )
            self._dropped = 0
        if waiting:
            self._write(waiting)
            self._report(waiting)

    def _add(self, source: str, level: str, text: str) -> None:
        line = self._redactor.redact(storable(text[:_LINE_LIMIT]))
        if source == "stderr":
            self.last_line = line.strip()
        self._waiting.append(_line(source, level, line))
        if len(self._waiting) > _MOST_LINES:
            del self._waiting[0]
            self._dropped += 1
        if self._later is None:
            self._later = asyncio.get_running_loop().call_later(_REPORT_S, self.flush)

    def _write(self, lines: list[JsonObject]) -> None:
        if self._path is None:
            return
        # A full disk or a folder that is gone costs the file, not the server.
        with contextlib.suppress(OSError):
            if self._path.exists() and self._path.stat().st_size > _FILE_LIMIT:
                self._path.replace(self._path.with_suffix(".old.log"))
            handle = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            with os.fdopen(handle, "a", encoding="utf-8") as file:
                file.writelines(f"{line['source']}: {line['text']}\n" for line in lines)


def _line(source: str, level: str, text: str) -> JsonObject:
    return {"at": now_ms(), "source": source, "level": level, "text": text}
