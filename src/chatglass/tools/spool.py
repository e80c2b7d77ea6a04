"""Long texts on their way from the host to the app: through a file, not through the socket."""

from __future__ import annotations

import os
import tempfile
import threading
from pathlib import Path

from chatglass.tools.threads import check

INLINE = 64 * 1024
"""Characters up to which a text goes with its frame."""
_PIECE = 1024 * 1024


def put(folder: str, text: str) -> dict[str, str]:
    """The fields of a frame that carry `text`. Raises OSError."""
    if len(text) <= INLINE:
        return {"text": text}
    handle, name = tempfile.mkstemp(dir=folder)
    with os.fdopen(handle, "w", encoding="utf-8", errors="replace") as file:
        file.write(text)
    return {"file": name}


def take(fields: dict[str, str], folder: Path, stop: threading.Event) -> str:
    """The text that `put` stored, which is then gone from the folder. For a thread.

    In pieces: one call over 64 MB would hold the interpreter. Raises OSError.
    """
    name = fields.get("file")
    if name is None:
        return fields["text"]
    path = folder / Path(name).name
    parts: list[str] = []
    try:
        with path.open(encoding="utf-8", newline="") as file:
            while piece := file.read(_PIECE):
                check(stop)
                parts.append(piece)
    finally:
        path.unlink(missing_ok=True)
    return "".join(parts)
