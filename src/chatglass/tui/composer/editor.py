"""The user's own editor on a private temporary file."""

from __future__ import annotations

import os
import shlex
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path


class EditorError(Exception):
    """The editor could not be used. `str()` names the command, the cause and the way on."""


def editor_command(environ: Mapping[str, str] = os.environ) -> list[str]:
    """`$VISUAL`, else `$EDITOR`, else `vi`, split as a shell splits words. Raises EditorError."""
    for variable in ("VISUAL", "EDITOR"):
        written = environ.get(variable, "").strip()
        if written:
            try:
                return shlex.split(written)
            except ValueError as error:
                raise EditorError(f"${variable} is {written!r}: {error}. Correct it.") from error
    return ["vi"]


def edit(text: str, environ: Mapping[str, str] = os.environ) -> str:
    """`text` as the user leaves it in the editor. Blocks until that ends.

    The file is 0600 in a folder of its own (0700), since editors write copies beside it; both
    are removed in any case. Raises EditorError where the editor can't start or fails.
    """
    command = editor_command(environ)
    with tempfile.TemporaryDirectory(prefix="chatglass-") as folder:
        path = Path(folder) / "prompt.md"
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            file.write(text)
        try:
            code = subprocess.run([*command, str(path)], check=False).returncode
        except OSError as error:
            raise EditorError(
                f"The editor {command[0]!r} can't be started: {error.strerror or error}."
                " Set $VISUAL or $EDITOR to one that can."
            ) from error
        if code != 0:
            raise EditorError(f"The editor {command[0]!r} ended with code {code}; nothing changed.")
        try:
            edited = path.read_text(encoding="utf-8", errors="replace")
        except OSError as error:
            raise EditorError(
                f"The editor {command[0]!r} left no file: {error.strerror or error}."
            ) from error
    # Editors end a file with a line break that nobody typed.
    return edited.removesuffix("\n") if not text.endswith("\n") else edited
