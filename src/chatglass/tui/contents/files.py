"""A content of a tool's result as a file: saved where the user says, or shown by the system."""

from __future__ import annotations

import atexit
import os
import shutil
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

from chatglass.tools.mcp.contents import Content

_SHOWN = {
    "image/png": ".png",
    "image/jpeg": ".jpg",
    "image/gif": ".gif",
    "image/webp": ".webp",
    "image/bmp": ".bmp",
    "image/avif": ".avif",
    "audio/mpeg": ".mp3",
    "audio/mp3": ".mp3",
    "audio/wav": ".wav",
    "audio/x-wav": ".wav",
    "audio/ogg": ".ogg",
    "audio/flac": ".flac",
    "application/pdf": ".pdf",
    "text/plain": ".txt",
    "": ".txt",
}
"""What a viewer is started for, by the type that is claimed, and the name the file gets: kinds that
programs show and none of them runs. HTML and SVG are not among them, since browsers run those."""


class CannotKeep(Exception):
    """The content can't be saved or opened. `str()` says why and what else there is."""


def viewer() -> list[str] | None:
    """The program that shows a file with what the user chose for its kind."""
    if sys.platform == "darwin":
        return ["open"]
    found = shutil.which("xdg-open")
    return [found] if found else None


def save(content: Content, name: str) -> Path:
    """Write a new file, readable by the user alone; what is there is never replaced. `name` may be
    relative or begin with `~`. Raises CannotKeep."""
    path = Path.cwd() / Path(name).expanduser()
    try:
        data = content.bytes()
    except ValueError as error:
        raise CannotKeep(f"It can't be saved: {error}.") from error
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0)
    try:
        descriptor = os.open(path, flags, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
    except FileExistsError:
        raise CannotKeep(f"{path} is there already. Give another name.") from None
    except (OSError, ValueError) as error:
        # A ValueError for a name with a null character.
        raise CannotKeep(f"{path} can't be written: {error}.") from error
    return path


def open_in_viewer(content: Content) -> Path:
    """Show it with the system's viewer, from a private copy that goes when the program ends.
    Raises CannotKeep."""
    mime = content.mime.partition(";")[0].strip().lower()
    suffix = _SHOWN.get(mime)
    if suffix is None or (not mime and content.is_binary):
        raise CannotKeep(
            f"{mime or 'It'} is not opened: only images, sounds, PDF and plain text are. s saves it."
        )
    command = viewer()
    if command is None:
        raise CannotKeep("There is no xdg-open here to open it with. s saves it.")
    handle, name = tempfile.mkstemp(suffix=suffix, dir=_folder())
    os.close(handle)
    path = Path(name)
    path.unlink()
    save(content, name)
    try:
        subprocess.Popen(
            [*command, str(path)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except OSError as error:
        raise CannotKeep(f"{command[0]} can't be started: {error.strerror or error}.") from error
    return path


@cache
def _folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="chatglass-shown-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder
