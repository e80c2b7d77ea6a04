"""Printing: data to stdout, words about it to stderr; a terminal gets no control characters."""

from __future__ import annotations

import json
import sys
from typing import IO, Any

from chatglass.values.text import visible


def emit(text: str) -> None:
    """Data. Piped, it is UTF-8 whatever the locale says."""
    if sys.stdout.isatty():
        sys.stdout.write(visible(text))
    else:
        sys.stdout.buffer.write(text.encode())


def emit_json(value: Any) -> None:
    emit(json.dumps(value, ensure_ascii=False, indent=2) + "\n")


def note(text: str) -> None:
    """What a person wants to know beside the data."""
    _line(sys.stderr, text)


def complain(text: str) -> None:
    """What went wrong."""
    _line(sys.stderr, f"chatglass: {text}")


def _line(stream: IO[str], text: str) -> None:
    print(visible(text) if stream.isatty() else text, file=stream, flush=True)
