"""The log file: warnings and errors always, everything with `--debug`; never a key."""

from __future__ import annotations

import logging
import os
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any

from chatglass.tools.redaction import KnownKeys, Redactor

_MOST_BYTES = 1_000_000
# What these write with --debug is per byte or per query, and drowns the rest.
_TOO_LOUD = ("httpcore", "httpcore2", "markdown_it", "asyncio")


class _PrivateFile(RotatingFileHandler):
    """Made readable by its owner alone."""

    def _open(self) -> Any:
        handle = os.open(self.baseFilename, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        return os.fdopen(handle, "a", encoding="utf-8", errors="backslashreplace")


class _Redacting(logging.Formatter):
    """Takes known key values out of the finished line, whatever part of the record held them."""

    def __init__(self, known_keys: KnownKeys) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")
        self._known_keys = known_keys

    def format(self, record: logging.LogRecord) -> str:
        return Redactor(self._known_keys()).redact(super().format(record))


def open_log(path: Path, *, debug: bool, known_keys: KnownKeys) -> logging.Handler:
    """Send the process's logging to `path`. The file is made with the first line. Returns the
    handler, for `close_log`."""
    handler = _PrivateFile(path, maxBytes=_MOST_BYTES, backupCount=1, delay=True)
    handler.setFormatter(_Redacting(known_keys))
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(logging.DEBUG if debug else logging.WARNING)
    for name in _TOO_LOUD:
        logging.getLogger(name).setLevel(logging.WARNING)
    return handler


def close_log(handler: logging.Handler) -> None:
    logging.getLogger().removeHandler(handler)
    handler.close()
