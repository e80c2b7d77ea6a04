"""The image on the clipboard, by whichever tool of this machine can give it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from chatglass.chat.image_fitting import MOST_READ

_TIMEOUT_S = 5.0
_KINDS = ("image/png", "image/jpeg", "image/webp", "image/gif")
_OSASCRIPT = """\
set out to open for access (POSIX file "{path}") with write permission
write (the clipboard as «class PNGf») to out
close access out
"""


class NoImage(Exception):
    """There is none to be had. `str()` says why, and what would help."""


@dataclass(frozen=True, slots=True)
class _Tool:
    name: str
    kinds: Sequence[str] | None
    """The command that lists what kinds there are; None: it gives PNG or fails."""
    read: Sequence[str]
    """`KIND` in it stands for one of them, `PATH` for a file that it writes instead of stdout."""


def _tools(environ: Mapping[str, str]) -> list[_Tool]:
    found: list[_Tool] = []
    if "WAYLAND_DISPLAY" in environ:
        read = ["wl-paste", "--no-newline", "--type", "KIND"]
        found.append(_Tool("wl-paste", ["wl-paste", "--list-types"], read))
    if "DISPLAY" in environ:
        base = ["xclip", "-selection", "clipboard", "-o", "-t"]
        found.append(_Tool("xclip", [*base, "TARGETS"], [*base, "KIND"]))
    if sys.platform == "darwin":
        found.append(_Tool("pngpaste", None, ["pngpaste", "-"]))
        found.append(_Tool("osascript", None, ["osascript", "-e", _OSASCRIPT, "PATH"]))
    return found


async def clipboard_image(environ: Mapping[str, str] = os.environ) -> bytes:
    """The bytes of the image on the clipboard, not looked at. Takes up to 5 s. Raises NoImage."""
    tools = _tools(environ)
    there = [tool for tool in tools if shutil.which(tool.read[0])]
    if not tools:
        raise NoImage(
            "This terminal has no desktop whose clipboard could be read (neither WAYLAND_DISPLAY "
            "nor DISPLAY is set). Attach the image by its path: @path/to/image.png"
        )
    if not there:
        names = " or ".join(tool.name for tool in tools)
        raise NoImage(f"Reading an image from the clipboard needs {names}, which is not installed.")
    try:
        async with asyncio.timeout(_TIMEOUT_S):
            for tool in there:
                if data := await _read(tool):
                    return data
    except TimeoutError:
        raise NoImage(f"{there[0].name} gave no answer in {_TIMEOUT_S:.0f} s.") from None
    raise NoImage("There is no image on the clipboard.")


async def _read(tool: _Tool) -> bytes:
    kind = _KINDS[0]
    if tool.kinds is not None:
        offered = (await _output(tool.kinds)).decode("utf-8", "replace").split()
        if not (fitting := [kind for kind in _KINDS if kind in offered]):
            return b""
        kind = fitting[0]
    if "PATH" not in tool.read:
        return await _output([kind if word == "KIND" else word for word in tool.read])
    with tempfile.TemporaryDirectory(prefix="chatglass-") as folder:
        path = Path(folder) / "image"
        words = [word.replace("{path}", str(path)) for word in tool.read if word != "PATH"]
        await _output(words)
        return await asyncio.to_thread(_beginning, path)


def _beginning(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MOST_READ + 1)
    except FileNotFoundError:
        return b""


async def _output(command: Sequence[str]) -> bytes:
    """What a command prints, at most one byte more than may be read; nothing where it fails."""
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    assert process.stdout is not None
    data = bytearray()
    try:
        while len(data) <= MOST_READ and (chunk := await process.stdout.read(1 << 16)):
            data += chunk
        if len(data) <= MOST_READ and await process.wait() != 0:
            return b""
        return bytes(data[: MOST_READ + 1])
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
